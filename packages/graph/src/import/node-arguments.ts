import { GraphError } from '../graph-error.js';
import type { AttrValue, NodeDef } from './graph-protos.js';
import type { OpArgument, OpSignature } from './op-registry.js';

// More arguments than any op has (a checkpoint of 100,000 tensors), fewer than would fill the memory.
const MOST_ARGUMENTS = 1_000_000;

/** The `DataType`s of a node's outputs, by its op's signature and its attributes. */
export function outputTypes(node: NodeDef, signature: OpSignature): number[] {
  return expand(node, signature, signature.outputs);
}

/** The `DataType`s of a node's inputs; a reference's is that of what it refers to. */
export function inputTypes(node: NodeDef, signature: OpSignature): number[] {
  return expand(node, signature, signature.inputs);
}

function expand(node: NodeDef, signature: OpSignature, args: readonly OpArgument[]): number[] {
  const types: number[] = [];
  for (const arg of args) {
    if (arg.typeListAttr !== undefined) {
      types.push(...listOf(node, arg.typeListAttr));
      continue;
    }
    const type = arg.type ?? attribute(node, arg.typeAttr!).type ?? defaultOf(signature, arg.typeAttr!);
    const count =
      arg.numberAttr === undefined
        ? 1
        : Number(attribute(node, arg.numberAttr).i ?? defaultOf(signature, arg.numberAttr));
    if (count < 0 || count + types.length > MOST_ARGUMENTS) {
      throw new GraphError('InvalidGraph', `node '${node.name}': attr '${arg.numberAttr}' is ${count}`, {
        node: node.name,
        attribute: arg.numberAttr,
      });
    }
    for (let i = 0; i < count; i++) types.push(type);
  }
  return types;
}

function listOf(node: NodeDef, name: string): readonly number[] {
  return attribute(node, name).list?.type ?? [];
}

function attribute(node: NodeDef, name: string): Partial<AttrValue> {
  return node.attr.get(name) ?? {};
}

function defaultOf(signature: OpSignature, name: string): number {
  return signature.attributes.get(name)?.defaultValue ?? 0;
}
