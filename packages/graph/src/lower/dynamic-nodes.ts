import { AttrValue, NodeDef } from '../import/graph-protos.js';
import { createMessage } from '../import/message.js';
import type { Operation, OutputRef } from '../operation.js';
import { isUnknown, type Trials } from '../unknown-sizes.js';
import { type CapturedNode, cannotLower, type KernelCapture } from './kernel-capture.js';
import { constAttrs, typeAttr } from './node-attributes.js';

/** A number that is worked out when the graph runs: a product of sizes of tensors, times, over and plus known numbers. */
interface SizeExpression {
  readonly factors: readonly { readonly ref: OutputRef; readonly axis: number }[];
  readonly times: number;
  /** Of the parts that something is split into, whose sum TensorFlow compares with the whole. */
  readonly over?: number;
  readonly plus: number;
}

/** What a size expression is at the two trials. */
interface TriedSize {
  readonly trials: Trials;
  readonly size: SizeExpression;
}

/** A captured constant in which unknown sizes are. */
export interface SizedConstant {
  /** By the places where they are: among the values, or in the shape where all values are the same. */
  readonly sizes: ReadonlyMap<number, SizeExpression>;
  readonly inShape: boolean;
}

const INT32 = 3;
const READERS: Readonly<Record<number, (bytes: Uint8Array) => ArrayLike<number>>> = {
  1: (bytes) => new Float32Array(bytes.slice().buffer),
  [INT32]: (bytes) => new Int32Array(bytes.slice().buffer),
};

/**
 * Which captured constants hold unknown sizes, by their index among the nodes: those that differ between captures of the
 * kernel at the two trials of the sizes.
 *
 * @throws {GraphError} `CannotLower` where the captures differ in what TensorFlow takes as attributes, or in numbers of
 *   which it cannot be told how they come from the sizes
 */
export function sizedConstants(
  op: Operation,
  captures: readonly [KernelCapture, KernelCapture],
): Map<number, SizedConstant> {
  const [one, other] = captures;
  const differ = (): Error =>
    cannotLower(op, 'what it does depends on a size that is unknown while the graph is built');
  if (one.nodes.length !== other.nodes.length) throw differ();
  let known: TriedSize[] | undefined;
  const sized = new Map<number, SizedConstant>();
  one.nodes.forEach((node, i) => {
    const twin = other.nodes[i]!;
    if (node.op !== twin.op || !sameCall(node, twin)) throw differ();
    if (node.constant === undefined || twin.constant === undefined) return;
    const found = differences(node.constant, twin.constant);
    if (found === undefined) throw differ();
    const sizes = new Map<number, SizeExpression>();
    for (const [at, trials] of found.values) {
      known ??= sizesOf(op);
      const size = expressionOf(trials, known, op.type === 'SplitV');
      if (size === undefined) throw differ();
      sizes.set(at, size);
    }
    if (sizes.size > 0) sized.set(i, { sizes, inShape: found.inShape });
  });
  return sized;
}

type Constant = NonNullable<CapturedNode['constant']>;

/** Where two constants differ, in their values or in the shape of equal ones; undefined where that says nothing. */
function differences(a: Constant, b: Constant): { values: Map<number, Trials>; inShape: boolean } | undefined {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return undefined;
  const inShape = String(a.shape) !== String(b.shape);
  const values = new Map<number, Trials>();
  if (!inShape && (Array.isArray(a.bytes) || Array.isArray(b.bytes) || sameBytes(a.bytes, b.bytes))) {
    return { values, inShape };
  }
  const read = READERS[a.dtype];
  if (inShape && !(isUniform(a) && isUniform(b) && sameBytes(firstOf(a), firstOf(b)))) return undefined;
  if (!inShape && read === undefined) return undefined;
  const [first, second] = inShape ? [a.shape, b.shape] : [read!(a.bytes as Uint8Array), read!(b.bytes as Uint8Array)];
  for (let at = 0; at < first.length; at++) {
    if (!Object.is(first[at], second[at])) values.set(at, [first[at]!, second[at]!]);
  }
  return { values, inShape };
}

