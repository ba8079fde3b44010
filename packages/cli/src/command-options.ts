import { CliError } from './cli-error.js';
import type { CommandOptions } from './command.js';

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The last value of an option as text; `undefined` where it was not given. */
export function textOption(options: CommandOptions, name: string): string | undefined {
  const value = options[name];
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  if (last === undefined || last === null) return undefined;
  if (typeof last === 'boolean') throw new CliError('Usage', `${flagOf(name)} needs a value`);
  return String(last);
}

/** Every value of an option that may be given more than once. */
export function textOptions(options: CommandOptions, name: string): readonly string[] {
  const value = options[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

/**
 * A number.
 *
 * @throws {CliError} `Usage` for anything else
 */
export function numberOption(options: CommandOptions, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value))
    throw new CliError('Usage', `${flagOf(name)} is a number, not '${text}'`);
  return value;
}

/** A whole number of any size, as random seeds are. @throws {CliError} `Usage` */
export function integerOption(options: CommandOptions, name: string): bigint | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) throw new CliError('Usage', `${flagOf(name)} is a whole number, not '${text}'`);
  return BigInt(text);
}

/** A list of numbers: `2,3` or `[2, 3]`; `[]` and the empty text are the empty list. @throws {CliError} `Usage` */
export function numbersOption(options: CommandOptions, name: string): readonly number[] | undefined {
  const text = textOption(options, name)
    ?.replace(/^\[|\]$/g, '')
    .trim();
  if (text === undefined) return undefined;
  const values = text === '' ? [] : text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (values.some(Number.isNaN))
    throw new CliError('Usage', `${flagOf(name)} is a list of numbers such as 2,3, not '${text}'`);
  return values;
}

/** A shape: whole numbers from 0. @throws {CliError} `Usage` */
export function shapeOption(options: CommandOptions, name: string): readonly number[] | undefined {
  const shape = numbersOption(options, name);
  if (shape?.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw new CliError('Usage', `${flagOf(name)} is a list of sizes such as 2,3`);
  }
  return shape;
}

/** One of some words. @throws {CliError} `Usage` */
export function choiceOption<T extends string>(
  options: CommandOptions,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = textOption(options, name);
  if (text === undefined || (choices as readonly string[]).includes(text)) return text as T | undefined;
  throw new CliError('Usage', `${flagOf(name)} is one of ${choices.join(', ')}, not '${text}'`);
}

/** Whether any rename was asked for. */
export function renameRulesGiven(options: CommandOptions): boolean {
  return textOptions(options, 'rename').length > 0;
}
