import { GraphError } from '../graph-error.js';
import { checkShape, checkTensor } from './check-tensor.js';
import type { GraphLimits } from './graph-limits.js';
import type { AttrListValue, AttrValue, NodeDef } from './graph-protos.js';
import type { OpAttribute, OpSignature } from './op-registry.js';

const utf8 = new TextDecoder();
const NAME = /^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$/;

// Members of AttrValue's oneof, by TensorFlow's name of an attribute's type.
const MEMBER: Readonly<Record<string, keyof AttrValue>> = {
  string: 's',
  int: 'i',
  float: 'f',
  bool: 'b',
  type: 'type',
  shape: 'shape',
  tensor: 'tensor',
  func: 'func',
};

const LIST_MEMBER: Readonly<Record<string, keyof AttrListValue>> = {
  ...(MEMBER as Record<string, keyof AttrListValue>),
};
const LISTS: ReadonlySet<string> = new Set(Object.values(LIST_MEMBER));

/** Checks a node's name, its inputs' form, and its attributes against the op's signature. */
export function checkNode(node: NodeDef, signature: OpSignature | undefined, limits: GraphLimits): void {
  if (!NAME.test(node.name)) throw invalid(node, `Node name '${node.name}' is not valid`);
  let control = false;
  for (const input of node.input) {
    if (input.startsWith('^')) control = true;
    else if (control) throw invalid(node, `Non-control input '${input}' after a control input`);
  }
  for (const [name, value] of node.attr) checkValue(node, name, value, limits);
  if (signature !== undefined) checkAttributes(node, signature);
}

function checkAttributes(node: NodeDef, signature: OpSignature): void {
  for (const [name, value] of node.attr) {
    const attribute = signature.attributes.get(name);
    if (attribute !== undefined) checkAttribute(node, attribute, value);
    else if (!name.startsWith('_')) {
      throw invalid(node, `NodeDef mentions attr '${name}' not in Op<name=${node.op}>`, name);
    }
  }
  for (const { name, hasDefault } of signature.attributes.values()) {
    if (!hasDefault && !node.attr.has(name))
      throw invalid(node, `NodeDef missing attr '${name}' from Op<name=${node.op}>`, name);
  }
}

function checkAttribute(node: NodeDef, attribute: OpAttribute, value: AttrValue): void {
  const { name, type, minimum, allowed } = attribute;
  if (value.placeholder !== undefined) return; // of a function: its caller gives the value
  const values = valuesOf(value, type);
  if (values === undefined) throw invalid(node, `AttrValue of '${name}' is not of type '${type}'`, name);
  const least = type === 'int' ? Number(values[0]) : values.length;
  if (minimum !== undefined && (type === 'int' || type.startsWith('list')) && least < minimum) {
    throw invalid(node, `Value for attr '${name}' of ${least} must be at least minimum ${minimum}`, name);
  }
  if (allowed === undefined) return;
  for (const item of values) {
    const text = item instanceof Uint8Array ? utf8.decode(item) : String(item);
    if (!allowed.includes(text)) {
      throw invalid(
        node,
        `Value for attr '${name}' of '${text}' is not in the list of allowed values: ${allowed.join(', ')}`,
        name,
      );
    }
  }
}

/** The value or values of an attribute, or `undefined` where it is of another type. */
function valuesOf(value: AttrValue, type: string): readonly unknown[] | undefined {
  const inner = /^list\((\w+)\)$/.exec(type)?.[1];
  if (inner === undefined) {
    const found = value[MEMBER[type]!];
    return found === undefined ? undefined : [found];
  }
  if (value.list === undefined) return undefined;
  for (const [kind, values] of Object.entries(value.list)) {
    if (LISTS.has(kind) && kind !== LIST_MEMBER[inner] && (values as unknown[]).length > 0) return undefined;
  }
  return value.list[LIST_MEMBER[inner]!] as readonly unknown[];
}

function checkValue(node: NodeDef, name: string, value: AttrValue, limits: GraphLimits): void {
  const where = `node '${node.name}' (${node.op}), attr '${name}'`;
  const shapes = [...(value.shape ? [value.shape] : []), ...(value.list?.shape ?? [])];
  const tensors = [...(value.tensor ? [value.tensor] : []), ...(value.list?.tensor ?? [])];
  for (const shape of shapes) checkShape(shape, where);
  for (const tensor of tensors) checkTensor(tensor, where, limits.constantValues);
  const declared = node.op === 'Const' && name === 'value' ? node.attr.get('dtype')?.type : undefined;
  if (declared !== undefined && value.tensor !== undefined && value.tensor.dtype !== declared) {
    throw invalid(node, `a constant of DataType ${value.tensor.dtype} is declared as ${declared}`, name);
  }
}

function invalid(node: NodeDef, what: string, attribute?: string): GraphError {
  return new GraphError('InvalidGraph', `${what} (node '${node.name}', op ${node.op})`, {
    node: node.name,
    op: node.op,
    ...(attribute === undefined ? {} : { attribute }),
  });
}
