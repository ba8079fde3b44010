import { createHash } from 'node:crypto';
import { bytesOf, ndArray } from '@tfparity/array';
import { describe, expect, it } from 'vitest';
import { isRandomError, RANDOM_OPS, RandomOp, type RandomOpInputs, type RandomOpName } from '../src/philox.js';

const uniform = (seed: number | bigint, seed2: number | bigint, shape = [3]) =>
  Array.from(new RandomOp('RandomUniform', { seed, seed2 }).draw({ shape }).data as Float32Array);

// tf.raw_ops.RandomUniform(shape=[3], dtype=tf.float32, seed=…, seed2=…)
it.each([
  [-1n, 0n, [0.28488266468048096, 0.5568610429763794, 0.5131872892379761]],
  [1099511627776n, 0n, [0.21792817115783691, 0.520254373550415, 0.22192835807800293]],
  [9223372036854775807n, 0n, [0.8071185350418091, 0.8431688547134399, 0.8472657203674316]],
  [-9223372036854775808n, 0n, [0.21960139274597168, 0.9643386602401733, 0.7797689437866211]],
  [42n, -3n, [0.5426487922668457, 0.7101964950561523, 0.20674800872802734]],
  [42n, 1099511627776n, [0.8163169622421265, 0.626862645149231, 0.705776572227478]],
  [42n, -9223372036854775808n, [0.21590197086334229, 0.08666300773620605, 0.6236543655395508]],
  [0n, 1n, [0.5397301912307739, 0.10493969917297363, 0.20118176937103271]],
])('takes the seeds (%s, %s) as 64-bit two’s complement', (seed, seed2, expected) => {
  expect(uniform(seed, seed2)).toEqual(expected);
  if (BigInt(Number(seed)) === seed && Number.isSafeInteger(Number(seed)) && Number.isSafeInteger(Number(seed2))) {
    expect(uniform(Number(seed), Number(seed2))).toEqual(expected);
  }
});

// A traced function that draws RandomUniform(seed=42, seed2=0) of the shape it is given, called four times.
it('goes on where the last draw ended, whatever the shapes, and not at all for an empty one', () => {
  const op = new RandomOp('RandomUniform', { seed: 42, seed2: 0, dtype: 'float32' });
  const draw = (size: number) => Array.from(op.draw({ shape: [size] }).data as Float32Array);
  expect(draw(3)).toEqual([0.8354591131210327, 0.9162973165512085, 0.4946495294570923]);
  expect(draw(17).slice(0, 2)).toEqual([0.3661808967590332, 0.015453338623046875]);
  expect(draw(0)).toEqual([]);
  expect(draw(2)).toEqual([0.32355451583862305, 0.5140204429626465]);
});

it('draws the same from a stateless op each time, with its seed given with the draw or once', () => {
  const op = new RandomOp('StatelessRandomNormal', { dtype: 'float64' });
  const first = op.draw({ shape: [5], seed: [1, 2n] });
  expect(op.draw({ shape: [5], seed: [1, 2] })).toEqual(first);
  expect(new RandomOp('StatelessRandomNormal', { dtype: 'float64', seed: [1, 2], shape: [5] }).draw()).toEqual(first);
});

it.each(['float32', 'float64', 'float16', 'bfloat16'] as const)(
  'starts a longer %s draw as a shorter one, over the ends of blocks and pieces',
  (dtype) => {
    for (const name of ['RandomUniform', 'RandomStandardNormal', 'TruncatedNormal'] as const) {
      const draw = (size: number) => bytesOf(new RandomOp(name, { seed: 3, seed2: 4, dtype }).draw({ shape: [size] }));
      const all = draw(9001);
      const width = all.length / 9001;
      for (const size of [0, 1, 2, 3, 5, 2047, 2048, 2049, 4095, 4096, 4097, 8193]) {
        expect(Buffer.compare(draw(size), all.subarray(0, size * width)), `${name} ${size}`).toBe(0);
      }
    }
  },
);

