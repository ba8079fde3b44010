import { AttrListValue, AttrValue, TensorProto, TensorShapeDim, TensorShapeProto } from '../import/graph-protos.js';
import { createMessage } from '../import/message.js';
import { opSignature } from '../import/op-registry.js';
import type { CapturedNode } from './kernel-capture.js';

/** An attribute that holds a DataType. */
export const typeAttr = (type: number): AttrValue => createMessage(AttrValue, { type });

/** An attribute that holds a shape; null where a size is unknown. */
export function shapeAttr(sizes: readonly (number | null)[]): AttrValue {
  return createMessage(AttrValue, { shape: shapeProto(sizes.map((size) => size ?? -1)) });
}

/** The attributes of a constant. */
export function constAttrs(
  dtype: number,
  shape: readonly number[],
  bytes: Uint8Array | readonly Uint8Array[],
): Map<string, AttrValue> {
  const values = bytes instanceof Uint8Array ? { tensorContent: bytes } : { stringVal: [...bytes] };
  const tensor = createMessage(TensorProto, { dtype, tensorShape: shapeProto(shape), ...values });
  return new Map([
    ['dtype', typeAttr(dtype)],
    ['value', createMessage(AttrValue, { tensor })],
  ]);
}

function shapeProto(sizes: readonly number[]): TensorShapeProto {
  return createMessage(TensorShapeProto, { dim: sizes.map((size) => createMessage(TensorShapeDim, { size })) });
}

/**
 * A captured op's attributes as a NodeDef holds them: in the types that the op's signature says, without the private
 * ones (`_stream`), and with the types and counts that eager execution takes from the inputs.
 */
export function nodeAttrs(node: CapturedNode): Map<string, AttrValue> {
  const signature = opSignature(node.op);
  const attrs = new Map<string, AttrValue>();
  for (const { name, value } of node.attributes) {
    const type = signature?.attributes.get(name)?.type;
    if (type !== undefined) attrs.set(name, encodeAttr(type, value));
  }
  if (signature === undefined) return attrs;
  let next = 0;
  const single =
    signature.inputs.filter((arg) => arg.numberAttr !== undefined || arg.typeListAttr !== undefined).length <= 1;
  for (const arg of signature.inputs) {
    const rest = node.inputTypes.length - next - (signature.inputs.length - 1 - signature.inputs.indexOf(arg));
    const many = arg.numberAttr !== undefined || arg.typeListAttr !== undefined;
    const count = many && single ? rest : 1;
    const type = node.inputTypes[next]!;
    const set = (name: string | undefined, value: AttrValue): void => {
      if (name !== undefined && !attrs.has(name)) attrs.set(name, value);
    };
    set(arg.typeAttr, typeAttr(type));
    set(arg.numberAttr, createMessage(AttrValue, { i: BigInt(count) }));
    const types = node.inputTypes.slice(next, next + count);
    set(arg.typeListAttr, createMessage(AttrValue, { list: createMessage(AttrListValue, { type: types }) }));
    next += count;
  }
  return attrs;
}

const encoder = new TextEncoder();
const bytesOf = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : encoder.encode(String(value)));

function encodeAttr(type: string, value: unknown): AttrValue {
  switch (type) {
    case 'int':
      return createMessage(AttrValue, { i: BigInt(value as number) });
    case 'float':
      return createMessage(AttrValue, { f: value as number });
    case 'bool':
      return createMessage(AttrValue, { b: Boolean(value) });
    case 'type':
      return createMessage(AttrValue, { type: value as number });
    case 'string':
      return createMessage(AttrValue, { s: bytesOf(value) });
    case 'shape':
      return createMessage(AttrValue, { shape: shapeProto(value as number[]) });
    default:
      return createMessage(AttrValue, { list: encodeList(type, (value as unknown[] | undefined) ?? []) });
  }
}

function encodeList(type: string, given: unknown): AttrListValue {
  const values =
    Array.isArray(given) || ArrayBuffer.isView(given) ? [...(given as unknown as Iterable<unknown>)] : [given];
  switch (type) {
    case 'list(int)':
      return createMessage(AttrListValue, { i: values.map((v) => BigInt(v as number)) });
    case 'list(float)':
      return createMessage(AttrListValue, { f: values as number[] });
    case 'list(bool)':
      return createMessage(AttrListValue, { b: values as boolean[] });
    case 'list(type)':
      return createMessage(AttrListValue, { type: values as number[] });
    default:
      return createMessage(AttrListValue, { s: values.map(bytesOf) });
  }
}
