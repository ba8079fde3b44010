// TensorFlow's random kernels by name: Compute of random_op.cc, random_poisson_op.cc, multinomial_op.cc and
// stateless_random_ops.cc (tensorflow/core/kernels, 2.21), as one thread runs them.
import type { DType, NdArray, NumericData, Shape } from '@tfparity/array';
import { allocate } from './allocate.js';
import { wrongDType } from './distributions/dtypes.js';
import { drawGamma } from './distributions/gamma.js';
import { drawMultinomial } from './distributions/multinomial.js';
import { fillNormal } from './distributions/normal.js';
import { drawPoisson, POISSON_DTYPES } from './distributions/poisson.js';
import { shuffleRows } from './distributions/shuffle.js';
import { fillTruncatedNormal } from './distributions/truncated-normal.js';
import { fillUniform } from './distributions/uniform.js';
import { fillUniformInt } from './distributions/uniform-int.js';
import { GuardedPhilox, statelessPhilox } from './guarded-philox.js';
import { type NumericInput, numericArray } from './numeric-input.js';
import type { Philox, Seed } from './philox-generator.js';
import { RandomError } from './random-error.js';

/** What a draw takes; which of them it needs, the op says. Each may also be given once, among the attributes. */
export interface RandomOpInputs {
  /** Shape of the result; for RandomGamma and RandomPoissonV2, of the draws per alpha or rate. */
  readonly shape?: Shape;
  /** RandomUniformInt, StatelessRandomUniformInt: least value. */
  readonly minval?: number | bigint;
  /** RandomUniformInt, StatelessRandomUniformInt: one more than the greatest value. */
  readonly maxval?: number | bigint;
  /** RandomShuffle: what to shuffle along its first axis. */
  readonly value?: NumericInput;
  /** Multinomial: unnormalised log-probabilities, [batch, classes]. */
  readonly logits?: NumericInput;
  /** Multinomial: draws per row. */
  readonly numSamples?: number;
  /**
   * Multinomial: how many threads the TensorFlow has that is to be matched (1): large batches, of more than about 4,000
   * classes and samples in all, it splits between them, and draws other numbers then.
   */
  readonly threads?: number;
  /** RandomGamma: shape parameters. */
  readonly alpha?: NumericInput;
  /** RandomPoissonV2: expected values. */
  readonly rate?: NumericInput;
  /** The stateless ops: their two seeds. */
  readonly seed?: readonly [Seed, Seed];
}

/** The attributes of a random op. */
export interface RandomOpAttributes extends Omit<RandomOpInputs, 'seed'> {
  /** First seed: the key. Of a stateless op, both seeds. */
  readonly seed?: Seed | readonly [Seed, Seed];
  /** Second seed: the upper half of the counter. */
  readonly seed2?: Seed;
  /** dtype of the result (of RandomGamma, of alpha too). Default: int32 for RandomUniformInt, int64 for Multinomial and RandomPoissonV2 as in TensorFlow, else float32. */
  readonly dtype?: DType;
}

/** One draw: the op, its inputs and where its numbers come from. */
interface Draw {
  readonly op: RandomOpName;
  readonly dtype: DType | undefined;
  readonly inputs: RandomOpInputs;
  /** Sets aside the blocks of a stateful op; a stateless one always starts at its seed. */
  reserve(blocks: number): Philox;
}

/** Numbers that TensorFlow sets aside per output, however many it uses. */
const RESERVED_PER_OUTPUT = 256;

type Fill = (generator: Philox, dtype: DType, data: NumericData, inputs: RandomOpInputs, op: string) => void;

const filled = (fill: Fill, dtypes: readonly DType[]) => (draw: Draw) => {
  const dtype = allowed(draw, draw.dtype ?? dtypes[0]!, dtypes);
  const shape = shapeOf(draw);
  const data = allocate(draw.op, dtype, shape);
  fill(draw.reserve(data.length * RESERVED_PER_OUTPUT), dtype, data, draw.inputs, draw.op);
  return { dtype, shape: [...shape], data };
};

const REAL: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16'];
const INTEGER: readonly DType[] = ['int32', 'int64'];

