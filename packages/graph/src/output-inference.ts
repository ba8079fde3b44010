import * as tf from '@tensorflow/tfjs-core';
import { releaseStreams } from '@tfparity/random';
import { exactKey } from './exact-key.js';
import type { Graph } from './graph.js';
import { GraphError, isGraphError } from './graph-error.js';
import type { Attributes, OutputInfo, OutputRef } from './operation.js';
import { knownOutputs } from './shape-functions.js';
import { isUnknown, resolvedAttrs } from './unknown-sizes.js';

/** The outputs of a kernel call. */
export interface InferredOutputs {
  readonly outputs: readonly OutputInfo[];
  readonly returnsArray: boolean;
  /** Whether sizes of the inputs, or sizes that the attributes were worked out from, are unknown. */
  readonly dynamic?: boolean;
}

/** A kernel call of which the outputs are looked for. */
export interface KernelCall {
  readonly type: string;
  /** The names under which the kernel takes its inputs; null where it takes an array. */
  readonly inputNames: readonly string[] | null;
  readonly inputs: readonly OutputRef[];
  readonly attrs: tf.NamedAttrMap;
}

/** A call with the shapes of its inputs at one trial of the unknown sizes. */
interface TriedCall extends KernelCall {
  readonly infos: readonly OutputInfo[];
}

const SHAPE_STREAM = 'shapes/';

/** Constants whose values may decide an output's shape: sizes and indices, never long. */
const MAX_VALUES = 4096;

function decidingValues(ref: OutputRef): ArrayLike<unknown> | undefined {
  const { op } = ref;
  if (op.type !== 'Const' || op.outputInfos[0]!.dtype === 'float32') return undefined;
  const values = op.attrs['value'] as ArrayLike<unknown>;
  return values.length <= MAX_VALUES ? values : undefined;
}

function memoKey(backend: string, { type, inputNames, inputs, infos, attrs }: TriedCall): string {
  const described = inputs.map((ref, i) => {
    const { dtype, shape } = infos[i]!;
    const values = decidingValues(ref);
    return [dtype, shape, values === undefined ? 0 : Array.from(values as ArrayLike<number>)];
  });
  return exactKey([backend, type, attrs, inputNames, described]);
}

/**
 * Shapes and dtypes of what a kernel returns: by its rule where there is one, else by running the real backend's kernel
 * on zeros (with the true values of small constants that are not float32), once for each kind of call. Where sizes are
 * unknown, this is done at two trials of them, and what differs there is unknown.
 *
 * @throws {GraphError} `Failed` where the outputs cannot be told
 */
export function inferOutputs(graph: Graph, call: KernelCall): InferredOutputs {
  const infos = call.inputs.map((ref) => ref.op.outputInfos[ref.index]!);
  const dynamic = infos.some(({ tried }) => tried !== undefined) || graph.unknowns.showIn(call.attrs);
  return dynamic ? inferUnknown(graph, { ...call, infos }) : inferKnown(graph, { ...call, infos });
}

function inferUnknown(graph: Graph, call: TriedCall): InferredOutputs {
  const { type, infos } = call;
  const [one, other] = ([0, 1] as const).map((trial) => inferTrial(graph, call, trial)) as [
    InferredOutputs,
    InferredOutputs,
  ];
  if (one.outputs.length !== other.outputs.length) {
    throw undecided(type, `how many outputs it has (${one.outputs.length} or ${other.outputs.length})`);
  }
  const named = call.inputNames ?? infos.map((_, i) => String(i));
  const known = knownOutputs(type, named, infos, call.attrs);
  const outputs = one.outputs.map(({ dtype, shape }, i): OutputInfo => {
    const tried = [shape, other.outputs[i]!.shape] as const;
    const axes = shape.map((_, axis) => axis);
    if (tried[0].length !== tried[1].length) throw undecided(type, `the rank of output ${i}`);
    const recorded = known?.[i]?.shape ?? axes.map((axis) => recordedSize(graph, call, tried, axis));
    const unsure = axes.find((axis) => !isUnknown(tried, axis) && recorded[axis] !== shape[axis]);
    if (unsure !== undefined) throw undecided(type, `the size of axis ${unsure} of output ${i}`);
    return axes.some((axis) => isUnknown(tried, axis)) ? { dtype, shape: recorded, tried } : { dtype, shape };
  });
  return { outputs, returnsArray: one.returnsArray, dynamic: true };
}

