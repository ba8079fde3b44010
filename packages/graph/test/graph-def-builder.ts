import { DTYPES, type DType } from '@tfparity/array';
import {
  AttrValue,
  GraphDef,
  NodeDef,
  TensorProto,
  TensorShapeDim,
  TensorShapeProto,
} from '../src/import/graph-protos.js';
import { createMessage, encodeMessage } from '../src/import/message.js';

/** Attributes of the kinds that tests need. */
export const attr = {
  type: (dtype: DType): AttrValue => createMessage(AttrValue, { type: DTYPES[dtype].enumValue }),
  int: (value: number): AttrValue => createMessage(AttrValue, { i: BigInt(value) }),
  bool: (value: boolean): AttrValue => createMessage(AttrValue, { b: value }),
  string: (value: string): AttrValue => createMessage(AttrValue, { s: new TextEncoder().encode(value) }),
  shape: (sizes: readonly number[] | undefined): AttrValue => createMessage(AttrValue, { shape: shape(sizes) }),
  floats: (sizes: readonly number[], values: readonly number[]): AttrValue =>
    createMessage(AttrValue, {
      tensor: createMessage(TensorProto, { dtype: 1, tensorShape: shape(sizes), floatVal: [...values] }),
    }),
  strings: (sizes: readonly number[], values: readonly string[]): AttrValue =>
    createMessage(AttrValue, {
      tensor: createMessage(TensorProto, {
        dtype: 7,
        tensorShape: shape(sizes),
        stringVal: values.map((s) => new TextEncoder().encode(s)),
      }),
    }),
};

function shape(sizes: readonly number[] | undefined): TensorShapeProto {
  if (sizes === undefined) return createMessage(TensorShapeProto, { unknownRank: true });
  return createMessage(TensorShapeProto, { dim: sizes.map((size) => createMessage(TensorShapeDim, { size })) });
}

/** A node: `node('y', 'Identity', ['x'], {T: attr.type('float32')})`. */
export function node(name: string, op: string, input: string[] = [], attrs: Record<string, AttrValue> = {}): NodeDef {
  return createMessage(NodeDef, { name, op, input, attr: new Map(Object.entries(attrs)) });
}

/** A placeholder of any shape. */
export function placeholder(name: string, dtype: DType): NodeDef {
  return node(name, 'Placeholder', [], { dtype: attr.type(dtype), shape: attr.shape(undefined) });
}

/** The bytes of a graph of these nodes. */
export function graphBytes(nodes: NodeDef[]): Uint8Array {
  return encodeMessage(GraphDef, createMessage(GraphDef, { node: nodes }));
}
