import * as tf from '@tensorflow/tfjs-core';
import { DTYPES, type DType, dtypeFromEnum, type NdArray, ndArray } from '@tfparity/array';
import { GraphError } from '../graph-error.js';

/** What the addon of `@tensorflow/tfjs-node` says of a tensor that it made. */
export interface TensorHandle {
  readonly id: number;
  readonly shape: number[];
  /** TensorFlow's `DataType`. */
  readonly dtype: number;
}

/** One attribute, as the addon's `executeOp` takes it. */
export interface AddonAttribute {
  readonly name: string;
  /** `TF_AttrType`. */
  readonly type: number;
  readonly value: unknown;
}

/** The addon of `@tensorflow/tfjs-node`: the part of TensorFlow's C API that JavaScript reaches. */
export interface Addon {
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_Version: string;
  createTensor(shape: readonly number[], dtype: number, values: ArrayBufferView | Uint8Array[]): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): unknown;
  executeOp(op: string, attributes: readonly AddonAttribute[], ids: readonly number[], outputs: number): TensorHandle[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(session: number, feedIds: readonly number[], feeds: string, fetches: string): TensorHandle[];
}

/** tfjs-node's backend: the calls through which its kernels reach TensorFlow. */
export interface NativeBackend {
  binding: Addon;
  getInputTensorIds(tensors: readonly unknown[]): number[];
  createOutputTensor(handle: TensorHandle): tf.Tensor;
}

const BACKEND = 'tensorflow';

/**
 * tfjs-node's backend.
 *
 * @throws {GraphError} `Unavailable` where no backend `tensorflow` is registered
 */
export function nativeBackend(): NativeBackend {
  const backend = tf.findBackend(BACKEND) as unknown as NativeBackend | null;
  if (backend?.binding?.runSavedModel === undefined) {
    throw new GraphError(
      'Unavailable',
      "a graph runs in TensorFlow's session only where the backend 'tensorflow' is loaded: import '@tensorflow/tfjs-node' first",
      { backend: BACKEND },
    );
  }
  return backend;
}

// What `tensorDataSync` reads as it is; other dtypes are read as their bytes.
const READABLE = new Set<DType>(['float32', 'int32', 'bool', 'int64', 'string', 'complex64']);

/**
 * Copies an array into a TensorFlow tensor of the same dtype, whichever it is. The caller deletes it, but not one of
 * strings that a session has seen: tfjs-node empties a deleted tensor's strings, which a variable may have kept.
 */
export function tensorFromArray(addon: Addon, array: NdArray): number {
  const { dtype, shape, data } = array;
  const { enumValue, itemSize } = DTYPES[dtype];
  if (Array.isArray(data)) return addon.createTensor(shape, enumValue, data);
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'uint8' || dtype === 'bool') {
    return addon.createTensor(shape, enumValue, data.slice());
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  if (dtype === 'int64') return addon.createTensor(shape, enumValue, new Int32Array(bytes.buffer));
  const raw = addon.createTensor(itemSize === 1 ? shape : [...shape, itemSize], DTYPES.uint8.enumValue, bytes);
  try {
    return bitcast(addon, raw, DTYPES.uint8.enumValue, enumValue);
  } finally {
    addon.deleteTensor(raw);
  }
}

/** The values of a TensorFlow tensor, exactly, whichever its dtype. The tensor stays. */
export function arrayFromTensor(addon: Addon, handle: TensorHandle): NdArray {
  const info = dtypeFromEnum(handle.dtype);
  if (info === undefined) {
    throw new GraphError(
      'WrongValue',
      `a tensor of TensorFlow's DataType ${handle.dtype} (a resource or a variant) has no values to read`,
      {
        dtype: handle.dtype,
      },
    );
  }
  if (READABLE.has(info.name)) return readArray(addon, handle, info.name);
  const { enumValue, itemSize, data: Data } = info;
  const wide = itemSize % 4 === 0;
  const raw = bitcast(addon, handle.id, enumValue, (wide ? DTYPES.int32 : DTYPES.uint8).enumValue);
  const words = wide ? raw : cast(addon, raw, DTYPES.uint8.enumValue, DTYPES.int32.enumValue);
  try {
    const values = addon.tensorDataSync(words) as Int32Array;
    const bytes = wide ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength) : Uint8Array.from(values);
    return ndArray(info.name, handle.shape, new Data!(bytes.slice().buffer));
  } finally {
    for (const id of new Set([raw, words])) addon.deleteTensor(id);
  }
}

function readArray(addon: Addon, handle: TensorHandle, dtype: DType): NdArray {
  const values = addon.tensorDataSync(handle.id);
  const data = dtype === 'string' ? (values as Uint8Array[]).map((s) => Uint8Array.from(s)) : (values as Float32Array);
  return ndArray(dtype, handle.shape, data);
}

function bitcast(addon: Addon, id: number, from: number, to: number): number {
  const attributes = [
    { name: 'T', type: addon.TF_ATTR_TYPE, value: from },
    { name: 'type', type: addon.TF_ATTR_TYPE, value: to },
  ];
  return addon.executeOp('Bitcast', attributes, [id], 1)[0]!.id;
}

/**
 * A copy of a tensor in memory of TensorFlow's own, for a session to be fed with; the caller deletes it.
 *
 * A tensor that was made from JavaScript's memory frees it through Node's API when its last reader is done, and a
 * session's threads may be that: from any thread but the main one, this corrupts the heap.
 */
export function ownedByTensorFlow(addon: Addon, id: number, type: number): number {
  return addon.executeOp('DeepCopy', [{ name: 'T', type: addon.TF_ATTR_TYPE, value: type }], [id], 1)[0]!.id;
}

function cast(addon: Addon, id: number, from: number, to: number): number {
  const attributes = [
    { name: 'SrcT', type: addon.TF_ATTR_TYPE, value: from },
    { name: 'DstT', type: addon.TF_ATTR_TYPE, value: to },
  ];
  return addon.executeOp('Cast', attributes, [id], 1)[0]!.id;
}
