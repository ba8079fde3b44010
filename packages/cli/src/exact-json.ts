import { isRecord } from './report/loose.js';
import { readJson } from './result-files.js';

const NUMBERS_AND_TEXTS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const INTEGER_BEYOND_DOUBLE = /^-?\d{16,}$/;
/** Stands before an integer's digits while JSON is read: no text of a file begins so by accident. */
const MARK = '\u0000tfparity integer ';

/** The value in a JSON file, with integers of 16 and more digits as bigints. @throws as `readJson` */
export function readExactJson(path: string): unknown {
  return readJson(path, (text) => {
    if (!/\d{16}/.test(text)) return JSON.parse(text);
    // Before anything is replaced, it must be JSON.
    JSON.parse(text);
    const marked = text.replace(NUMBERS_AND_TEXTS, (token) =>
      INTEGER_BEYOND_DOUBLE.test(token) ? JSON.stringify(`${MARK}${token}`) : token,
    );
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
    );
  });
}

const isInteger = (value: unknown): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0));

/** Whether 64 bits hold it. */
const fits = (value: number | bigint): boolean => value >= -(2n ** 63n) && value < 2n ** 64n;

/**
 * Both trees with the numbers that are whole on both sides as bigints, which are compared exactly (a step, an id, a count), and
 * all others as numbers. What 64 bits do not hold is compared digit by digit, as text.
 */
export function exactIntegers(a: unknown, b: unknown): [unknown, unknown] {
  if (isInteger(a) && isInteger(b)) {
    return fits(a) && fits(b) ? [BigInt(a), BigInt(b)] : [String(BigInt(a)), String(BigInt(b))];
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    const pairs = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => exactIntegers(a[i], b[i]));
    return [pairs.slice(0, a.length).map(([x]) => x), pairs.slice(0, b.length).map(([, y]) => y)];
  }
  if (isRecord(a) && isRecord(b)) {
    const pairs = new Map(
      [...Object.keys(a), ...Object.keys(b)].map((key) => [key, exactIntegers(a[key], b[key])] as const),
    );
    const side = (record: object, at: 0 | 1) =>
      new Map(Object.keys(record).map((key) => [key, pairs.get(key)![at]] as const));
    return [side(a, 0), side(b, 1)];
  }
  return [plain(a), plain(b)];
}

/** A value whose counterpart is none: its integers are numbers like others. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (isRecord(value)) return new Map(Object.entries(value).map(([key, item]) => [key, plain(item)] as const));
  return value;
}
