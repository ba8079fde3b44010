import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NdArray } from '@tfparity/array';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isNumericsError } from '../src/index.js';
import { toBeAllclose, toBeBitIdentical, toMatchGolden } from '../src/vitest.js';

const f32 = (...values: number[]): NdArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

describe('matchers', () => {
  it('are added to expect', () => {
    expect(f32(1, 2)).toBeAllclose(f32(1, 2));
    expect(f32(1, 2)).not.toBeAllclose(f32(1, 2.1));
    expect([1, Number.NaN]).toBeAllclose([1, Number.NaN]);
    expect({ a: f32(1) }).toBeBitIdentical({ a: f32(1) });
    expect(f32(0)).not.toBeBitIdentical(f32(-0));
  });

  it("give numpy's words", () => {
    expect(toBeAllclose([1, 2], [1, 3]).message()).toContain('Mismatched elements: 1 / 2 (50%)');
    expect(toBeBitIdentical(f32(0), f32(-0)).message()).toMatch(/^not bit-identical\nclose: float32 \(1,\)/);
  });
});

describe('toMatchGolden', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'golden-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const match = (
    mode: string,
    received: Parameters<typeof toMatchGolden>[0],
    name = 'end-points',
  ): ReturnType<typeof toMatchGolden> =>
    toMatchGolden.call(
      { testPath: join(folder, 'net.test.ts'), snapshotState: { _updateSnapshot: mode } },
      received,
      name,
    );
  const file = (): string => join(folder, '__golden__', 'net.test.ts', 'end-points.safetensors');

  it('writes a new file, compares with it, and updates it when told', () => {
    const values = {
      logits: f32(1, 2),
      half: { dtype: 'float16', shape: [], data: Uint16Array.of(0x3c00) } as NdArray,
      n: [1, 2],
    };
    expect(match('new', values).pass).toBe(true);
    expect(match('none', values).pass).toBe(true);
    const other = { ...values, logits: f32(1, 3) };
    const failed = match('new', other);
    expect(failed.pass).toBe(false);
    expect(failed.message()).toContain('logits: 1 of 2 elements');
    expect(match('none', { logits: f32(1, 2) }).message()).toContain('half: expected, but not there');
    expect(match('all', other).pass).toBe(true);
    expect(match('none', other).pass).toBe(true);
    expect(match('none', values).pass).toBe(false);
  });

  it('fails in CI where the file is not there', () => {
    expect(match('none', f32(1)).pass).toBe(false);
  });

  it('refuses a file that is cut off, and values that it cannot keep', () => {
    match('new', f32(1, 2));
    const bytes = readFileSync(file());
    for (const length of [0, 7, 20, bytes.length - 1]) {
      writeFileSync(file(), bytes.subarray(0, length));
      let thrown: unknown;
      try {
        match('none', f32(1, 2));
      } catch (error) {
        thrown = error;
      }
      expect(isNumericsError(thrown) && thrown.code).toBe('InvalidGolden');
    }
    expect(() => match('new', { dtype: 'string', shape: [0], data: [] }, 'text')).toThrow(/cannot hold string/);
    expect(match('all', f32(1, 2)).pass).toBe(true);
    expect(match('none', f32(1, 2)).pass).toBe(true);
  });

  it('refuses a tree of which a file would keep a part, and one without arrays', () => {
    expect(() => match('new', { x: f32(1), label: 'cat' })).toThrow("label: a golden file cannot hold the text 'cat'");
    expect(() => match('new', { x: f32(1), y: null })).toThrow('y: a golden file cannot hold nothing');
    expect(() => match('new', { 'a/b': f32(1), a: { b: f32(2) } })).toThrow(/a\/b: .* cannot hold another array/);
    expect(() => match('new', { __metadata__: f32(1) })).toThrow(/cannot hold/);
    expect(() => match('new', {})).toThrow(/always pass/);
  });

  it('keeps names apart that a file cannot have', () => {
    const [a, b, long] = ['net: a + b', 'net: a - b', 'x'.repeat(130)];
    expect(match('new', f32(1), a).pass).toBe(true);
    expect(match('new', f32(2), b).pass).toBe(true);
    expect(match('new', f32(3), `${long}1`).pass).toBe(true);
    expect(match('new', f32(4), `${long}2`).pass).toBe(true);
    expect(match('none', f32(1), a).pass).toBe(true);
    expect(match('none', f32(3), `${long}1`).pass).toBe(true);
  });
});
