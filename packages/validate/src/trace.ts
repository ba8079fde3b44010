import type { NdArray } from '@tfparity/array';
import type { OpReference } from './triage-report.js';

/** What is kept of every array of a trace: enough to say whether it differs, and about how much. */
export interface ArrayDigest {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** 64 bits over all bytes; null where only the sha256 is known. */
  readonly hash: string | null;
  /** Of end points, and of recorded runs. */
  readonly sha256?: string;
  /** How many of the sampled elements are finite, NaN, infinite. */
  readonly finite: number;
  readonly nan: number;
  readonly infinite: number;
  /** Over the sampled elements that are finite (in recorded runs: over all); 0 where there are none. */
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Root of the mean square. */
  readonly rms: number;
  /** Elements at flat indices 0, `stride`, 2·`stride`, … */
  readonly stride: number;
  readonly samples: ArrayLike<number>;
}

/** Where an op's input comes from. */
export type InputOrigin =
  | { readonly kind: 'op'; readonly op: number; readonly output: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'constant' }
  | { readonly kind: 'input' };

/** One input of one op. */
export interface TraceInput {
  readonly name: string;
  readonly origin: InputOrigin;
  readonly digest: ArrayDigest;
  /** Values: of small constants always, of other sources where a trace was told to keep them. */
  readonly value?: NdArray;
}

/** One kernel call, or one end point of a recorded run. */
export interface TraceOp extends OpReference {
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: readonly TraceInput[];
  readonly outputs: readonly ArrayDigest[];
}

/** A tensor that a run returned, by its path in what was returned. */
export interface TraceEndPoint {
  readonly name: string;
  /** The op that computed it; -1 where it is an input handed back. */
  readonly op: number;
  readonly digest: ArrayDigest;
  /** All values, as far as the trace's memory allows. */
  readonly value?: NdArray;
}

/** What a side computed, in program order. */
export interface Trace {
  readonly name: string;
  readonly backend: string | null;
  /** Whether every kernel call is in `ops`, or end points alone are known. */
  readonly detail: 'ops' | 'end-points';
  readonly ops: readonly TraceOp[];
  readonly endPoints: readonly TraceEndPoint[];
}
