import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatShape } from '@tfparity/array';
import type { Checkpoint } from '@tfparity/checkpoint';
import type { GraphInspection, GraphTensorInfo } from '@tfparity/graph';
import { CliError } from '../cli-error.js';
import type { CommandOptions, CommandResult, CommandRun } from '../command.js';
import { textOption } from '../command-options.js';
import { readJson } from '../result-files.js';
import { kindOf, objectPath, openArrays } from '../sources.js';
import { type TreeTensor, treeLines } from '../tensor-tree.js';
import { bytesText, type Terminal, verdictLine } from '../terminal.js';
import { statisticsText, type ValueStatistics, valueStatistics } from '../value-statistics.js';

/** A tensor's line in `--json`. */
interface InspectedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly fullName?: string;
  readonly slices?: number;
  readonly values?: ValueStatistics | null;
}

async function readValues(checkpoint: Checkpoint, filter: (name: string) => boolean, terminal: Terminal) {
  const values = new Map<string, ValueStatistics | undefined>();
  for await (const tensor of checkpoint.tensors((entry) => filter(entry.name))) {
    terminal.progress(`${values.size + 1}: ${tensor.name}`);
    values.set(tensor.name, valueStatistics(tensor));
  }
  return values;
}

async function inspectCheckpoint(path: string, options: CommandOptions, terminal: Terminal): Promise<CommandResult> {
  const checkpoint = await openArrays(path);
  const part = textOption(options, 'filter') ?? '';
  const filter = (name: string): boolean => name.includes(part);
  try {
    const values = options['values'] ? await readValues(checkpoint, filter, terminal) : undefined;
    const tensors = checkpoint.entries
      .filter(({ name }) => filter(name))
      .map(
        ({ name, dtype, shape, bytes, fullName, slices }): InspectedTensor => ({
          name,
          dtype,
          shape,
          bytes,
          ...(fullName === undefined ? {} : { fullName }),
          ...(slices === undefined ? {} : { slices: slices.length }),
          ...(values === undefined ? {} : { values: values.get(name) ?? null }),
        }),
      );
    const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
    const elements = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
    const { format } = checkpoint;
    const unreadable = checkpoint.unreadable.filter(({ name }) => filter(name));
    const head = `${basename(path)}: ${format}, ${tensors.length} tensors, ${elements.toLocaleString('en-US')} values, ${bytesText(bytes)}`;
    const shown = tensors.map((tensor): TreeTensor => {
      return { ...tensor, name: objectPath(tensor.name), note: noteOf(tensor) };
    });
    const room = options['all'] ? Number.POSITIVE_INFINITY : terminal.rows - 5;
    return {
      outcome: 'same',
      data: {
        format,
        location: checkpoint.location,
        tensors: tensors.length,
        elements,
        bytes,
        entries: tensors,
        unreadable,
      },
      lines: [verdictLine(terminal, 'same', head), ...unreadableLines(unreadable), ...treeLines(shown, room)],
    };
  } finally {
    await checkpoint.close();
  }
}

function unreadableLines(unreadable: Checkpoint['unreadable']): string[] {
  const lines = unreadable.slice(0, 3).map(({ name, dtype }) => `  not read here: ${name} (${dtype})`);
  return unreadable.length > 3 ? [...lines, `  … and ${unreadable.length - 3} more that are not read here`] : lines;
}

function noteOf({ fullName, slices, values }: InspectedTensor): string {
  const notes = [
    fullName === undefined ? '' : `= ${fullName}`,
    slices === undefined ? '' : `${slices} slices`,
    values === undefined ? '' : statisticsText(values ?? undefined),
  ];
  return notes.filter(Boolean).join('; ');
}

