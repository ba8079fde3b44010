import { type AttrValue, GraphDef } from '../src/import/graph-protos.js';
import { decodeMessage, encodeMessage } from '../src/import/message.js';

/** A generator of numbers in [0, n): the same for the same seed (mulberry32). */
export function randomOf(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A damaged copy: some bytes flipped, set, removed, repeated or swapped for others of the file. */
export function mutate(bytes: Uint8Array, random: (n: number) => number): Uint8Array {
  let copy = bytes.slice();
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(copy.length);
    const kind = random(6);
    if (kind === 0) copy[at] = copy[at]! ^ (1 << random(8));
    else if (kind === 1) copy[at] = random(256);
    else if (kind === 2) copy[at] = 255;
    else if (kind === 3) copy.copyWithin(at, random(copy.length), Math.min(copy.length, at + 1 + random(16)));
    else {
      const length = 1 + random(32);
      const rest = kind === 4 ? copy.subarray(at + length) : copy.subarray(Math.max(0, at - length));
      const joined = new Uint8Array(at + rest.length);
      joined.set(copy.subarray(0, at));
      joined.set(rest, at);
      copy = joined;
    }
  }
  return copy;
}

const INTS = [0n, 1n, -1n, 2n, 7n, 255n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 62n, -(2n ** 63n)];
const SIZES = [0, 1, -1, -2, 2, 3, 1000, 2 ** 31, 2 ** 40];
const TYPES = [0, 1, 2, 3, 4, 6, 7, 9, 10, 14, 19, 20, 21, 101, 999];

/** A graph whose protobuf is sound, but not what it says: ops, inputs, types, numbers and shapes are others. */
export function mutateGraph(graph: GraphDef, random: (n: number) => number): GraphDef {
  const copy = decodeMessage(GraphDef, encodeMessage(GraphDef, graph));
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  for (let count = 1 + random(3); count > 0; count--) {
    const node = pick(copy.node);
    const other = pick(copy.node);
    const kind = random(8);
    if (kind === 0) node.op = other.op;
    else if (kind === 1) node.input = [...other.input];
    else if (kind === 2 && node.input.length > 0)
      node.input[random(node.input.length)] = pick(['', '^', '^x', ':1', other.name, `${other.name}:${random(3)}`]);
    else if (kind === 3) node.attr = new Map(other.attr);
    else if (kind === 4) node.name = other.name;
    else mutateAttr(pick([...node.attr.values()]), pick);
  }
  return copy;
}

function mutateAttr(value: AttrValue | undefined, pick: <T>(list: readonly T[]) => T): void {
  if (value === undefined) return;
  if (value.i !== undefined) value.i = pick(INTS);
  if (value.f !== undefined) value.f = pick([0, -0, Number.NaN, Infinity, -1, 1e30]);
  if (value.b !== undefined) value.b = !value.b;
  if (value.type !== undefined) value.type = pick(TYPES);
  if (value.s !== undefined)
    value.s = new TextEncoder().encode(pick(['', 'SAME', 'VALID', 'NHWC', 'NCHW', 'x'.repeat(5000)]));
  for (const shape of [value.shape, value.tensor?.tensorShape, ...(value.list?.shape ?? [])]) {
    if (shape === undefined) continue;
    if (shape.dim.length > 0) pick(shape.dim).size = pick(SIZES);
    else shape.unknownRank = !shape.unknownRank;
  }
  if (value.list !== undefined) {
    const { list } = value;
    if (list.i.length > 0) list.i = pick([[], [pick(INTS)], list.i.map(() => pick(INTS))]);
    if (list.type.length > 0) list.type = list.type.map(() => pick(TYPES));
  }
}
