// TensorFlow's random ops as TensorFlow.js kernels: TF's own on the `tensorflow` backend, `RandomOp` (the same bits) elsewhere.
import * as tf from '@tensorflow/tfjs-core';
import { type NdArray, sizeOf } from '@tfparity/array';
import { checkRates } from './distributions/poisson.js';
import { RandomError } from './random-error.js';
import { RandomOp, type RandomOpName } from './random-op.js';
import { nativeStream, randomState } from './random-states.js';
import type { Seed } from './seed-context.js';

/** Attributes of every stateful random kernel. */
export interface RandomKernelAttrs {
  /** The shape of the result (`RandomGamma`, `RandomPoissonV2`: in front of the shape of alpha or rate); absent where the inputs say it. */
  readonly shape?: readonly number[];
  readonly dtype: RandomDType;
  readonly seed: Seed;
  readonly seed2: Seed;
  /** Names the generator state: the same op, attributes and stream go on with one Philox stream. */
  readonly stream: string;
  /** `RandomUniformInt`: bounds. */
  readonly minval?: number;
  readonly maxval?: number;
  /** `RandomCategorical` (TensorFlow's `Multinomial`): samples per row. */
  readonly numSamples?: number;
}

/** Attributes of the stateless kernels. */
export interface StatelessKernelAttrs {
  readonly shape: readonly number[];
  readonly dtype: RandomDType;
  readonly seed: readonly [Seed, Seed];
  readonly minval?: number;
  readonly maxval?: number;
}

/** The dtypes that a TensorFlow.js tensor of random numbers can have; `RandomOp` of `@tfparity/random/philox` draws every other. */
export type RandomDType = 'float32' | 'int32';

/**
 * The random kernels by their TensorFlow.js names. They are TensorFlow's op names but for `RandomCategorical`, which
 * runs `Multinomial`: TensorFlow.js has a kernel of that name, with other attributes.
 */
export const RANDOM_KERNELS = [
  'RandomUniform',
  'RandomUniformInt',
  'RandomStandardNormal',
  'TruncatedNormal',
  'RandomShuffle',
  'RandomCategorical',
  'RandomGamma',
  'RandomPoissonV2',
  'StatelessRandomUniform',
  'StatelessRandomNormal',
  'StatelessTruncatedNormal',
  'StatelessRandomUniformInt',
] as const;

/** One of `RANDOM_KERNELS`. */
export type RandomKernel = (typeof RANDOM_KERNELS)[number];

const BACKENDS = ['tensorflow', 'wasm', 'cpu', 'webgl', 'webgpu'];

type Inputs = Readonly<Record<string, tf.TensorInfo>>;
type OpAttr = { name: string; type: unknown; value: unknown };

/** What is used of tfjs-node's backend. */
interface NodeBackend extends tf.KernelBackend {
  readonly binding: Readonly<
    Record<'TF_ATTR_INT' | 'TF_ATTR_TYPE' | 'TF_ATTR_STRING' | 'TF_FLOAT' | 'TF_INT32', number>
  >;
  executeSingleOutput(op: string, attrs: OpAttr[], inputs: tf.TensorInfo[]): tf.Tensor;
}

let registered = false;

/** Registers the kernels, once, for every backend that TensorFlow.js has; called by every function that draws. */
export function registerRandomKernels(): void {
  if (registered) return;
  registered = true;
  for (const kernelName of RANDOM_KERNELS) {
    for (const backendName of BACKENDS) {
      if (tf.getKernel(kernelName, backendName) !== undefined) continue;
      tf.registerKernel({
        kernelName,
        backendName,
        kernelFunc: ({ inputs, attrs, backend }) =>
          runKernel(kernelName, inputs as Inputs, attrs as unknown as RandomKernelAttrs, backend as tf.KernelBackend),
      });
    }
  }
}

function runKernel(
  name: RandomKernel,
  inputs: Inputs,
  attrs: RandomKernelAttrs,
  backend: tf.KernelBackend,
): tf.TensorInfo {
  if (isNodeBackend(backend) && fitsNode(attrs)) {
    if (name === 'RandomPoissonV2' && sizeOf(attrs.shape ?? []) > 0) {
      checkRates(backend.readSync((inputs['rate'] as tf.TensorInfo).dataId) as Float32Array, attrs.dtype);
    }
    return runNative(name, inputs, attrs, backend);
  }
  return upload(draw(name, inputs, attrs, backend), attrs.dtype, backend);
}

function isNodeBackend(backend: tf.KernelBackend): backend is NodeBackend {
  return 'executeSingleOutput' in backend && 'binding' in backend;
}

/** tfjs-node's addon takes an attribute's integer from a JS number; what a number can't hold exactly is drawn here. */
function fitsNode(attrs: RandomKernelAttrs | StatelessKernelAttrs): boolean {
  if (typeof attrs.seed === 'object') return attrs.seed.every((s) => Number(s) === (Number(s) | 0));
  return typeof attrs.seed === 'number' && typeof (attrs as RandomKernelAttrs).seed2 === 'number';
}