function graphLines(path: string, graph: GraphInspection, room: number): string[] {
  const tensor = ({ name, dtype, shape }: GraphTensorInfo): string =>
    `${name} ${dtype} ${shape === null ? '(any shape)' : formatShape(shape)}`;
  const most = Math.max(3, Math.floor(room / 7));
  const list = (title: string, items: readonly string[]): string[] => {
    if (items.length === 0) return [];
    const rest = items.length > most ? [`    … and ${items.length - most} more`] : [];
    return [`  ${title} (${items.length}):`, ...items.slice(0, most).map((item) => `    ${item}`), ...rest];
  };
  const ops = graph.ops
    .slice(0, 12)
    .map(({ op, count }) => `${op} ${count}`)
    .join(', ');
  const unseeded = graph.random.filter(({ seed, seed2 }) => seed === '0' && seed2 === '0').length;
  const seeds = graph.random.map(({ name, op, seed, seed2 }) => `${name} ${op} (seed ${seed}, seed2 ${seed2})`);
  return [
    `${basename(path)}: graph of ${graph.nodes} nodes, ${graph.ops.length} kinds of op, ${graph.variables.length} variables`,
    ...list(
      'unsafe ops',
      graph.unsafeOps.map(({ op, node, reason }) => `${op} at ${node}: ${reason}`),
    ),
    ...list('unknown ops', graph.unknownOps),
    `  ops: ${ops}${graph.ops.length > 12 ? ', …' : ''}`,
    ...list('inputs', graph.inputs.map(tensor)),
    ...list('outputs', outputsFirst(graph.outputs).map(tensor)),
    ...list(
      'variables',
      graph.variables.map(({ name, dtype, shape }) => `${name} ${dtype} ${formatShape(shape)}`),
    ),
    ...list(unseeded > 0 ? `random ops, ${unseeded} without a seed` : 'random ops', seeds),
    ...list('signatures', graph.signatures),
    ...list('GPU-only nodes (NCHW)', graph.nchw),
    ...list('functions', graph.functions),
  ];
}

/** What savers and initializers read of each variable stands after the outputs that a person looks for. */
function outputsFirst(outputs: readonly GraphTensorInfo[]): readonly GraphTensorInfo[] {
  const ofVariable = ({ name }: GraphTensorInfo): boolean =>
    /\/(VarIsInitializedOp|ReadVariableOp)(_\d+)?:0$/.test(name);
  return [...outputs].sort((a, b) => Number(ofVariable(a)) - Number(ofVariable(b)));
}

async function inspectGraphFile(path: string, options: CommandOptions, terminal: Terminal): Promise<CommandResult> {
  if (options['values']) throw new CliError('Usage', '--values is for checkpoints; a graph is shown by its ops');
  const { inspectGraph } = await import('@tfparity/graph');
  const graph = inspectGraph(path);
  const [head, ...lines] = graphLines(path, graph, options['all'] ? Number.POSITIVE_INFINITY : terminal.rows - 12);
  return { outcome: 'same', data: graph, lines: [verdictLine(terminal, 'same', head!), ...lines] };
}

async function inspectSavedModel(path: string, options: CommandOptions, terminal: Terminal): Promise<CommandResult> {
  const graph = await inspectGraphFile(path, {}, terminal);
  // A SavedModel may hold no variables, and then is its graph alone; variables that cannot be read are no such case.
  const folder = join(path, 'variables');
  if (!existsSync(folder) || !readdirSync(folder).some((file) => file.startsWith('variables.'))) {
    if (options['values']) throw new CliError('NotFound', `${path} holds no variables`);
    return graph;
  }
  const checkpoint = await inspectCheckpoint(path, options, terminal);
  return {
    outcome: 'same',
    data: { graph: graph.data, variables: checkpoint.data },
    lines: [...checkpoint.lines, ...graph.lines],
  };
}

/** `tfparity inspect FILE`: what is in a checkpoint, a model file, a SavedModel or a graph. */
export const inspect: CommandRun = async ([path], options, terminal) => {
  const kind = kindOf(path!);
  if (kind === 'graph') return inspectGraphFile(path!, options, terminal);
  if (kind === 'saved-model') return inspectSavedModel(path!, options, terminal);
  if (kind === 'checkpoint') return inspectCheckpoint(path!, options, terminal);
  const { captureInventory } = await import('@tfparity/inventory');
  const inventory = captureInventory(readJson(path!) as object);
  const tensors = inventory.entries.map(({ name, dtype, shape }) => ({ name, dtype: dtype ?? '?', shape }));
  const head = `${basename(path!)}: ${inventory.source}, ${tensors.length} tensors`;
  const room = options['all'] ? Number.POSITIVE_INFINITY : terminal.rows - 5;
  return {
    outcome: 'same',
    data: inventory,
    lines: [verdictLine(terminal, 'same', head), ...treeLines(tensors, room)],
  };
};
