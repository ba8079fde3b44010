import { type NdArray, sameShape, sizeOf, unravelIndex } from '@tfparity/array';
import { type ArrayComparison, headerDifferences } from './array-comparison.js';
import type { ElementDifference } from './tally.js';
import type { AppliedTolerance } from './tolerance.js';

const text = new TextDecoder();

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Two arrays of which at least one holds strings, byte by byte; another dtype fails. */
export function compareStrings(a: NdArray, b: NdArray, tolerance: AppliedTolerance, keep: number): ArrayComparison {
  const differences = headerDifferences(a, b);
  const first: ElementDifference[] = [];
  const total = sizeOf(b.shape);
  let mismatched = 0;
  if (Array.isArray(a.data) && Array.isArray(b.data) && sameShape(a.shape, b.shape)) {
    for (let i = 0; i < total; i++) {
      const [x, y] = [a.data[i]!, b.data[i]!];
      if (sameBytes(x, y)) continue;
      mismatched++;
      if (first.length < keep) {
        first.push({ offset: i, index: unravelIndex(i, b.shape), actual: text.decode(x), expected: text.decode(y) });
      }
    }
  }
  if (mismatched > 0) differences.push({ kind: 'values', message: `${mismatched} of ${total} strings differ` });
  return {
    passed: differences.length === 0,
    bitIdentical: differences.length === 0,
    differences,
    actual: { dtype: a.dtype, shape: [...a.shape] },
    expected: { dtype: b.dtype, shape: [...b.shape] },
    tolerance,
    total,
    mismatched,
    first,
    warnings: total === 0 ? [{ kind: 'empty', message: 'there are no elements: nothing was compared' }] : [],
  };
}
