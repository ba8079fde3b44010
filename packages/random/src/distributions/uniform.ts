// Port of UniformDistribution (xla/tsl/lib/random/random_distributions.h, TensorFlow 2.21) for real numbers.
import { type DType, float16Bits, type NumericData } from '@tfparity/array';
import type { Philox } from '../philox-generator.js';
import { wrongDType } from './dtypes.js';
import { eachPiece } from './fill.js';

/**
 * Fills `data` with uniform numbers of [0, 1) of a real dtype, from where the generator is.
 *
 * @throws {RandomError} `InvalidDType` for a dtype that TensorFlow has no uniform numbers of
 */
export function fillUniform(generator: Philox, dtype: DType, data: NumericData): void {
  switch (dtype) {
    case 'float32':
      fillUniformFloat(generator, data as Float32Array);
      break;
    case 'float64':
      fillUniformDouble(generator, data as Float64Array);
      break;
    case 'float16':
      fillFromTable(generator, data as Uint16Array, halves(), 0x3ff);
      break;
    case 'bfloat16':
      fillFromTable(generator, data as Uint16Array, bfloats(), 0x7f);
      break;
    default:
      throw wrongDType('RandomUniform', dtype, ['float16', 'bfloat16', 'float32', 'float64']);
  }
}

/** 23 bits; the kernel puts them under an exponent of 0 and takes 1 away, which is the same and exact. */
export function fillUniformFloat(generator: Philox, data: Float32Array): void {
  eachPiece(generator, data.length, (words, from, count) => {
    for (let i = 0; i < count; i++) data[from + i] = (words[i]! & 0x7fffff) * 2 ** -23;
  });
}

/** The double of two words, as `Uint64ToDouble`: 52 bits, 20 of them from the first word. */
export function uint64ToDouble(x0: number, x1: number): number {
  return ((x0 & 0xfffff) * 0x1_0000_0000 + (x1 >>> 0)) * 2 ** -52;
}

function fillUniformDouble(generator: Philox, data: Float64Array): void {
  eachPiece(generator, 2 * data.length, (words, from, count) => {
    for (let i = 0, to = from / 2; i < count; i += 2) data[to++] = uint64ToDouble(words[i]!, words[i + 1]!);
  });
}

function fillFromTable(generator: Philox, data: Uint16Array, table: Uint16Array, mask: number): void {
  eachPiece(generator, data.length, (words, from, count) => {
    for (let i = 0; i < count; i++) data[from + i] = table[words[i]! & mask]!;
  });
}

let halfTable: Uint16Array | undefined;
let bfloatTable: Uint16Array | undefined;

/** The bits of m / 1024 as float16: exact, as the kernel's subtraction of 1 is. */
function halves(): Uint16Array {
  halfTable ??= Uint16Array.from({ length: 1024 }, (_, m) => float16Bits(m / 1024));
  return halfTable;
}

/** The bits of m / 128 as bfloat16: the upper half of the float32's. */
function bfloats(): Uint16Array {
  bfloatTable ??= Uint16Array.from(
    { length: 128 },
    (_, m) => new Uint32Array(Float32Array.of(m / 128).buffer)[0]! >>> 16,
  );
  return bfloatTable;
}
