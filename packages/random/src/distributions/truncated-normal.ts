// Port of TruncatedNormalDistribution and of FillPhiloxRandomTask for a variable number of samples
// (random_distributions.h, random_op_cpu.h, TensorFlow 2.21): each group of outputs starts at its own counter.
import { bfloat16Bits, type DType, float16Bits, type NumericData } from '@tfparity/array';
import type { Philox } from '../philox-generator.js';
import { boxMullerDouble } from './box-muller-double.js';
import { wrongDType } from './dtypes.js';
import { boxMullerFloat } from './normal.js';

/** Numbers that TensorFlow sets aside per output, however many are used. */
const RESERVED_PER_OUTPUT = 256;
const LIMIT = 2;

/**
 * Fills `data` with normal numbers of (-2, 2) of a real dtype; the generator stays where it is.
 *
 * @throws {RandomError} `InvalidDType` for a dtype that TensorFlow has no truncated normal numbers of
 */
export function fillTruncatedNormal(generator: Philox, dtype: DType, data: NumericData): void {
  switch (dtype) {
    case 'float32':
      fillGroups(generator, data as Float32Array, 4, takeFloats);
      break;
    case 'float64':
      fillGroups(generator, data as Float64Array, 2, takeDoubles);
      break;
    case 'float16':
    case 'bfloat16': {
      const toBits = dtype === 'float16' ? float16Bits : bfloat16Bits;
      const floats = new Float32Array(data.length);
      fillGroups(generator, floats, 4, takeFloats);
      for (let i = 0; i < floats.length; i++) (data as Uint16Array)[i] = toBits(floats[i]!);
      break;
    }
    default:
      throw wrongDType('TruncatedNormal', dtype, ['float16', 'bfloat16', 'float32', 'float64']);
  }
}

const block = new Int32Array(4);
const candidates = new Float64Array(4);

/** The up to four floats that one block gives. */
function takeFloats(): number {
  boxMullerFloat(block[0]!, block[1]!, candidates, 0);
  boxMullerFloat(block[2]!, block[3]!, candidates, 2);
  return 4;
}

/** The two doubles that one block gives. */
function takeDoubles(): number {
  boxMullerDouble(block[0]!, block[1]!, block[2]!, block[3]!, candidates);
  return 2;
}

function fillGroups(base: Philox, data: Float32Array | Float64Array, groupSize: number, take: () => number): void {
  const size = data.length;
  const skip = (groupSize * RESERVED_PER_OUTPUT) / 4;
  const start = base.clone();
  const generator = base.clone();
  for (let first = 0; first < size; first += groupSize) {
    generator.copyFrom(start);
    const end = Math.min(first + groupSize, size);
    for (let i = first; i < end; ) {
      generator.fill(block, 0, 1);
      const count = take();
      for (let k = 0; k < count && i < end; k++) {
        const value = candidates[k]!;
        if (Math.abs(value) < LIMIT) data[i++] = value;
      }
    }
    start.skip(skip);
  }
}
