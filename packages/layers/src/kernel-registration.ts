import {
  type DataId,
  type DataType,
  type GradConfig,
  getGradient,
  getKernel,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  registerGradient,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';

/** The backends that a kernel is registered for; `tensorflow` is tfjs-node's. */
const BACKENDS = ['tensorflow', 'wasm', 'cpu', 'webgl', 'webgpu'] as const;

/** What a kernel is given, and gives. */
export type KernelBody = (
  inputs: NamedTensorInfoMap,
  attributes: NamedAttrMap,
  backend: unknown,
  backendName: string,
) => TensorInfo | TensorInfo[];

const registered = new Set<string>();

/**
 * Registers a kernel on every backend, once: TensorFlow's own where it is to be had, else the TypeScript body.
 *
 * Done on first use, because nothing may happen at import. A kernel that another copy of this package (or tfjs itself)
 * has registered stays as it is.
 */
export function ensureKernel(name: string, native: KernelBody, portable: KernelBody, gradient?: GradConfig): void {
  if (registered.has(name)) return;
  registered.add(name);
  for (const backendName of BACKENDS) {
    if (getKernel(name, backendName) !== undefined) continue;
    const body = backendName === 'tensorflow' ? native : portable;
    const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => body(inputs, attrs ?? {}, backend, backendName);
    registerKernel({ kernelName: name, backendName, kernelFunc });
  }
  if (gradient !== undefined && getGradient(name) === undefined) registerGradient(gradient);
}

interface PortableBackend {
  readSync(dataId: DataId): Float32Array;
  write(values: Float32Array, shape: number[], dtype: DataType): DataId;
  incRef(dataId: DataId): void;
}

/** The float32 values of a kernel's input. */
export function readValues(backend: unknown, input: TensorInfo): Float32Array {
  return (backend as PortableBackend).readSync(input.dataId);
}

/** A kernel's output that holds these values; they must not be changed afterwards. */
export function makeOutput(backend: unknown, shape: readonly number[], values: Float32Array): TensorInfo {
  const dataId = (backend as PortableBackend).write(values, [...shape], 'float32');
  return { dataId, shape: [...shape], dtype: 'float32' };
}

/** A kernel's output that is its input, unchanged. */
export function passThrough(backend: unknown, input: TensorInfo): TensorInfo {
  (backend as PortableBackend).incRef(input.dataId);
  return { dataId: input.dataId, shape: input.shape, dtype: input.dtype };
}