describe('RandomShuffle', () => {
  const shuffle = (value: RandomOpInputs['value']) =>
    new RandomOp('RandomShuffle', { seed: 5, seed2: 6 }).draw({ value });
  const text = new TextEncoder();

  // tf.raw_ops.RandomShuffle(value=tf.reshape(tf.range(12), [6, 2]), seed=5, seed2=6); value=['a', 'b', 'c', 'd', 'e']
  it('moves whole rows, of any dtype, and leaves its input alone', () => {
    const value = ndArray(
      'int32',
      [6, 2],
      Int32Array.from({ length: 12 }, (_, i) => i),
    );
    const shuffled = shuffle(value);
    expect(shuffled.shape).toEqual([6, 2]);
    expect(Array.from(shuffled.data as Int32Array)).toEqual([6, 7, 0, 1, 2, 3, 10, 11, 4, 5, 8, 9]);
    expect(value.data[0]).toBe(0);
    const letters = { dtype: 'string', shape: [5], data: [...'abcde'].map((c) => text.encode(c)) } as const;
    expect(shuffle(letters).data).toEqual([...'deabc'].map((c) => text.encode(c)));
  });

  it('copies what cannot be shuffled, and draws nothing for it', () => {
    for (const value of [3, [], [7], [[1, 2, 3]]]) {
      expect(Array.from(shuffle(value).data as Int32Array)).toEqual([value].flat(2));
    }
    const op = new RandomOp('RandomShuffle', { seed: 5, seed2: 6 });
    op.draw({ value: [7] });
    expect(op.draw({ value: [0, 1, 2, 3, 4] })).toEqual(shuffle([0, 1, 2, 3, 4]));
  });
});

describe('at the edges of their parameters', () => {
  // tf.raw_ops.RandomPoissonV2(shape=[3], rate=[inf, 0.0, -1.0], seed=5, seed2=6, dtype=…)
  it('RandomPoissonV2 gives infinity (0 of an integer dtype) for an infinite rate, 0 for rates up to 0', () => {
    const draw = (dtype: 'float32' | 'int64') =>
      new RandomOp('RandomPoissonV2', { seed: 5, seed2: 6, dtype }).draw({
        shape: [3],
        rate: Float32Array.of(Infinity, 0, -1),
      });
    const inf = Infinity;
    expect(Array.from(draw('float32').data as Float32Array)).toEqual([inf, 0, 0, inf, 0, 0, inf, 0, 0]);
    expect(draw('int64').data).toEqual(new BigInt64Array(9));
  });

  // tf.raw_ops.RandomGamma(shape=[2], alpha=[0.0, 0.01], seed=5, seed2=6)
  it('RandomGamma flushes denormals to 0, as TensorFlow’s threads do', () => {
    const { data } = new RandomOp('RandomGamma', { seed: 5, seed2: 6 }).draw({ shape: [2], alpha: [0, 0.01] });
    expect(data).toEqual(Float32Array.of(0, 1.2527584763825927e-13, 0, 0));
  });

  // tf.raw_ops.Multinomial(logits=[[nan, 1, inf, 2], [-inf] * 4], num_samples=5, seed=5, seed2=6, output_dtype=tf.int32)
  it('Multinomial leaves out classes whose logits are not finite, and gives the number of classes where none is', () => {
    const logits = [
      [Number.NaN, 1, Infinity, 2],
      [-Infinity, -Infinity, -Infinity, -Infinity],
    ];
    const op = new RandomOp('Multinomial', { seed: 5, seed2: 6, dtype: 'int32' });
    expect(op.draw({ logits, numSamples: 5 }).data).toEqual(Int32Array.of(3, 3, 3, 3, 3, 4, 4, 4, 4, 4));
  });
});

// tf.config.threading.set_intra_op_parallelism_threads(threads); sha256 of the bytes of tf.raw_ops.Multinomial(
// logits=((np.arange(5000) * 37) % 101).reshape(100, 50).astype(np.float32) / 32, num_samples=7, seed=5, seed2=6)
it.each([
  [1, '760c2f705dd6fcb09bc913f7475fe5c7db73735fe3380acb6fb81f3e0a9ec0d4'],
  [2, '56a50d1ed73495e4864225336db1c361762199f98d2d12939cbdc97b6ef245a1'],
  [3, 'b0f7620c7b15d177ea9ff7162eb294d53de47a8ea7e5d664ab642caf62924130'],
  [8, '56a50d1ed73495e4864225336db1c361762199f98d2d12939cbdc97b6ef245a1'],
])('Multinomial draws a large batch as a TensorFlow of %s threads does', (threads, expected) => {
  const values = Float32Array.from({ length: 5000 }, (_, i) => ((i * 37) % 101) / 32);
  const op = new RandomOp('Multinomial', { seed: 5, seed2: 6, threads });
  const drawn = op.draw({ logits: ndArray('float32', [100, 50], values), numSamples: 7 });
  expect(createHash('sha256').update(bytesOf(drawn)).digest('hex')).toBe(expected);
});

