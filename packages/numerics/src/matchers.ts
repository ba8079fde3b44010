import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { NdArray } from '@tfparity/array';
import { allcloseFailure } from './assert-allclose.js';
import { NumericsError } from './errors.js';
import { formatComparison } from './format.js';
import { decodeGolden, encodeGolden } from './golden-file.js';
import type { CloseOptions } from './isclose.js';
import { isOperand, type Operand, toArray } from './operand.js';
import { compareTrees, placesOf, type Tree, type TreeOptions } from './trees.js';

/** What vitest tells a matcher about the test, as far as it is used here. */
export interface MatcherContext {
  readonly testPath?: string;
  readonly currentTestName?: string;
  readonly snapshotState?: unknown;
}

/** What a matcher answers. */
export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/** Passes where `numpy.testing.assert_allclose` would; the message is numpy's. */
export function toBeAllclose(received: Operand, expected: Operand, options?: CloseOptions): MatcherResult {
  const failure = allcloseFailure(received, expected, options);
  return {
    pass: failure === undefined,
    message: () => failure?.message.trimStart() ?? 'the arrays are close, and were expected not to be',
  };
}

/** Passes where arrays, or trees of them, have the same dtypes, shapes and bytes: +0 is not -0. */
export function toBeBitIdentical(received: Tree, expected: Tree): MatcherResult {
  const tree = compareTrees(received, expected, { rtol: 0, atol: 0, name: 'bit for bit' });
  const array = tree.items.length === 1 && isOperand(expected) ? tree.items[0]!.comparison : undefined;
  return {
    pass: tree.bitIdentical,
    message: () =>
      tree.bitIdentical
        ? 'the values are bit-identical, and were expected not to be'
        : `not bit-identical\n${formatComparison(array ?? tree)}`,
  };
}

/**
 * Passes where arrays, or trees of them, are close to those kept in `__golden__/<test file>/<name>.safetensors` beside the test. The
 * file is written when it is not there (but not in CI), and anew with `-u`.
 *
 * @param name of the file; the test's name where it is left out. A name that a file cannot have gets a hash of the whole
 * @throws {NumericsError} `InvalidGolden` for a tree that a file cannot hold all of (texts, nothing, two arrays of one name) or that
 * has no array, and for a file that is damaged, which `-u` replaces
 */
export function toMatchGolden(
  this: MatcherContext,
  received: Tree,
  name?: string,
  options: TreeOptions = {},
): MatcherResult {
  if (this.testPath === undefined) throw new Error('toMatchGolden needs to know its test file: use it inside a test');
  const stem = fileStem(name ?? this.currentTestName ?? 'golden');
  const file = join(dirname(this.testPath), '__golden__', basename(this.testPath), `${stem}.safetensors`);
  const actual = arraysOf(received);
  const update = updateMode(this.snapshotState);
  const there = existsSync(file);
  if (!there && update === 'none') {
    return { pass: false, message: () => `${file} is not there; run the test with -u to make it, and keep the file` };
  }
  const bytes = encodeGolden(actual);
  if (!there || (update === 'all' && !readFileSync(file).equals(bytes))) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.${process.pid}.partial`, bytes);
    renameSync(`${file}.${process.pid}.partial`, file);
    return { pass: true, message: () => `${file} was written just now` };
  }
  const comparison = compareTrees(actual, decodeGolden(readFileSync(file), file), options);
  return {
    pass: comparison.passed,
    message: () => `${formatComparison(comparison)}\n\ngolden: ${file} (run with -u if the new values are right)`,
  };
}

/** Two names never share a file: what is replaced or cut off is told apart by a hash. */
function fileStem(name: string): string {
  const stem = name.replace(/[^\w.-]+/g, '_').slice(0, 120);
  return stem === name ? stem : `${stem}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/** Everything in the tree, by name: what a file does not keep would never be compared. */
function arraysOf(tree: Tree): Map<string, NdArray> {
  const arrays = new Map<string, NdArray>();
  const refuse = (why: string): never => {
    throw new NumericsError('InvalidGolden', `${why}; leave it out of what is matched, or compare it by itself`);
  };
  for (const { name, value } of placesOf(tree)) {
    const place = name || 'the value';
    if (value === null || value === undefined || typeof value === 'string') {
      refuse(`${place}: a golden file cannot hold ${typeof value === 'string' ? `the text '${value}'` : 'nothing'}`);
    }
    if (arrays.has(name) || name === '__metadata__')
      refuse(`${place}: a golden file cannot hold another array so called`);
    arrays.set(name, toArray(value as Operand));
  }
  if (arrays.size === 0) {
    throw new NumericsError('InvalidGolden', 'there is no array to match: a golden of nothing would always pass');
  }
  return arrays;
}

/** What vitest's `-u` and CI detection say: `all`, `new` or `none`. */
function updateMode(state: unknown): string {
  const mode =
    typeof state === 'object' && state !== null && '_updateSnapshot' in state ? state._updateSnapshot : 'new';
  return String(mode);
}
