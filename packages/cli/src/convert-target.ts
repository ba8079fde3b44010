import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CliError } from './cli-error.js';
import type { CommandOptions } from './command.js';
import { choiceOption } from './command-options.js';
import { readJson } from './result-files.js';

/** What `convert` writes. */
export const FORMATS = ['V2', 'object', 'safetensors', 'npz', 'tfjs'] as const;
/** One of the formats that `convert` writes. */
export type TargetFormat = (typeof FORMATS)[number];

const ENDINGS: Readonly<Record<string, TargetFormat>> = { safetensors: 'safetensors', npz: 'npz', json: 'tfjs' };
const NOT_WRITTEN = /\.(h5|hdf5|keras|npy|pb|pbtxt|meta|index|pt|pth|bin|onnx|gguf)$/i;

/** The format that is asked for, or that the ending says; `undefined` for a prefix without either. @throws {CliError} */
export function formatOf(to: string, options: CommandOptions): TargetFormat | undefined {
  const chosen = choiceOption(options, 'format', FORMATS);
  if (chosen !== undefined) return chosen;
  const ending = /\.([a-z0-9]+)$/i.exec(to)?.[1];
  if (NOT_WRITTEN.test(to)) {
    throw new CliError('Usage', `.${ending} is not written here; --format is one of ${FORMATS.join(', ')}`);
  }
  return ENDINGS[ending ?? ''];
}

/** The files beside each other that writing `to` would replace or remove. */
function touched(to: string, format: TargetFormat): string[] {
  const [folder, name] = [dirname(to), basename(to)];
  const shard = {
    V2: `${name}.data-`,
    object: `${name}.data-`,
    tfjs: `${name.replace(/\.json$/, '')}.group`,
    safetensors: undefined,
    npz: undefined,
  }[format];
  const bundle = format === 'V2' || format === 'object';
  return (existsSync(folder) ? readdirSync(folder) : [])
    .filter((file) => (bundle ? file === `${name}.index` : file === name) || (shard && file.startsWith(shard)))
    .map((file) => join(folder, file));
}

/**
 * Makes sure that nothing is lost by writing: what is there is only replaced when that was asked for.
 *
 * @throws {CliError} for files that are there without `--force`; for a folder, and a tfjs model with its topology, always
 */
export function checkTarget(to: string, format: TargetFormat, force: boolean): void {
  if (existsSync(to) && statSync(to).isDirectory()) {
    throw new CliError('Usage', `${to} is a folder; name the file or prefix to write in it`);
  }
  const found = touched(to, format);
  if (found.length > 0 && !force) {
    const more = found.length > 1 ? ` and ${found.length - 1} more` : '';
    throw new CliError('Usage', `${found[0]}${more} is there already; --force replaces it`);
  }
  if (format !== 'tfjs' || !existsSync(to)) return;
  const model = readJson(to) as Record<string, unknown> | null;
  if (typeof model === 'object' && model?.['modelTopology'] !== undefined) {
    throw new CliError(
      'Usage',
      `${to} holds a model's topology, which weights alone would replace; write to another file`,
    );
  }
}
