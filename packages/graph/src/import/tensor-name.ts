import { GraphError } from '../graph-error.js';

/** A tensor's name taken apart: `net/conv/relu:0` is output 0 of the op `net/conv/relu`. */
export interface TensorName {
  readonly op: string;
  /** `undefined` where the name is an op's. */
  readonly output: number | undefined;
}

/** Takes a tensor's or an op's name apart. */
export function parseTensorName(name: string): TensorName {
  const colon = name.lastIndexOf(':');
  if (colon < 0) return { op: name, output: undefined };
  const output = name.slice(colon + 1);
  if (!/^\d{1,9}$/.test(output)) {
    throw new GraphError('NotFound', `'${name}' is neither an op's name nor a tensor's ('op:0')`, { name });
  }
  return { op: name.slice(0, colon), output: Number(output) };
}

/** A node's input taken apart: `^op` is a control input, `op` means `op:0`. */
export interface NodeInput {
  readonly op: string;
  readonly output: number;
  readonly control: boolean;
}

/** Takes an input of a `NodeDef` apart. */
export function parseInput(input: string): NodeInput {
  if (input.startsWith('^')) return { op: input.slice(1), output: -1, control: true };
  const colon = input.lastIndexOf(':');
  if (colon < 0) return { op: input, output: 0, control: false };
  const output = input.slice(colon + 1);
  return /^\d{1,9}$/.test(output)
    ? { op: input.slice(0, colon), output: Number(output), control: false }
    : { op: input, output: 0, control: false };
}
