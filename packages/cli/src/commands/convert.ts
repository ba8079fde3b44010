import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { ArrayLike } from '@tfparity/array';
import type { Checkpoint, NamedArray, WriteFormat } from '@tfparity/checkpoint';
import { CliError } from '../cli-error.js';
import type { CommandOptions, CommandRun } from '../command.js';
import { choiceOption, textOption } from '../command-options.js';
import { objectPath, openArrays } from '../sources.js';
import { bytesText, type Terminal, verdictLine } from '../terminal.js';

const FORMATS = ['V2', 'object', 'safetensors', 'npz', 'tfjs'] as const;

function formatOf(to: string, options: CommandOptions): (typeof FORMATS)[number] {
  const chosen = choiceOption(options, 'format', FORMATS);
  if (chosen !== undefined) return chosen;
  if (to.endsWith('.safetensors')) return 'safetensors';
  if (to.endsWith('.npz')) return 'npz';
  return to.endsWith('.json') ? 'tfjs' : 'V2';
}

function refuseExisting(to: string): void {
  const folder = dirname(to);
  const name = basename(to);
  const beside = existsSync(folder) ? readdirSync(folder) : [];
  const found = beside.find((file) => file === name || file === `${name}.index`);
  if (found !== undefined) throw new CliError('Usage', `${folder}/${found} is there already; --force replaces it`);
}

/** Optimizer slots and the counter of an object-based checkpoint, which its writer makes anew: no variables of the objects. */
const BOOKKEEPING = /\/\.OPTIMIZER_SLOT\/|^save_counter\//;

type Objects = Map<string, Objects | ArrayLike>;

/**
 * The tree of objects that an object-based checkpoint tracks: `a/b/kernel` is the `kernel` of the `b` of `a`. Maps, since a
 * stranger's tensor may be called `__proto__`.
 */
async function objectTree(checkpoint: Checkpoint, tensors: AsyncIterable<NamedArray>): Promise<Objects> {
  const root: Objects = new Map();
  for await (const { name, ...array } of tensors) {
    if (BOOKKEEPING.test(name)) continue;
    const path = objectPath(name).split('/');
    const last = path.pop()!;
    let node = root;
    for (const word of path) {
      const next = node.get(word) ?? new Map();
      if (!(next instanceof Map)) throw conflict(checkpoint, name);
      node.set(word, next);
      node = next;
    }
    if (node.has(last)) throw conflict(checkpoint, name);
    node.set(last, array);
  }
  return root;
}

function conflict(checkpoint: Checkpoint, name: string): CliError {
  const why = 'is both a tensor and the beginning of other names; rename one of them (--rename)';
  return new CliError('Usage', `${checkpoint.location}: ${name} ${why}`);
}

async function* selected(checkpoint: Checkpoint, part: string, terminal: Terminal): AsyncGenerator<NamedArray> {
  let done = 0;
  for await (const tensor of checkpoint.tensors(({ name }) => name.includes(part))) {
    terminal.progress(`${++done}: ${tensor.name}`);
    yield tensor;
  }
}

/** `tfparity convert FROM TO`: a checkpoint in another format. */
export const convert: CommandRun = async ([from, to], options, terminal) => {
  const format = formatOf(to!, options);
  if (!options['force']) refuseExisting(to!);
  const { openCheckpoint, writeCheckpoint, writeObjectCheckpoint } = await import('@tfparity/checkpoint');
  const checkpoint = await openArrays(from!, options);
  const part = textOption(options, 'filter') ?? '';
  try {
    const count = checkpoint.entries.filter(({ name }) => name.includes(part)).length;
    if (count === 0) throw new CliError('Usage', `${from} has no tensor whose name contains '${part}'`);
    const tensors = selected(checkpoint, part, terminal);
    if (format === 'object')
      await writeObjectCheckpoint(to!, Object.fromEntries(await objectTree(checkpoint, tensors)));
    else await writeCheckpoint(to!, part === '' ? checkpoint : tensors, { format: format satisfies WriteFormat });
    const written = await openCheckpoint(to!);
    const bytes = written.entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const data = { from, to, format, tensors: written.entries.length, bytes };
    await written.close();
    const line = `${to}: ${written.format}, ${data.tensors} tensors, ${bytesText(bytes)}`;
    return { outcome: 'same', data, lines: [verdictLine(terminal, 'same', line)] };
  } finally {
    await checkpoint.close();
  }
};
