import * as tf from '@tensorflow/tfjs-core';
import { releaseStreams } from '@tfparity/random';
import { exactKey } from './exact-key.js';
import type { Graph } from './graph.js';
import { GraphError } from './graph-error.js';
import type { OutputInfo, OutputRef } from './operation.js';
import { knownOutputs } from './shape-functions.js';

/** The outputs of a kernel call. */
export interface InferredOutputs {
  readonly outputs: readonly OutputInfo[];
  readonly returnsArray: boolean;
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

function memoKey(
  backend: string,
  kernelName: string,
  names: readonly string[],
  refs: readonly OutputRef[],
  attrs: tf.NamedAttrMap,
): string {
  const inputs = refs.map((ref, i) => {
    const { dtype, shape } = ref.op.outputInfos[ref.index]!;
    const values = decidingValues(ref);
    return [names[i], dtype, shape, values === undefined ? 0 : Array.from(values as ArrayLike<number>)];
  });
  return exactKey([backend, kernelName, attrs, inputs]);
}

/**
 * Shapes and dtypes of what a kernel returns: by its rule where there is one, else by running the real backend's kernel
 * on zeros (with the true values of small constants that are not float32), once for each kind of call.
 */
export function inferOutputs(
  graph: Graph,
  kernelName: string,
  names: readonly string[],
  refs: readonly OutputRef[],
  attrs: tf.NamedAttrMap,
  isArray: boolean,
): InferredOutputs {
  const backend = graph.backendName;
  const kernel = tf.getKernel(kernelName, backend);
  if (kernel == null) {
    throw new GraphError('Failed', `Kernel '${kernelName}' not registered for backend '${backend}'`, {
      kernel: kernelName,
      backend,
    });
  }
  const infos = refs.map((ref) => ref.op.outputInfos[ref.index]!);
  const known = knownOutputs(kernelName, names, infos, attrs);
  if (known !== undefined) return { outputs: known, returnsArray: false };
  // A random kernel that is run for its shapes draws from a stream that no op has.
  const called = attrs['stream'] === undefined ? attrs : { ...attrs, stream: SHAPE_STREAM };
  const key = memoKey(backend, kernelName, names, refs, called);
  const found = graph.inferred.get(key);
  if (found !== undefined) return found;
  const made = graph.eagerly(() =>
    tf.tidy(() => {
      const samples = refs.map((ref, i) => sampleOf(ref, infos[i]!));
      const inputs = isArray ? samples : Object.fromEntries(names.map((name, i) => [name, samples[i]!]));
      const result = tf.engine().runKernel(kernelName, inputs as unknown as tf.NamedTensorMap, called) as
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
