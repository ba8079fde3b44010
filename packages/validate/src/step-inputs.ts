import { DTYPES, type NdArray } from '@tfparity/array';
import { RandomOp } from '@tfparity/random/philox';
import type { ModelInputs } from './model-side.js';
import { inputItems, mapInputs } from './tensor-tree.js';

/** Whether all elements are the same, so that an error of order or place in front of the model can't be seen. */
function isConstant({ data }: NdArray): boolean {
  const [first] = data as Float32Array;
  return data.length > 1 && (data as Float32Array).every((value) => value === first);
}

/** The names of inputs that are constant. */
export function constantInputs(inputs: ModelInputs<NdArray>): string[] {
  return inputItems(inputs).flatMap(({ name, value }) => (isConstant(value) ? [name] : []));
}

/**
 * The inputs with every constant float32 one replaced by seeded noise in [-1, 1): an input of ones hides swapped colour
 * channels, and swapped height and width. Others are the user's own data, and stay.
 */
export function informativeInputs(inputs: ModelInputs<NdArray>): ModelInputs<NdArray> {
  let place = 0;
  return mapInputs(inputs, (array) => {
    place++;
    if (DTYPES[array.dtype].kind !== 'float' || array.dtype !== 'float32' || !isConstant(array)) return array;
    const { data } = new RandomOp('RandomUniform', { seed: 42, seed2: 100000 + place, dtype: 'float32' }).draw({
      shape: [...array.shape],
    });
    return { ...array, data: (data as Float32Array).map((value) => 2 * value - 1) };
  });
}