describe('what is refused', () => {
  const base = { RandomUniformInt: { minval: 0, maxval: 5 } } as Record<string, object>;
  const drawing = (name: RandomOpName, inputs: object, attributes: object = {}) => {
    const op = new RandomOp(name, { seed: 1, seed2: 2, ...attributes });
    return () => op.draw({ ...base[name], ...inputs });
  };

  it.each([
    ['RandomUniformInt', { shape: [2], minval: 3, maxval: 3 }, {}, 'Need minval < maxval, got 3 >= 3'],
    ['RandomUniformInt', { shape: [2], minval: 0, maxval: 2 ** 31 }, {}, 'maxval is 2147483648, which is not an int32'],
    ['RandomUniformInt', { shape: [2], minval: 0.5 }, {}, 'minval is 0.5, which is not an int32'],
    ['RandomUniform', { shape: [-2] }, {}, 'Dimension -2 must be >= 0'],
    ['RandomUniform', { shape: [1.5] }, {}, 'Dimension 1.5 must be >= 0'],
    ['RandomUniform', {}, {}, "RandomUniform needs 'shape', which was not given"],
    ['RandomUniform', { shape: [2 ** 45] }, {}, 'OOM when allocating tensor with shape[35184372088832]'],
    ['RandomUniform', { shape: [2 ** 40, 2 ** 40] }, {}, 'OOM when allocating tensor'],
    ['RandomUniform', { shape: [2] }, { dtype: 'int32' }, 'of int32 is not in the list of allowed values'],
    ['RandomGamma', { shape: [2], alpha: [1] }, { dtype: 'bfloat16' }, 'of bfloat16 is not in the list'],
    ['RandomPoissonV2', { shape: [2], rate: [Number.NaN] }, {}, 'rate 0 is NaN'],
    ['Multinomial', { logits: [1], numSamples: 3 }, {}, 'logits should be a matrix, got shape [1]'],
    ['Multinomial', { logits: [[1]], numSamples: -3 }, {}, 'num_samples should be non-negative, got -3'],
    ['Multinomial', { logits: [[], []], numSamples: 3 }, {}, 'num_classes should be positive, got 0'],
    ['Multinomial', { logits: [[1], []], numSamples: 3 }, {}, 'non-rectangular sequence'],
    ['StatelessRandomUniform', { shape: [2], seed: [1, 2, 3] }, {}, 'seed must have shape [2], not [3]'],
  ] as const)('%s %o %o', (name, inputs, attributes, message) => {
    const draw = drawing(name, inputs, attributes);
    expect(draw).toThrow(message);
    try {
      draw();
    } catch (error) {
      expect(isRandomError(error)).toBe(true);
    }
  });

  it('bounds that do not order are let through where nothing is drawn, as in TensorFlow', () => {
    expect(drawing('RandomUniformInt', { shape: [0], minval: 3, maxval: 3 })().shape).toEqual([0]);
  });

  it.each([
    [2n ** 63n, 0, 'int too big to convert'],
    [2 ** 60, 0, 'beyond 2^53 a bigint'],
    [0, 0.5, 'a seed is a whole number'],
    [0, 0, 'TensorFlow takes seeds from entropy'],
    [0n, 0n, 'TensorFlow takes seeds from entropy'],
  ])('the seeds %s, %s', (seed, seed2, message) => {
    const make = () => new RandomOp('RandomUniform', { seed, seed2 });
    expect(make).toThrow(message);
    try {
      make();
    } catch (error) {
      expect(isRandomError(error) && error.code).toBe('InvalidSeed');
    }
  });

  it('an op that is not one of TensorFlow’s', () => {
    expect(() => new RandomOp('RandomNormal' as RandomOpName, { seed: 1 })).toThrow(
      `'RandomNormal' is not a random op; known are ${RANDOM_OPS.join(', ')}`,
    );
  });
});
