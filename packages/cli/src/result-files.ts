import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CliError } from './cli-error.js';

/** JSON files beyond this are not read: they would not fit into a string. */
const MOST_JSON = 512 * 2 ** 20;

/** Writes a file whole or not at all, with its folders. @throws {CliError} `Io` */
export function writeWhole(path: string, text: string): string {
  const target = resolve(path);
  const partial = `${target}.${process.pid}.partial`;
  try {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(partial, text);
    renameSync(partial, target);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw new CliError('Io', `${path} cannot be written: ${(cause as Error).message}`, { file: path }, { cause });
  }
  return target;
}

/**
 * The value in a JSON file.
 *
 * @param parse  makes a value of the text
 * @throws {CliError} `NotFound`, `TooLarge`, `Io`, `UnknownFormat`
 */
export function readJson(path: string, parse: (text: string) => unknown = JSON.parse): unknown {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > MOST_JSON)
      throw new CliError('TooLarge', `${path} has ${size} bytes, more than JSON is read here (${MOST_JSON})`);
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing ? `${path} does not exist` : `${path} cannot be read: ${(cause as Error).message}`;
    throw new CliError(missing ? 'NotFound' : 'Io', message, { file: path }, { cause });
  }
  try {
    return parse(text);
  } catch (cause) {
    throw new CliError('UnknownFormat', `${path} is not JSON: ${(cause as Error).message}`, { file: path }, { cause });
  }
}
