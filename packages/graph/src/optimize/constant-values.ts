import type { OutputInfo, OutputRef } from '../operation.js';
import { symbol } from './planned-run.js';
import type { Rewriter } from './rewrite.js';

/** The values of a constant of the graph; undefined for everything else. */
export function constantValues(ref: OutputRef, rewriter: Rewriter): ArrayLike<unknown> | undefined {
  const op = rewriter.producer(ref);
  return op?.type === 'Const' ? (op.attrs['value'] as ArrayLike<unknown>) : undefined;
}

/** A float32 constant. */
export function floatConstant(ref: OutputRef, rewriter: Rewriter): Float32Array | undefined {
  return infoOf(ref).dtype === 'float32' ? (constantValues(ref, rewriter) as Float32Array | undefined) : undefined;
}

/** What an output holds. */
export const infoOf = (ref: OutputRef): OutputInfo => ref.op.outputInfos[ref.index]!;

/** Whether two outputs have the recorded shape and dtype in common. */
export function sameInfo(a: OutputRef, b: OutputRef): boolean {
  const [one, other] = [infoOf(a), infoOf(b)];
  return (
    one.dtype === other.dtype &&
    one.shape.length === other.shape.length &&
    one.shape.every((size, axis) => size === other.shape[axis])
  );
}

/** Whether two outputs are one, or constants of the same values (which TensorFlow's deduplication makes one). */
export function sameValue(a: OutputRef, b: OutputRef, rewriter: Rewriter): boolean {
  if (symbol(a) === symbol(b)) return true;
  if (!sameInfo(a, b)) return false;
  const [one, other] = [constantValues(a, rewriter), constantValues(b, rewriter)];
  if (one === undefined || other === undefined || one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (!Object.is(one[i], other[i])) return false;
  return true;
}
