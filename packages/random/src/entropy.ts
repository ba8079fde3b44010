/** A pair of seeds from the platform's entropy, never (0, 0): for ops that TensorFlow would seed so. */
export function entropy(): readonly [seed: number, seed2: number] {
  const [a = 0, b = 0] = crypto.getRandomValues(new Uint32Array(2));
  return [a, b === 0 ? 1 : b];
}
