import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { logf, scaledSincosf } from '../src/libm.js';
import { log, logFactorial, sincos } from '../src/libm-double.js';
import { log1p } from '../src/libm-log1p.js';
import { pow } from '../src/libm-pow.js';

const sha256 = (data: Float32Array | Float64Array) =>
  createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex');

// C, glibc 2.36 on x86-64 with FMA: for m = 0 … 2^23 - 1 with float u = m * 2^-23, the floats
// sqrtf(-2.0f * logf(u < 1.0e-7f ? 1.0e-7f : u)), then sine and cosine of sincosf((float)(2.0f * M_PI * u)).
it('gives the float32 of glibc for every argument that Box-Muller has', () => {
  const values = new Float32Array(3 * 2 ** 23);
  for (let m = 0; m < 2 ** 23; m++) {
    const u = m * 2 ** -23;
    values[3 * m] = Math.sqrt(-2 * logf(Math.max(u, Math.fround(1e-7))));
    scaledSincosf(Math.fround(2 * Math.PI * u), 1, values, 3 * m + 1);
  }
  expect(sha256(values)).toBe('3ca1e7d981e81d31a9ff2e3fdf97a7acdf1180fa133a17cd9c3eb2eb9c0a2e6f');
}, 30_000);

const pair = new Float64Array(2);
const sine = (x: number) => {
  sincos(x, pair);
  return pair[0]!;
};
const cosine = (x: number) => {
  sincos(x, pair);
  return pair[1]!;
};

// N = 100003; hashlib.sha256(array.array('d', [F(i / N) for i in range(1, N)]).tobytes()).hexdigest() in Python 3.11 on
// glibc 2.36, F as named; sin and cos of 2 * math.pi * (i / N).
it.each([
  ['math.log(x)', log, '566360a398b87cac9c02a0152ef4b59b2d017b2f73016967b2c8d591f4ec9e51'],
  [
    'math.sin(x)',
    (x: number) => sine(2 * Math.PI * x),
    'b23a196b0f899be56ba5d4e2f46995c58fbc7f769eb7ae3b0dff1299d761a9d8',
  ],
  [
    'math.cos(x)',
    (x: number) => cosine(2 * Math.PI * x),
    'c2714b9a88300f0d2ba21c625b3a9e4607816a9c3b9bc98c579125cddcdf875c',
  ],
  ['math.log1p(-x)', (x: number) => log1p(-x), 'd90802295ab1d06c59b326082c55898653393fdef307f07c7b7e8ca2d0759841'],
  [
    'x ** (1 / 0.3)',
    (x: number) => pow(x, 1 / 0.3),
    'a16e5f3c283f1cc5ddcc090b10548ad8b4a1ba54d4a17c3b98647026dd85ad0f',
  ],
])('gives the doubles of glibc for %s', (_, f, expected) => {
  expect(sha256(Float64Array.from({ length: 100002 }, (_, i) => f((i + 1) / 100003)))).toBe(expected);
});

it('keeps to the edges of its ranges', () => {
  expect([log(1), log1p(-0), log1p(-(2 ** -60)), log1p(-0.5)]).toEqual([0, -0, -(2 ** -60), -Math.LN2]);
  expect([sine(0), cosine(0), sine(2 ** -30)]).toEqual([0, 1, 2 ** -30]);
  // Where TensorFlow's threads would have a denormal, they have 0.
  expect([pow(0, 3), pow(1, 3), pow(0.5, 1022), pow(0.5, 1023), pow(0.5, Infinity)]).toEqual([0, 1, 2 ** -1022, 0, 0]);
});

// [math.lgamma(k + 1) for k in (0, 1, 2, 19, 20, 21, 170, 10 ** 6, 2 ** 40)]
it('gives log(k!) to a few units of the last place', () => {
  const ks = [0, 1, 2, 19, 20, 21, 170, 1e6, 2 ** 40];
  const expected = [
    0,
    0,
    Math.LN2,
    39.339884187199495,
    42.335616460753485,
    45.38013889847691,
    706.5730622457874,
    12815518.384658169,
    29385423763671.2,
  ];
  ks.forEach((k, i) => {
    expect(Math.abs(logFactorial(k) - expected[i]!), `${k}!`).toBeLessThanOrEqual(1e-15 * expected[i]!);
  });
});
