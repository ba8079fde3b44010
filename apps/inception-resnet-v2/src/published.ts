// The numbers that the guide "Validating correctness & numerical equivalence" prints, from tensorflow.org, TF 2.8 to 2.11.
// They stand beside what is computed; nothing is computed from them.

/** Regularization losses of the guide's runs, and how far (relative) today's TensorFlow may be from what it printed. */
export const PUBLISHED_LOSSES = {
  reset: { value: 0.001182976, rtol: 4e-6 },
  infer: { value: 1.2254326, rtol: 4e-7 },
  train: { value: 1.22548, rtol: 4e-7 },
  constant: { value: 1.2239965, rtol: 4e-7 },
} as const;

/** The first array of both modes, and in constant mode the first column of the others. */
const a = [2.5063772, 2.7488918, 1.4839486];
const constant = [2.5063772, 2.7488918, 1.4839486, 1.5633398, 2.1358476, 1.3693532, 0.3598416, 1.8287641, 2.5314465];

/** The guide's arrays `a` (3, 1), `b` (3, 3) and `c` (3, 3): uniforms times 3, flat. */
export const PUBLISHED_ARRAYS = {
  constant: { a, b: constant, c: constant },
  num_random_ops: {
    a,
    b: [0.45038545, 1.9197761, 2.4536333, 1.0371652, 2.9898582, 1.924583, 0.25679827, 1.6579313, 2.8418403],
    c: [2.9634383, 1.0862181, 2.6042497, 0.70099247, 2.3920312, 1.0470468, 0.18173039, 0.8359269, 1.0508587],
  },
} as const;