const NATIVE_OPS: Partial<Record<RandomKernel, string>> = { RandomCategorical: 'Multinomial' };
/** What TensorFlow calls the type attributes: of the shape (or seed), and of the numbers. */
const TYPE_ATTRS: Record<RandomKernel, { shape?: string; dtype?: string; input?: string }> = {
  RandomUniform: { shape: 'T', dtype: 'dtype' },
  RandomUniformInt: { shape: 'T', dtype: 'Tout' },
  RandomStandardNormal: { shape: 'T', dtype: 'dtype' },
  TruncatedNormal: { shape: 'T', dtype: 'dtype' },
  RandomShuffle: { input: 'T' },
  RandomCategorical: { dtype: 'output_dtype', input: 'T' },
  RandomGamma: { shape: 'S', input: 'T' },
  RandomPoissonV2: { shape: 'S', input: 'R', dtype: 'dtype' },
  StatelessRandomUniform: { shape: 'T', dtype: 'dtype' },
  StatelessRandomNormal: { shape: 'T', dtype: 'dtype' },
  StatelessTruncatedNormal: { shape: 'T', dtype: 'dtype' },
  StatelessRandomUniformInt: { shape: 'T', dtype: 'dtype' },
};

function runNative(name: RandomKernel, inputs: Inputs, attrs: RandomKernelAttrs, backend: NodeBackend): tf.TensorInfo {
  const { binding } = backend;
  const typeOf = (dtype: string) => (dtype === 'int32' ? binding.TF_INT32 : binding.TF_FLOAT);
  const names = TYPE_ATTRS[name];
  const input = Object.values(inputs)[0];
  const list: OpAttr[] = [];
  const int = (attr: string, value: unknown) => list.push({ name: attr, type: binding.TF_ATTR_INT, value });
  const type = (attr: string | undefined, value: number) => {
    if (attr !== undefined) list.push({ name: attr, type: binding.TF_ATTR_TYPE, value });
  };
  type(names.shape, binding.TF_INT32);
  type(names.dtype, typeOf(attrs.dtype));
  if (input !== undefined) type(names.input, typeOf(input.dtype));
  const made: tf.Tensor[] = [];
  const ints = (values: readonly number[]) => {
    const tensor = tf.tensor1d([...values], 'int32');
    made.push(tensor);
    return tensor;
  };
  const scalar = (value: number) => {
    const tensor = tf.scalar(value, 'int32');
    made.push(tensor);
    return tensor;
  };
  try {
    const args: tf.TensorInfo[] = attrs.shape === undefined ? [] : [ints(attrs.shape)];
    if (name.startsWith('Stateless')) {
      type('Tseed', binding.TF_INT32);
      args.push(ints((attrs as unknown as StatelessKernelAttrs).seed.map(Number)));
    } else {
      int('seed', attrs.seed);
      int('seed2', attrs.seed2);
      // TensorFlow ignores attributes whose names begin with '_', but its cache of eager kernels, where an op's state
      // lives, is keyed by them too: another stream is another kernel, which starts afresh.
      list.push({ name: '_stream', type: binding.TF_ATTR_STRING, value: nativeStream(attrs.stream) });
    }
    if (input !== undefined) args.push(input);
    if (attrs.numSamples !== undefined) args.push(scalar(attrs.numSamples));
    if (attrs.minval !== undefined && attrs.maxval !== undefined) args.push(scalar(attrs.minval), scalar(attrs.maxval));
    return backend.executeSingleOutput(NATIVE_OPS[name] ?? name, list, args);
  } catch (cause) {
    throw refused(name, attrs, cause);
  } finally {
    for (const tensor of made) tensor.dispose();
  }
}

/** What TensorFlow says about an op that it does not run, as this package's error. */
function refused(name: RandomKernel, attrs: RandomKernelAttrs, cause: unknown): RandomError {
  if (cause instanceof RandomError) return cause;
  const op = NATIVE_OPS[name] ?? name;
  const { shape, dtype } = attrs;
  const words = cause instanceof Error ? cause.message : String(cause);
  return new RandomError('InvalidArgument', `${op}: TensorFlow refused it: ${words}`, { op, shape, dtype }, { cause });
}

function draw(name: RandomKernel, inputs: Inputs, attrs: RandomKernelAttrs, backend: tf.KernelBackend): NdArray {
  const read = (key: string): NdArray => {
    const info = inputs[key] as tf.TensorInfo;
    return { dtype: info.dtype as 'float32', shape: info.shape, data: backend.readSync(info.dataId) as Float32Array };
  };
  const { shape = [], minval = 0, maxval = 0, numSamples = 0, dtype, seed, seed2, stream } = attrs;
  const state = (op: RandomOpName) => randomState(stream, op, { seed, seed2, dtype });
  switch (name) {
    case 'RandomUniformInt':
      return state(name).draw({ shape, minval, maxval });
    case 'RandomShuffle':
      return state(name).draw({ value: read('value') });
    case 'RandomCategorical':
      return state('Multinomial').draw({ logits: read('logits'), numSamples });
    case 'RandomGamma':
      return state(name).draw({ shape, alpha: read('alpha') });
    case 'RandomPoissonV2':
      return state(name).draw({ shape, rate: read('rate') });
    case 'RandomUniform':
    case 'RandomStandardNormal':
    case 'TruncatedNormal':
      return state(name).draw({ shape });
    default: {
      const { seed: seeds } = attrs as unknown as StatelessKernelAttrs;
      return new RandomOp(name, { dtype }).draw({
        shape,
        seed: seeds,
        ...(name === 'StatelessRandomUniformInt' ? { minval, maxval } : {}),
      });
    }
  }
}

function upload(array: NdArray, dtype: RandomDType, backend: tf.KernelBackend): tf.TensorInfo {
  const { data } = array;
  if (!(data instanceof Float32Array || data instanceof Int32Array)) {
    throw new RandomError('InvalidDType', `a ${array.dtype} draw can't become a TensorFlow.js tensor`, {
      dtype: array.dtype,
    });
  }
  const shape = [...array.shape];
  return { dataId: backend.write(data, shape, dtype), shape, dtype };
}
