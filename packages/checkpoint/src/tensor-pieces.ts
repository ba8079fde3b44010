// One tensor in pieces, so that memory does not depend on its size.
import { DTYPES, type DType, type NdArray, type NumericData, type Shape } from '@tfparity/array';
import { type ByteSource, readOwned } from './byte-source.js';
import { corrupt } from './errors.js';
import { arrayOver, swapBytes } from './store.js';
import type { TensorSlice } from './tensor-slice.js';

/** Some of a tensor's values. */
export interface TensorPiece {
  /** How many elements come before. */
  readonly offset: number;
  /** The values, in the memory that the dtype has in an array. */
  readonly data: NumericData;
}

/** A run of bytes of a file that holds a tensor, or elements of one from `first` on. */
export interface StoredRun {
  readonly source: ByteSource;
  readonly name: string;
  readonly dtype: DType;
  readonly first: number;
  readonly offset: number;
  readonly bytes: number;
  /** Whether the file has the other byte order. */
  readonly swap: boolean;
  /** Is given the bytes in order, as they are in the file. */
  readonly look?: (piece: Uint8Array) => void;
}

/** The values of a run, in order, so many bytes at a time; the next ones are read while the caller works on some. */
export async function* readRun(run: StoredRun, pieceBytes: number): AsyncGenerator<TensorPiece> {
  const { source, name, dtype, first, offset, bytes, swap, look } = run;
  const { itemSize, lanes } = DTYPES[dtype];
  if (offset + bytes > source.size) {
    throw corrupt(`its ${bytes} bytes are past the end of the file, which has ${source.size}: it was cut short`, {
      file: source.name,
      offset,
      tensor: name,
    });
  }
  const step = Math.max(1, Math.floor(pieceBytes / itemSize)) * itemSize;
  const read = (at: number): Promise<Uint8Array> => {
    const reading = readOwned(source, offset + at, Math.min(step, bytes - at), { tensor: name });
    // The caller may stop early; an error that nobody waits for must not end the process.
    reading.catch(() => undefined);
    return reading;
  };
  let coming = bytes > 0 ? read(0) : undefined;
  for (let at = 0; coming; at += step) {
    const piece = await coming;
    coming = at + step < bytes ? read(at + step) : undefined;
    look?.(piece);
    if (swap) swapBytes(piece, itemSize / lanes);
    yield { offset: first + at / itemSize, data: arrayOver(dtype, [piece.length / itemSize], piece).data };
  }
}

/** An array that is in memory, in pieces. */
export function* cutPieces({ dtype, data }: NdArray<NumericData>, pieceBytes: number): Generator<TensorPiece> {
  const { itemSize, lanes } = DTYPES[dtype];
  const step = Math.max(1, Math.floor(pieceBytes / itemSize)) * lanes;
  for (let at = 0; at < data.length; at += step) {
    yield { offset: at / lanes, data: data.subarray(at, at + step) as NumericData };
  }
}

/** The slices in the order of the whole tensor's elements, where each is a run of them; else `undefined`. */
export function inRuns(slices: readonly TensorSlice[], shape: Shape): number[] | undefined {
  if (slices.some(({ length }) => length.some((count, axis) => axis > 0 && count !== shape[axis]))) return undefined;
  return slices.map((_, i) => i).sort((a, b) => (slices[a]!.start[0] ?? 0) - (slices[b]!.start[0] ?? 0));
}
