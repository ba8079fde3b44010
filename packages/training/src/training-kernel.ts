import * as tf from '@tensorflow/tfjs-core';
import type { NodeBackend } from './native-update.js';

const BACKENDS = ['tensorflow', 'wasm', 'cpu', 'webgl', 'webgpu'];

/** An output of a kernel of ours. */
export interface PortableOutput {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A kernel of float32 tensors: TensorFlow's own op where it is to be had, else TypeScript. */
export interface TrainingKernel {
  readonly name: string;
  readonly native: {
    readonly op: string;
    /** The names of the inputs in the op's order. */
    readonly inputs: readonly string[];
    readonly outputs: number;
    readonly strings?: Readonly<Record<string, string>>;
  };
  readonly portable: (inputs: readonly tf.TensorInfo[], read: (input: number) => Float32Array) => PortableOutput[];
  readonly gradient?: tf.GradConfig;
}

interface PortableBackend {
  readSync(dataId: tf.DataId): Float32Array;
  write(values: Float32Array, shape: number[], dtype: tf.DataType): tf.DataId;
}

const defined = new Set<string>();

/** Registers a kernel on every backend, once, on first use; one that is there already stays as it is. */
export function defineKernel(kernel: TrainingKernel): void {
  const { name, native, portable, gradient } = kernel;
  if (defined.has(name)) return;
  defined.add(name);
  const ordered = (inputs: tf.NamedTensorInfoMap) => native.inputs.map((input) => inputs[input] as tf.TensorInfo);
  const runNative = (inputs: tf.NamedTensorInfoMap, backend: NodeBackend): tf.Tensor | tf.Tensor[] => {
    const { binding } = backend;
    const attributes = [
      { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
      ...Object.entries(native.strings ?? {}).map(([key, value]) => ({
        name: key,
        type: binding.TF_ATTR_STRING,
        value,
      })),
    ];
    const outputs = backend.executeMultipleOutputs(native.op, attributes, ordered(inputs), native.outputs);
    return native.outputs === 1 ? outputs[0]! : outputs;
  };
  const runPortable = (inputs: tf.NamedTensorInfoMap, backend: PortableBackend): tf.TensorInfo | tf.TensorInfo[] => {
    const infos = ordered(inputs);
    const outputs = portable(infos, (i) => backend.readSync(infos[i]!.dataId)).map(({ shape, values }) => ({
      dataId: backend.write(values, [...shape], 'float32'),
      shape: [...shape],
      dtype: 'float32' as const,
    }));
    return native.outputs === 1 ? outputs[0]! : outputs;
  };
  for (const backendName of BACKENDS) {
    if (tf.getKernel(name, backendName) !== undefined) continue;
    tf.registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, backend }) =>
        backendName === 'tensorflow'
          ? runNative(inputs, backend as NodeBackend)
          : runPortable(inputs, backend as PortableBackend),
    });
  }
  if (gradient !== undefined && tf.getGradient(name) === undefined) tf.registerGradient(gradient);
}