const KERNELS = {
  RandomUniform: filled(fillUniform, REAL),
  RandomUniformInt: filled(fillUniformInt, INTEGER),
  RandomStandardNormal: filled(fillNormal, REAL),
  TruncatedNormal: filled(fillTruncatedNormal, REAL),
  RandomShuffle: (draw: Draw) =>
    shuffleRows(numericArray(needed(draw, 'value'), draw.dtype), (words) => draw.reserve(Math.floor((words + 3) / 4))),
  Multinomial: (draw: Draw) => {
    const dtype = allowed(draw, draw.dtype ?? 'int64', INTEGER);
    const logits = numericArray(needed(draw, 'logits'), 'float32');
    allowed(draw, logits.dtype, REAL);
    return drawMultinomial(logits, needed(draw, 'numSamples'), dtype, draw.inputs.threads ?? 1, draw.reserve);
  },
  RandomGamma: (draw: Draw) => {
    const alpha = numericArray(needed(draw, 'alpha'), draw.dtype ?? 'float32');
    allowed(draw, alpha.dtype, ['float32', 'float64', 'float16']);
    return drawGamma(shapeOf(draw), alpha, (outputs) => draw.reserve(outputs * RESERVED_PER_OUTPUT));
  },
  RandomPoissonV2: (draw: Draw) => {
    const dtype = allowed(draw, draw.dtype ?? 'int64', POISSON_DTYPES);
    const rate = numericArray(needed(draw, 'rate'), dtype.startsWith('float') ? dtype : 'float32');
    allowed(draw, rate.dtype, POISSON_DTYPES);
    return drawPoisson(shapeOf(draw), rate, dtype, (outputs) => draw.reserve(outputs * RESERVED_PER_OUTPUT));
  },
  StatelessRandomUniform: filled(fillUniform, REAL),
  StatelessRandomNormal: filled(fillNormal, REAL),
  StatelessTruncatedNormal: filled(fillTruncatedNormal, REAL),
  StatelessRandomUniformInt: filled(fillUniformInt, INTEGER),
} as const satisfies Record<string, (draw: Draw) => NdArray>;

/** The random ops of TensorFlow that `RandomOp` knows. */
export type RandomOpName = keyof typeof KERNELS;

/** The names that `RandomOp` knows. */
export const RANDOM_OPS = Object.keys(KERNELS) as readonly RandomOpName[];

/** Whether `RandomOp` knows this op. */
export function isRandomOpName(name: string): name is RandomOpName {
  return Object.hasOwn(KERNELS, name);
}

/**
 * One random kernel of TensorFlow: draws the numbers that the op of this name and these seeds draws on a CPU, and each
 * further draw continues its stream, as running a graph's op again does. A stateless op draws the same each time.
 *
 * @example new RandomOp('RandomUniform', {seed: 42, seed2: 0}).draw({shape: [3]}).data // 0.835…, 0.916…, 0.494…
 * @throws {RandomError} `UnknownOp`; `InvalidSeed` for seeds beyond 64 bits, and for (0, 0), which TensorFlow draws from
 * entropy; when drawing `InvalidShape`, `InvalidDType`, `InvalidArgument` in TensorFlow's words
 */
export class RandomOp {
  readonly name: RandomOpName;
  readonly #attributes: RandomOpAttributes;
  readonly #stream: GuardedPhilox | undefined;

  constructor(name: RandomOpName, attributes: RandomOpAttributes = {}) {
    if (!isRandomOpName(name)) {
      throw new RandomError('UnknownOp', `'${String(name)}' is not a random op; known are ${RANDOM_OPS.join(', ')}`, {
        op: name,
      });
    }
    this.name = name;
    this.#attributes = attributes;
    if (!name.startsWith('Stateless')) {
      const { seed = 0, seed2 = 0 } = attributes;
      this.#stream = new GuardedPhilox(seed as Seed, seed2);
    }
  }

  /** The op's next output. */
  draw(inputs: RandomOpInputs = {}): NdArray {
    const { seed: ownSeed, seed2, dtype, ...given } = this.#attributes;
    const seed = inputs.seed ?? (typeof ownSeed === 'object' ? ownSeed : ([ownSeed ?? 0, seed2 ?? 0] as const));
    const stream = this.#stream;
    return KERNELS[this.name]({
      op: this.name,
      dtype,
      inputs: { ...given, ...inputs },
      reserve: (blocks) => stream?.reserveBlocks(blocks) ?? statelessPhilox(statelessSeed(seed)),
    });
  }
}

function statelessSeed(seed: ArrayLike<Seed>): [Seed, Seed] {
  if (seed?.length !== 2) {
    throw new RandomError('InvalidArgument', `seed must have shape [2], not [${seed?.length ?? ''}]`, {});
  }
  return [seed[0]!, seed[1]!];
}

function needed<K extends keyof RandomOpInputs>(draw: Draw, input: K): NonNullable<RandomOpInputs[K]> {
  const value = draw.inputs[input];
  if (value !== undefined && value !== null) return value;
  throw new RandomError('InvalidArgument', `${draw.op} needs '${input}', which was not given`, { op: draw.op, input });
}

function allowed(draw: Draw, dtype: DType, dtypes: readonly DType[]): DType {
  if (dtypes.includes(dtype)) return dtype;
  throw wrongDType(draw.op, dtype, dtypes);
}

function shapeOf(draw: Draw): Shape {
  const shape = needed(draw, 'shape');
  for (const axis of shape) {
    if (Number.isSafeInteger(axis) && axis >= 0) continue;
    throw new RandomError('InvalidShape', `${draw.op}: Dimension ${axis} must be >= 0`, { op: draw.op, shape });
  }
  return shape;
}
