import { expect, it } from 'vitest';
import { isRandomError, Philox } from '../src/philox.js';

const hex = (words: Iterable<number>) => Array.from(words, (w) => w.toString(16).padStart(8, '0')).join(' ');

// kat_vectors of Random123 1.14 (D. E. Shaw Research): philox4x32 10.
it.each([
  [0n, 0n, '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  [2n ** 64n - 1n, 2n ** 128n - 1n, '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  [0x299f31d0_a4093822n, 0x03707344_13198a2e_85a308d3_243f6a88n, 'd16cfe09 94fdcceb 5001e420 24126ea1'],
])('has the known answer for key %s, counter %s', (key, counter, block) => {
  expect(hex(new Philox(key, counter).next())).toBe(block);
});

/** Philox by its definition, a block at a time, in BigInt. */
function blockOf(key: bigint, counter: bigint): number[] {
  const word = (value: bigint, i: number) => (value >> BigInt(32 * i)) & 0xffffffffn;
  let [x0, x1, x2, x3] = [0, 1, 2, 3].map((i) => word(counter, i)) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = [word(key, 0), word(key, 1)];
  for (let round = 0; round < 10; round++) {
    const p = x0 * 0xd2511f53n;
    const q = x2 * 0xcd9e8d57n;
    [x0, x1, x2, x3] = [(q >> 32n) ^ x1 ^ k0, q & 0xffffffffn, (p >> 32n) ^ x3 ^ k1, p & 0xffffffffn];
    k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
    k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
  }
  return [x0, x1, x2, x3].map(Number);
}

it.each([32n, 64n, 96n, 128n])('carries where 2^%s blocks are passed, in one fill and over several', (bits) => {
  const key = 0x123456789abcdef0n;
  const first = 2n ** bits - 3n;
  const expected = Array.from({ length: 7 }, (_, i) => blockOf(key, (first + BigInt(i)) & (2n ** 128n - 1n))).flat();
  const whole = new Philox(key, first);
  const words = new Uint32Array(28);
  whole.fill(words);
  expect(Array.from(words)).toEqual(expected);
  const single = new Philox(key, first);
  expect(Array.from({ length: 7 }, () => Array.from(single.next())).flat()).toEqual(expected);
  expect(whole.counter).toBe((first + 7n) & (2n ** 128n - 1n));
  expect(whole.key).toBe(key);
});

it('skips as many blocks as it is told, over every carry of a 64-bit count', () => {
  for (const [from, blocks] of [
    [0n, 0],
    [5n, 1],
    [2n ** 32n - 1n, 1],
    [2n ** 32n - 1n, 2 ** 33 + 7],
    [2n ** 64n - 1n, 1],
    [2n ** 96n - 1n, 2 ** 52 + 3],
  ] as const) {
    expect(new Philox(1, from).skip(blocks).counter).toBe(from + BigInt(blocks));
  }
});

it('fills signed and unsigned words alike, from an offset, and only what it is told', () => {
  const signed = new Int32Array(12).fill(-1);
  const unsigned = new Uint32Array(8);
  new Philox(7, 9).fill(signed, 4, 1);
  new Philox(7, 9).fill(unsigned);
  expect(Array.from(signed.subarray(4, 8))).toEqual(Array.from(unsigned.subarray(0, 4), (w) => w | 0));
  expect(Array.from(signed.subarray(8))).toEqual([-1, -1, -1, -1]);
  expect(Array.from(signed.subarray(0, 4))).toEqual([-1, -1, -1, -1]);
});

it('takes keys and counters as numbers, bigints and words', () => {
  const block = hex(new Philox(-1, 3n << 64n).next());
  expect(hex(new Philox(2n ** 64n - 1n, [0, 0, 3, 0]).next())).toBe(block);
  expect(hex(new Philox([0xffffffff, -1], Uint32Array.of(0, 0, 3, 0)).next())).toBe(block);
});

it('goes on alone after clone, and stands where copyFrom puts it', () => {
  const one = new Philox(1, 2);
  const other = one.clone();
  one.next();
  expect(other.counter).toBe(2n);
  expect(other.copyFrom(one).counter).toBe(3n);
});

it.each([
  [1.5, 0, 'key is 1.5, not a whole number'],
  [2n ** 64n, 0, 'more than 64 bits'],
  [0, 2n ** 128n, 'more than 128 bits'],
  [[1], 0, 'key needs 2 words of 32 bits'],
  [0, [1, 2, 3, 2 ** 32], 'counter needs 4 words of 32 bits'],
])('refuses key %s, counter %s', (key, counter, message) => {
  expect(() => new Philox(key, counter)).toThrow(message);
  try {
    new Philox(key, counter);
  } catch (error) {
    expect(isRandomError(error) && error.code).toBe('InvalidArgument');
  }
});