function inferTrial(graph: Graph, call: TriedCall, trial: 0 | 1): InferredOutputs {
  const { unknowns } = graph;
  const { type, attrs, infos } = call;
  const tried = infos.map((info) => (info.tried === undefined ? info : { ...info, shape: info.tried[trial] }));
  const shapes = tried.map(({ shape }) => shape);
  try {
    const resolved = resolvedAttrs(
      unknowns,
      { type, attrs: attrs as Attributes, inputs: infos },
      shapes,
      unknowns.atTrial(trial),
    );
    const found = inferKnown(graph, { ...call, infos: tried, attrs: resolved as tf.NamedAttrMap });
    const negative = found.outputs.find(({ shape }) => shape.some((size) => size < 0));
    if (negative !== undefined) throw new GraphError('Failed', `the output has shape [${negative.shape}]`);
    return found;
  } catch (error) {
    if (isGraphError(error) && error.code !== 'Failed') throw error;
    const given = shapes.map((shape) => `[${shape}]`).join(', ');
    throw new GraphError(
      'Failed',
      `${type} of ${given}: ${(error as Error).message} (sizes that are unknown are tried at small ones; a placeholder's option 'sample' chooses others)`,
      { kernel: type, shapes },
      { cause: error },
    );
  }
}

/** The number that stands for a size which the two trials show: a known or noted one, a multiple or a neighbour of it. */
function recordedSize(
  graph: Graph,
  { type, infos }: TriedCall,
  tried: NonNullable<OutputInfo['tried']>,
  axis: number,
): number {
  const [one, other] = [tried[0][axis]!, tried[1][axis]!];
  if (one === other) return one;
  const found = new Set<number>();
  const consider = (recorded: number, first: number, second: number): void => {
    if (first === second) return;
    if ((recorded * one) % first === 0 && one * second === other * first) found.add((recorded * one) / first);
    else if (one - first === other - second) found.add(recorded + one - first);
  };
  for (const info of infos) {
    info.shape.forEach((recorded, i) => {
      if (info.tried !== undefined) consider(recorded, info.tried[0][i]!, info.tried[1][i]!);
    });
    if (info.tried !== undefined && found.size === 0)
      consider(sizeOf(info.shape), sizeOf(info.tried[0]), sizeOf(info.tried[1]));
  }
  if (found.size === 0) {
    for (const { recorded, trials } of graph.unknowns.noted) consider(recorded, trials[0], trials[1]);
  }
  // Sizes of two inputs that are tried at the same numbers, but are not one: which it is cannot be told.
  if (found.size !== 1) throw undecided(type, `a size that is ${one} or ${other} when unknown sizes are tried`);
  return [...found][0]!;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, axis) => size * axis, 1);

function undecided(kernel: string, what: string): GraphError {
  return new GraphError(
    'Failed',
    `${kernel}: sizes of its inputs are unknown while the graph is built, and so is ${what}; give the placeholder its sizes`,
    { kernel },
  );
}

function inferKnown(graph: Graph, call: TriedCall): InferredOutputs {
  const { type, inputNames, inputs, infos, attrs } = call;
  const backend = graph.backendName;
  if (tf.getKernel(type, backend) == null) {
    throw new GraphError('Failed', `Kernel '${type}' not registered for backend '${backend}'`, {
      kernel: type,
      backend,
    });
  }
  const named = inputNames ?? infos.map((_, i) => String(i));
  const known = knownOutputs(type, named, infos, attrs);
  if (known !== undefined) return { outputs: known, returnsArray: false };
  // A random kernel that is run for its shapes draws from a stream that no op has.
  const called = attrs['stream'] === undefined ? attrs : { ...attrs, stream: SHAPE_STREAM };
  const key = memoKey(backend, { ...call, attrs: called });
  const found = graph.inferred.get(key);
  if (found !== undefined) return found;
  const made = graph.eagerly(() =>
    tf.tidy(() => {
      const samples = inputs.map((ref, i) => sampleOf(ref, infos[i]!));
      const given =
        inputNames === null ? samples : Object.fromEntries(inputNames.map((name, i) => [name, samples[i]!]));
      const result = tf.engine().runKernel(type, given as unknown as tf.NamedTensorMap, called) as
        | tf.Tensor
        | tf.Tensor[];
      const outputs = (Array.isArray(result) ? result : [result]).map(({ dtype, shape }) => ({ dtype, shape }));
      return { outputs, returnsArray: Array.isArray(result) };
    }),
  );
  if (called !== attrs) releaseStreams(SHAPE_STREAM);
  graph.inferred.set(key, made);
  return made;
}

function sampleOf(ref: OutputRef, info: OutputInfo): tf.Tensor {
  const values = decidingValues(ref);
  const dtype = info.dtype as tf.DataType;
  if (values !== undefined) return tf.engine().makeTensor(values as tf.DataValues, [...info.shape], dtype);
  // A scalar may be a rate, which some kernels want to be positive.
  return dtype === 'float32' && info.shape.length === 0 ? tf.scalar(1) : tf.zeros([...info.shape], dtype);
}
