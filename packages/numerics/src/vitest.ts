// Importing this file adds the matchers to vitest's `expect`: name it in a test, or among the `setupFiles`.
import { expect } from 'vitest';
import type { CloseOptions } from './isclose.js';
import { toBeAllclose, toBeBitIdentical, toMatchGolden } from './matchers.js';
import type { Operand } from './operand.js';
import type { Tree, TreeOptions } from './trees.js';

declare module 'vitest' {
  interface Matchers<T> {
    /** Passes where `numpy.testing.assert_allclose` would. */
    toBeAllclose(expected: Operand, options?: CloseOptions): T;
    /** Passes where dtypes, shapes and bytes are the same. */
    toBeBitIdentical(expected: Tree): T;
    /** Passes where the arrays are close to those in the file beside the test; `-u` updates it. */
    toMatchGolden(name?: string, options?: TreeOptions): T;
  }
}

expect.extend({ toBeAllclose, toBeBitIdentical, toMatchGolden });

export { toBeAllclose, toBeBitIdentical, toMatchGolden };
