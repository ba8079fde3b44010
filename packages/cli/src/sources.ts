import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint, RenameRule } from '@tfparity/checkpoint';
import type { Inventory } from '@tfparity/inventory';
import { CliError } from './cli-error.js';
import type { CommandOptions } from './command.js';
import { textOptions } from './command-options.js';
import { readJson } from './result-files.js';

/** What a path on the command line holds. */
export type SourceKind = 'graph' | 'saved-model' | 'json' | 'checkpoint';

/** What a path holds, by its ending and what lies there; only what nothing else claims is asked to be a checkpoint. */
export function kindOf(path: string): SourceKind {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return 'checkpoint';
  if (existsSync(join(path, 'saved_model.pb'))) return 'saved-model';
  if (path.endsWith('saved_model.pb') && existsSync(path)) return 'graph';
  if (/\.(pb|meta)$/.test(path)) return 'graph';
  return path.endsWith('.json') && !isTfjsModel(path) ? 'json' : 'checkpoint';
}

function isTfjsModel(path: string): boolean {
  if (!existsSync(path) || statSync(path).isDirectory()) return false;
  const value = readJson(path);
  return typeof value === 'object' && value !== null && 'weightsManifest' in value;
}

/** A checkpoint of any format, its names changed by `--rename` and chosen by `--filter`. */
export async function openArrays(path: string, options: CommandOptions = {}): Promise<Checkpoint> {
  const { openCheckpoint, mapCheckpoint, nameMap } = await import('@tfparity/checkpoint');
  const rules = renameRules(options);
  const arrays = bundleArrays(path);
  if (arrays !== undefined) await verifyBundle(path);
  const checkpoint = await openCheckpoint(arrays ?? path);
  return rules.length === 0 ? checkpoint : mapCheckpoint(checkpoint, { names: nameMap(rules) });
}

const VALUE = /\/\.ATTRIBUTES\/VARIABLE_VALUE$/;

/** The path of a variable's object: TF2's checkpoints add the same two words to each. */
export function objectPath(name: string): string {
  return name.replace(VALUE, '');
}

/** The arrays of a golden bundle, which is a folder with a manifest. */
function bundleArrays(path: string): string | undefined {
  const arrays = join(path, 'arrays.npz');
  return existsSync(join(path, 'manifest.json')) && existsSync(arrays) ? arrays : undefined;
}

/** A recording is what its manifest says: every array has the hash that was noted with it. @throws as `GoldenBundle.open` */
async function verifyBundle(path: string): Promise<void> {
  const { GoldenBundle } = await import('@tfparity/validate');
  const bundle = await GoldenBundle.open(path);
  try {
    for (const key of Object.keys(bundle.manifest.arrays)) await bundle.array(key);
  } finally {
    await bundle.close();
  }
}

/** Renames from `--rename`: `from=to` turns the beginning of a name, a JSON file holds a list of rules. @throws {CliError} */
export function renameRules(options: CommandOptions): readonly RenameRule[] {
  return textOptions(options, 'rename').flatMap((text): readonly RenameRule[] => {
    if (text.endsWith('.json')) {
      const rules = readJson(text);
      if (Array.isArray(rules)) return rules as RenameRule[];
      throw new CliError('Usage', `${text} must hold a list of rules: [{"prefix": "a/", "to": "b/"}, …]`);
    }
    const [from, to, ...rest] = text.split('=');
    if (to === undefined || rest.length > 0) {
      throw new CliError('Usage', `--rename is from=to or a JSON file of rules, not '${text}'`);
    }
    return [{ prefix: from!, to }];
  });
}

/** The variables of whatever a path holds. */
export async function openInventory(path: string): Promise<Inventory> {
  const { captureInventory } = await import('@tfparity/inventory');
  const kind = kindOf(path);
  if (kind === 'json') return captureInventory(readJson(path) as object);
  if (kind !== 'graph') {
    const checkpoint = await openArrays(path);
    try {
      return captureInventory({ entries: [...checkpoint.entries, ...checkpoint.unreadable] });
    } finally {
      await checkpoint.close();
    }
  }
  const { inspectGraph } = await import('@tfparity/graph');
  return { ...captureInventory(inspectGraph(path).variables), source: 'graph' };
}
