import { type NdArray, sizeOf, stridesOf } from '@tfparity/array';

/** An array of the shadow run: the same values in double precision. */
export interface ShadowArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An array of numbers as a shadow. */
export function shadowOf({ shape, data }: NdArray): ShadowArray {
  return { shape, data: data instanceof Float64Array ? data : Float64Array.from(data as Float32Array) };
}

/** Computes each element by itself. */
export function map({ shape, data }: ShadowArray, f: (x: number) => number): ShadowArray {
  const out = new Float64Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = f(data[i]!);
  return { shape, data: out };
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    return x === 1 ? y : x;
  });
}

/** Offsets into an array of `shape` for every index of `out`, to which it is broadcast. */
function offsets(shape: readonly number[], out: readonly number[]): Int32Array {
  const strides = stridesOf(shape);
  const lead = out.length - shape.length;
  const steps = out.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : strides[axis - lead]!));
  return gatherOffsets(out, steps, 0);
}

/** The offset of every index of `shape`, from an origin and a step per axis. */
export function gatherOffsets(shape: readonly number[], steps: readonly number[], origin: number): Int32Array {
  const result = new Int32Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  let at = origin;
  for (let i = 0; i < result.length; i++) {
    result[i] = at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= steps[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** Picks values by a step per axis: transposes, slices, tiles. */
export function gather(x: ShadowArray, shape: readonly number[], steps: readonly number[], origin = 0): ShadowArray {
  return { shape, data: gatherBy(x, gatherOffsets(shape, steps, origin)) };
}

function gatherBy({ data }: ShadowArray, at: Int32Array): Float64Array {
  const out = new Float64Array(at.length);
  for (let i = 0; i < out.length; i++) out[i] = data[at[i]!]!;
  return out;
}

/** Computes two arrays element by element, with numpy's broadcasting. */
export function combine(a: ShadowArray, b: ShadowArray, f: (x: number, y: number) => number): ShadowArray {
  const shape = broadcastShape(a.shape, b.shape);
  const out = new Float64Array(sizeOf(shape));
  const scalar = b.data.length === 1;
  if (a.data.length === out.length && (scalar || b.data.length === out.length)) {
    for (let i = 0; i < out.length; i++) out[i] = f(a.data[i]!, b.data[scalar ? 0 : i]!);
    return { shape, data: out };
  }
  const left = offsets(a.shape, shape);
  const right = offsets(b.shape, shape);
  for (let i = 0; i < out.length; i++) out[i] = f(a.data[left[i]!]!, b.data[right[i]!]!);
  return { shape, data: out };
}

/** Folds the given axes away: `outer` says which output each element belongs to. */
export function reduce(
  x: ShadowArray,
  axes: readonly number[],
  keepDims: boolean,
  start: number,
  f: (total: number, value: number) => number,
): ShadowArray {
  const all =
    axes.length === 0 ? x.shape.map((_, axis) => axis) : axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  const kept = x.shape.map((size, axis) => (all.includes(axis) ? 1 : size));
  const out = new Float64Array(sizeOf(kept)).fill(start);
  const at = offsets(kept, x.shape);
  for (let i = 0; i < x.data.length; i++) out[at[i]!] = f(out[at[i]!]!, x.data[i]!);
  return { shape: keepDims ? kept : kept.filter((_, axis) => !all.includes(axis)), data: out };
}
