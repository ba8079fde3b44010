import { formatShape, type NdArray, sameShape, stridesOf } from '@tfparity/array';

type Numbers = Exclude<NdArray['data'], Uint8Array[] | BigInt64Array | BigUint64Array>;

const numbers = ({ data }: NdArray): Numbers | null =>
  Array.isArray(data) || data instanceof BigInt64Array || data instanceof BigUint64Array ? null : data;

const short = (x: number) => String(Number(x.toPrecision(6)));

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) =>
    rest.concat(n - 1).map((_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]),
  );
}

/** Whether `b[i] = a[map(i)]`, where the map is linear in the indices of b: an offset and a step per axis. */
function sameThrough(
  a: Numbers,
  b: Numbers,
  shape: readonly number[],
  steps: readonly number[],
  offset: number,
): boolean {
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < b.length; i++) {
    if (!Object.is(a[at], b[i])) return false;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= steps[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return true;
}

function transposition(reference: NdArray, other: NdArray): string | null {
  const a = numbers(reference);
  const b = numbers(other);
  const rank = reference.shape.length;
  if (a === null || b === null || rank < 2 || rank > 5 || rank !== other.shape.length) return null;
  const strides = stridesOf(reference.shape);
  for (const order of permutations(rank)) {
    if (order.every((axis, i) => axis === i)) continue;
    if (!order.every((axis, i) => reference.shape[axis] === other.shape[i])) continue;
    const steps = order.map((axis) => strides[axis]!);
    if (sameThrough(a, b, other.shape, steps, 0)) return `equal to the reference's transposed by ${formatShape(order)}`;
  }
  return null;
}

function reversal(reference: NdArray, other: NdArray): string | null {
  const a = numbers(reference);
  const b = numbers(other);
  if (a === null || b === null || !sameShape(reference.shape, other.shape)) return null;
  const strides = stridesOf(reference.shape);
  for (const [axis, size] of reference.shape.entries()) {
    if (size < 2) continue;
    const steps = strides.map((stride, i) => (i === axis ? -stride : stride));
    if (sameThrough(a, b, other.shape, steps, (size - 1) * strides[axis]!)) {
      const last = axis === reference.shape.length - 1 && size === 3 ? ' (RGB against BGR)' : '';
      return `equal to the reference's reversed along axis ${axis}${last}`;
    }
  }
  return null;
}

/** A factor or summand that turns one into the other, up to rounding. */
function affine(a: Numbers, b: Numbers): string | null {
  let low = 0;
  let high = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i]! < a[low]!) low = i;
    if (a[i]! > a[high]!) high = i;
  }
  const factor = (b[high]! - b[low]!) / (a[high]! - a[low]!);
  if (!Number.isFinite(factor) || factor === 0) return null;
  const summand = b[high]! - factor * a[high]!;
  const scale = Math.max(Math.abs(b[high]!), Math.abs(b[low]!), Math.abs(summand));
  for (let i = 0; i < a.length; i++) if (Math.abs(factor * a[i]! + summand - b[i]!) > 4e-6 * scale) return null;
  const parts = [
    Math.abs(factor - 1) > 1e-5 ? `times ${short(factor)}` : '',
    Math.abs(summand) > 4e-6 * scale ? `plus ${short(summand)}` : '',
  ].filter(Boolean);
  return parts.length > 0 && a.length > 2 ? `equal to the reference's ${parts.join(' ')}` : null;
}

function constantValue(data: Numbers): number | null {
  for (let i = 1; i < data.length; i++) if (data[i] !== data[0]) return null;
  return data.length > 0 ? data[0]! : null;
}

function counted(a: Numbers, b: Numbers): string {
  let differing = 0;
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    differing++;
    max = Math.max(max, Math.abs(a[i]! - b[i]!) || 0);
  }
  return `${differing} of ${a.length} values differ, by up to ${short(max)}`;
}

/** Says in words how an array comes from the reference's: transposed, reversed, scaled, constant, or how far apart. */
export function explainArrays(reference: NdArray, other: NdArray): string {
  const a = numbers(reference);
  const b = numbers(other);
  if (a === null || b === null) return 'the values differ';
  if (a.length === 1 && b.length === 1) return `${short(a[0]!)} in the reference, ${short(b[0]!)} here`;
  const moved = transposition(reference, other) ?? reversal(reference, other);
  if (moved !== null) return moved;
  if (!sameShape(reference.shape, other.shape)) {
    const same = a.length === b.length && sameThrough(a, b, [b.length], [1], 0) ? ', the same values reshaped' : '';
    return `${formatShape(reference.shape)} in the reference, ${formatShape(other.shape)} here${same}`;
  }
  const [was, is] = [constantValue(a), constantValue(b)];
  if (was !== null && is !== null) return `all ${short(was)} in the reference, all ${short(is)} here`;
  if (is !== null) return `all values are ${short(is)} here, as if never restored`;
  return (was === null ? affine(a, b) : null) ?? counted(a, b);
}
