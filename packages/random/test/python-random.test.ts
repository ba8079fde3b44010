import { expect, it } from 'vitest';
import { isRandomError, PythonRandom } from '../src/philox.js';

// r = random.Random(seed); [r.randint(0, 2**31 - 1) for _ in range(4)]; 2000 times r.getrandbits(32); r.randint(0, 2**31 - 1)
it.each([
  [0n, [1654615998, 1806341205, 173879092, 1112038970], 805970311],
  [1n, [577090037, 271041745, 1095513148, 506456969], 250954502],
  [1234n, [1892932127, 501869158, 32175636, 389311301], 1354917432],
  [-5n, [1097127993, 1539898300, 124576495, 1999834075], 476848531],
  [2147483647n, [1364760256, 516955790, 843305193, 1247118883], 202033077],
  [1099511627793n, [1037313734, 1965542259, 478098445, 1910693568], 451318110],
  [1267650600228229401496703205379n, [1532279558, 1283910471, 1762924757, 2022036768], 1317989755],
])('draws what random.Random(%s) draws', (seed, first, later) => {
  const random = new PythonRandom(seed);
  expect(first.map(() => random.randint(0, 2 ** 31 - 1))).toEqual(first);
  for (let i = 0; i < 2000; i++) random.getrandbits(32);
  expect(random.randint(0, 2 ** 31 - 1)).toBe(later);
});

it('takes a number as it takes a bigint', () => {
  expect(new PythonRandom(-7).getrandbits(64)).toBe(new PythonRandom(-7n).getrandbits(64));
});

// r = random.Random(42); r.random(), r.getrandbits(100), r.getrandbits(1), r.randint(-5, 2**40)
it('draws doubles, wide bits and wide ranges', () => {
  const random = new PythonRandom(42);
  expect(random.random()).toBe(0.6394267984578837);
  expect(random.getrandbits(100)).toBe(259474555368124611114247330513n);
  expect(random.getrandbits(1)).toBe(0n);
  expect(random.randint(-5, 2 ** 40)).toBe(191320892463);
});

it('refuses seeds and bounds that are not whole', () => {
  expect(() => new PythonRandom(1.5)).toThrow(/whole number/);
  expect(() => new PythonRandom(1).randint(3, 2)).toThrow('empty range for randrange() (3, 3)');
  try {
    new PythonRandom(Number.NaN);
  } catch (error) {
    expect(isRandomError(error) && error.code).toBe('InvalidSeed');
  }
});