const lengthOf = ({ shape }: Constant): number => shape.reduce((length, size) => length * size, 1);

function firstOf(constant: Constant): Uint8Array {
  const bytes = constant.bytes as Uint8Array;
  return bytes.subarray(0, bytes.length / lengthOf(constant));
}

function isUniform(constant: Constant): boolean {
  const { bytes } = constant;
  if (Array.isArray(bytes) || bytes.length === 0) return false;
  const first = firstOf(constant);
  return bytes.every((byte, i) => byte === first[i % first.length]);
}

function sameCall(node: CapturedNode, twin: CapturedNode): boolean {
  if (JSON.stringify(node.inputs) !== JSON.stringify(twin.inputs)) return false;
  const plain = (value: unknown): string =>
    ArrayBuffer.isView(value) ? String([...(value as Uint8Array)]) : String(value);
  return node.attributes.every(({ name, value }, i) => {
    const other = twin.attributes[i];
    return other?.name === name && plain(value) === plain(other.value);
  });
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** The unknown sizes that a kernel can have used: those in its attributes first, then those of its inputs. */
function sizesOf(op: Operation): TriedSize[] {
  const { unknowns } = op.graph;
  const own = op.inputs.flatMap((ref): [number, TriedSize][] => {
    const { shape, tried } = ref.op.outputInfos[ref.index]!;
    if (tried === undefined) return [];
    return shape.flatMap((recorded, axis): [number, TriedSize][] => {
      if (!isUnknown(tried, axis)) return [];
      const size = { factors: [{ ref, axis }], times: 1, plus: 0 };
      return [[recorded, { trials: [tried[0][axis]!, tried[1][axis]!], size }]];
    });
  });
  const byNumber = new Map(own);
  const named: TriedSize[] = [];
  unknowns.eachIn(op, ({ factors, times, plus }) => {
    const parts = factors.map((recorded): TriedSize => {
      const mine = byNumber.get(recorded);
      if (mine !== undefined) return mine;
      const { source, axis, trials } = unknowns.find(recorded)!;
      return { trials, size: { factors: [{ ref: source, axis }], times: 1, plus: 0 } };
    });
    const at = (trial: 0 | 1): number => parts.reduce((product, part) => product * part.trials[trial], times) + plus;
    const size = { factors: parts.flatMap((part) => part.size.factors), times, plus };
    named.push({ trials: [at(0), at(1)], size });
  });
  return [...named, ...own.map(([, size]) => size)];
}

function expressionOf(
  [first, second]: Trials,
  known: readonly TriedSize[],
  splits: boolean,
): SizeExpression | undefined {
  const exact = known.find(({ trials }) => first === trials[0] && second === trials[1]);
  if (exact !== undefined) return exact.size;
  for (const { trials, size } of known) {
    if (first % trials[0] === 0 && first * trials[1] === second * trials[0] && size.plus === 0) {
      return { ...size, times: (size.times * first) / trials[0] };
    }
    if (splits && trials[0] % first === 0 && trials[0] / first === trials[1] / second && size.plus === 0) {
      return { ...size, over: trials[0] / first };
    }
    if (first - trials[0] === second - trials[1]) return { ...size, plus: size.plus + first - trials[0] };
  }
  return undefined;
}

/**
 * The nodes that work out a constant with unknown sizes in it when the graph runs; the last one has the given name.
 *
 * @param tensorName  TensorFlow's tensor for an output of a recorded op
 * @param unique  a name that no other node has
 */
export function sizedNodes(
  name: string,
  constant: Constant,
  { sizes, inShape }: SizedConstant,
  tensorName: (ref: OutputRef) => string,
  unique: (name: string) => string,
): NodeDef[] {
  const nodes: NodeDef[] = [];
  const emit = (op: string, input: readonly string[], attr: Map<string, AttrValue>, as?: string): string => {
    const own = as ?? unique(`${name}/${op}`);
    nodes.push(
      createMessage(NodeDef, { name: own, op, input: input.map((tensor) => tensor.replace(/:0$/, '')), attr }),
    );
    return own;
  };
  const ints = (...values: number[]): string =>
    emit('Const', [], constAttrs(INT32, [values.length], new Uint8Array(Int32Array.from(values).buffer)));
  const typed = (type = INT32): Map<string, AttrValue> => new Map([['T', typeAttr(type)]]);
  const sizeNode = ({ factors, times, over = 1, plus }: SizeExpression): string => {
    const parts = factors.map(({ ref, axis }) => {
      const type = typeAttr(TYPES[ref.op.outputInfos[ref.index]!.dtype] ?? 1);
      const shape = emit(
        'Shape',
        [tensorName(ref)],
        new Map([
          ['T', type],
          ['out_type', typeAttr(INT32)],
        ]),
      );
      return emit('Slice', [shape, ints(axis), ints(1)], typed().set('Index', typeAttr(INT32)));
    });
    let product = parts.reduce((a, b) => emit('Mul', [a, b], typed()));
    if (times !== 1) product = emit('Mul', [product, ints(times)], typed());
    if (over !== 1) product = emit('FloorDiv', [product, ints(over)], typed());
    return plus === 0 ? product : emit('AddV2', [product, ints(plus)], typed());
  };
  const { dtype, shape, bytes } = constant;
  if (inShape) {
    const dims = unique(`${name}/dims`);
    const values = new Uint8Array(Int32Array.from(shape).buffer);
    const vector = { dtype: INT32, shape: [shape.length], bytes: values };
    nodes.push(...sizedNodes(dims, vector, { sizes, inShape: false }, tensorName, unique));
    const value = emit('Const', [], constAttrs(dtype, [], firstOf(constant).slice()));
    emit('Fill', [dims, value], typed(dtype).set('index_type', typeAttr(INT32)), name);
    return nodes;
  }
  const length = lengthOf(constant);
  const width = (bytes as Uint8Array).length / length;
  const pieces: string[] = [];
  for (let at = 0; at < length; ) {
    const size = sizes.get(at);
    if (size !== undefined) {
      const value = sizeNode(size);
      const cast = new Map([
        ['SrcT', typeAttr(INT32)],
        ['DstT', typeAttr(dtype)],
      ]);
      pieces.push(dtype === INT32 ? value : emit('Cast', [value], cast));
      at += 1;
      continue;
    }
    let end = at;
    while (end < length && !sizes.has(end)) end += 1;
    const piece = (bytes as Uint8Array).slice(at * width, end * width);
    pieces.push(emit('Const', [], constAttrs(dtype, [end - at], piece)));
    at = end;
  }
  const joined = pieces.length === 1 ? pieces[0]! : concat(pieces, dtype, emit);
  const target = shape.length === 0 ? emit('Const', [], constAttrs(INT32, [0], new Uint8Array(0))) : ints(...shape);
  emit('Reshape', [joined, target], typed(dtype).set('Tshape', typeAttr(INT32)), name);
  return nodes;
}

type Emit = (op: string, input: readonly string[], attr: Map<string, AttrValue>) => string;

function concat(pieces: readonly string[], dtype: number, emit: Emit): string {
  const axis = emit('Const', [], constAttrs(INT32, [], new Uint8Array(4)));
  const attrs = new Map([
    ['N', createMessage(AttrValue, { i: BigInt(pieces.length) })],
    ['T', typeAttr(dtype)],
    ['Tidx', typeAttr(INT32)],
  ]);
  return emit('ConcatV2', [...pieces, axis], attrs);
}

const TYPES: Readonly<Record<string, number>> = { float32: 1, int32: INT32, string: 7, complex64: 8, bool: 10 };
