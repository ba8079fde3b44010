import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { DTYPES, type DType } from '@tfparity/array';

/** An attribute of a TensorFlow op, as a NodeDef would hold it. */
export type NativeAttribute =
  | { readonly type: DType }
  | { readonly float: number }
  | { readonly int: number }
  | { readonly bool: boolean }
  | { readonly string: string };

/** The part of tfjs-node's backend that runs TensorFlow's own kernels; this package does not import tfjs-node. */
interface NativeBackend {
  readonly binding: Record<
    'TF_ATTR_TYPE' | 'TF_ATTR_FLOAT' | 'TF_ATTR_INT' | 'TF_ATTR_BOOL' | 'TF_ATTR_STRING',
    number
  >;
  executeMultipleOutputs(
    name: string,
    attributes: { name: string; type: number; value: unknown }[],
    inputs: TensorInfo[],
    outputs: number,
  ): Tensor[];
}

/** Runs one of TensorFlow's own kernels by name on tfjs-node's backend; errors are TensorFlow's. */
export function runNativeOp(
  backend: unknown,
  name: string,
  attributes: Readonly<Record<string, NativeAttribute>>,
  inputs: TensorInfo[],
  outputs: number,
): Tensor[] {
  const native = backend as NativeBackend;
  const { binding } = native;
  const encoded = Object.entries(attributes).map(([key, attribute]) => {
    if ('type' in attribute) return { name: key, type: binding.TF_ATTR_TYPE, value: DTYPES[attribute.type].enumValue };
    if ('float' in attribute) return { name: key, type: binding.TF_ATTR_FLOAT, value: attribute.float };
    if ('int' in attribute) return { name: key, type: binding.TF_ATTR_INT, value: attribute.int };
    if ('bool' in attribute) return { name: key, type: binding.TF_ATTR_BOOL, value: attribute.bool };
    return { name: key, type: binding.TF_ATTR_STRING, value: attribute.string };
  });
  return native.executeMultipleOutputs(name, encoded, inputs, outputs);
}
