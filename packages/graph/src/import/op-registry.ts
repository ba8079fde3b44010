import { OP_REGISTRY } from './op-registry-data.js';

/** One input or output of an op: a fixed type, a type attribute's, several, or a list of types. */
export interface OpArgument {
  /** A `DataType` number, where the type is fixed. */
  readonly type?: number;
  /** The attribute that holds the type. */
  readonly typeAttr?: string;
  /** The attribute that holds how many there are. */
  readonly numberAttr?: string;
  /** The attribute that holds the list of types. */
  readonly typeListAttr?: string;
  readonly isRef: boolean;
}

/** One attribute of an op. */
export interface OpAttribute {
  readonly name: string;
  /** As TensorFlow writes it: `int`, `list(type)`, … */
  readonly type: string;
  readonly hasDefault: boolean;
  /** The default of a `type` or `int` attribute. */
  readonly defaultValue?: number;
  /** The least value, or the least length of a list. */
  readonly minimum?: number;
  /** The values that are allowed: DataType numbers or strings. */
  readonly allowed?: readonly string[];
}

/** The signature of an op that TensorFlow registers. */
export interface OpSignature {
  readonly name: string;
  readonly stateful: boolean;
  readonly inputs: readonly OpArgument[];
  readonly outputs: readonly OpArgument[];
  readonly attributes: ReadonlyMap<string, OpAttribute>;
}

let lines: Map<string, string> | undefined;
const parsed = new Map<string, OpSignature>();

/** The signature of an op of TensorFlow 2.21's library, or `undefined` for an op that it does not have. */
export function opSignature(op: string): OpSignature | undefined {
  lines ??= new Map(OP_REGISTRY.split('\n').map((line) => [line.slice(0, line.indexOf('|')), line]));
  const known = parsed.get(op);
  if (known !== undefined) return known;
  const line = lines.get(op);
  if (line === undefined) return undefined;
  const [name, flags, inputs, outputs, attributes] = line.split('|') as [string, string, string, string, string];
  const signature = {
    name,
    stateful: flags.includes('s'),
    inputs: split(inputs).map(argument),
    outputs: split(outputs).map(argument),
    attributes: new Map(split(attributes).map((text) => [text.slice(0, text.indexOf(':')), attribute(text)])),
  };
  parsed.set(op, signature);
  return signature;
}

const split = (text: string): string[] => (text === '' ? [] : text.split(','));

function argument(text: string): OpArgument {
  const isRef = text.startsWith('&');
  const rest = isRef ? text.slice(1) : text;
  if (rest.startsWith('@')) return { typeListAttr: rest.slice(1), isRef };
  const [type, numberAttr] = rest.split('*') as [string, string | undefined];
  const typed = /^\d+$/.test(type) ? { type: Number(type) } : { typeAttr: type };
  return numberAttr === undefined ? { ...typed, isRef } : { ...typed, numberAttr, isRef };
}

function attribute(text: string): OpAttribute {
  const [, name, type, hasDefault, value, minimum, allowed] =
    /^(\w+):([a-z()]+)(?:(=)(-?\d*))?(?:>=(-?\d+))?(?:\{(.*)\})?$/.exec(text)!;
  return {
    name: name!,
    type: type!,
    hasDefault: hasDefault === '=',
    ...(value ? { defaultValue: Number(value) } : {}),
    ...(minimum === undefined ? {} : { minimum: Number(minimum) }),
    ...(allowed === undefined ? {} : { allowed: allowed.split('/') }),
  };
}
