import { type NdArray, type ArrayLike as TensorLike, toNdArray } from '@tfparity/array';
import type { ArrayDigest, Trace } from './trace.js';
import { digestOf, sha256Of } from './trace-digest.js';

/** One end point of a recorded run that kept a sample: every `stride`-th value, and the hash of all. */
export interface RecordedSample {
  readonly shape: readonly number[];
  readonly sha256: string;
  readonly stride: number;
  readonly samples: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Norm over all elements. */
  readonly l2: number;
  /** Default float32. */
  readonly dtype?: string;
}

const endPointsOnly = { backend: null, detail: 'end-points', ops: [] } as const;

/** A trace of recorded samples, in the order in which they are given: `traceOfSamples('TensorFlow', run.endpoints)`. */
export function traceOfSamples(name: string, endPoints: Readonly<Record<string, RecordedSample>>): Trace {
  return {
    ...endPointsOnly,
    name,
    endPoints: Object.entries(endPoints).map(([point, { l2, dtype = 'float32', ...rest }]) => {
      const size = rest.shape.reduce((a, b) => a * b, 1);
      const counts = { finite: size, nan: 0, infinite: 0, rms: l2 / Math.sqrt(Math.max(1, size)) };
      const digest: ArrayDigest = { ...rest, ...counts, dtype, hash: null };
      return { name: point, op: -1, digest };
    }),
  };
}

/** A trace of recorded arrays, such as the outputs of a golden bundle's run, in the order in which they are given. */
export async function traceOfArrays(name: string, arrays: Readonly<Record<string, TensorLike>>): Promise<Trace> {
  const endPoints = Object.entries(arrays).map(async ([point, array]) => {
    const value: NdArray = toNdArray(array);
    return { name: point, op: -1, digest: { ...digestOf(value), sha256: await sha256Of(value) }, value };
  });
  return { ...endPointsOnly, name, endPoints: await Promise.all(endPoints) };
}
