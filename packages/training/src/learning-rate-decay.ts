// Ports tf.compat.v1.train.*_decay (python/keras/optimizer_v2/legacy_learning_rate_decay.py, TF 2.21), in float32 as its graphs compute.
import * as tf from '@tensorflow/tfjs-core';
import { currentContext } from '@tfparity/variables';
import { valueError } from './training-error.js';

/** The step that a schedule goes by: a number, or the variable that counts. */
export type Step = number | tf.Tensor;

/** A learning rate: a tensor in a graph; in eager code a function, which optimizers ask at every step. */
export type LearningRate = tf.Scalar | (() => tf.Scalar);

/** What exponential schedules take. */
export interface DecayOptions {
  readonly learningRate: number;
  readonly globalStep: Step;
  readonly decaySteps: number;
  readonly decayRate: number;
  /** Whether the rate falls in steps; false unless said. */
  readonly staircase?: boolean;
}

type Scalar = tf.Tensor;

/** In eager code the schedule is asked anew for every step; in a graph it is recorded once. */
function schedule(body: () => Scalar): LearningRate {
  if (currentContext().kind === 'graph') return body() as tf.Scalar;
  return () => tf.tidy(body) as tf.Scalar;
}

function stepOf(step: Step): Scalar {
  return typeof step === 'number' ? tf.scalar(step) : tf.cast(step, 'float32');
}

const { fround } = Math;

/** x times constants, folded as a session's graph optimizer folds them: into one, rounded after each. */
function times(x: Scalar, ...constants: readonly number[]): Scalar {
  return tf.mul(x, tf.scalar(constants.map(fround).reduce((a, b) => fround(a * b))));
}

/** What a session's graph optimizer makes of a division by a constant: 1 / x, rounded. */
function reciprocal(x: number): number {
  return fround(1 / fround(x));
}

/** x ^ exponent; the graph optimizer has a root for a half. */
function power(x: Scalar, exponent: number): Scalar {
  return exponent === 0.5 ? tf.sqrt(x) : tf.pow(x, tf.scalar(exponent));
}

/** step / decaySteps, times `factor`; floored before that for a staircase. */
function completed({ globalStep, decaySteps, staircase }: DecayOptions, factor = 1): Scalar {
  const step = stepOf(globalStep);
  if (staircase) return times(tf.floor(times(step, reciprocal(decaySteps))), factor);
  return times(step, reciprocal(decaySteps), factor);
}

/** learningRate * decayRate ^ (step / decaySteps). */
export function exponentialDecay(options: DecayOptions): LearningRate {
  return schedule(() =>
    tf.mul(tf.scalar(options.learningRate), tf.pow(tf.scalar(options.decayRate), completed(options))),
  );
}

/** learningRate * exp(-decayRate * step / decaySteps). */
export function naturalExpDecay(options: DecayOptions): LearningRate {
  return schedule(() =>
    tf.mul(
      tf.scalar(options.learningRate),
      // TensorFlow raises the number exp(-rate), already rounded, to the power.
      tf.pow(tf.exp(tf.neg(tf.scalar(options.decayRate))), completed(options)),
    ),
  );
}

/** learningRate / (1 + decayRate * step / decaySteps). */
export function inverseTimeDecay(options: DecayOptions): LearningRate {
  return schedule(() =>
    tf.div(tf.scalar(options.learningRate), tf.add(tf.scalar(1), completed(options, options.decayRate))),
  );
}

/** What `polynomialDecay` takes. */
export interface PolynomialDecayOptions {
  readonly learningRate: number;
  readonly globalStep: Step;
  readonly decaySteps: number;
  /** Default 0.0001. */
  readonly endLearningRate?: number;
  /** Default 1. */
  readonly power?: number;
  /** Whether the schedule starts again, longer, when it has ended; false unless said. */
  readonly cycle?: boolean;
}

/** From learningRate to endLearningRate along (1 - step / decaySteps) ^ power. */
export function polynomialDecay(options: PolynomialDecayOptions): LearningRate {
  const {
    learningRate,
    globalStep,
    decaySteps,
    endLearningRate = 0.0001,
    power: exponent = 1,
    cycle = false,
  } = options;
  return schedule(() => {
    let step = stepOf(globalStep);
    let steps: Scalar = tf.scalar(decaySteps);
    if (cycle) {
      const cycles = tf.where(tf.equal(step, 0), tf.scalar(1), tf.ceil(tf.div(step, tf.scalar(decaySteps))));
      steps = tf.mul(steps, cycles);
    } else step = tf.minimum(step, steps);
    const p = cycle ? tf.div(step, steps) : times(step, reciprocal(decaySteps));
    const range = tf.sub(tf.scalar(learningRate), tf.scalar(endLearningRate));
    return tf.add(tf.mul(range, power(tf.sub(tf.scalar(1), p), exponent)), tf.scalar(endLearningRate));
  });
}

/**
 * values[i] for steps up to and with boundaries[i], the last value after them all.
 *
 * @throws {TrainingError} `ValueError` unless there is one value more than boundaries, and for fractions among the boundaries of an int32 step
 */
export function piecewiseConstant(x: Step, boundaries: readonly number[], values: readonly number[]): LearningRate {
  if (boundaries.length !== values.length - 1) {
    throw valueError('The length of boundaries should be 1 less than the length of values', { boundaries, values });
  }
  // As integers where they all are: beyond 2^24 a float32 takes one step for another.
  const isInteger = typeof x === 'number' ? [x, ...boundaries].every(Number.isInteger) : x.dtype === 'int32';
  const fractional = boundaries.find((boundary) => !Number.isInteger(boundary));
  if (typeof x !== 'number' && isInteger && fractional !== undefined) {
    throw valueError('Boundaries (float32) must have the same dtype as x (int32).', { boundaries, fractional });
  }
  const dtype = isInteger ? 'int32' : 'float32';
  return schedule(() => {
    const step = typeof x === 'number' ? tf.scalar(x, dtype) : x;
    let rate: Scalar = tf.scalar(values[values.length - 1]!);
    for (let i = boundaries.length - 1; i >= 0; i--) {
      rate = tf.where(tf.lessEqual(step, tf.scalar(boundaries[i]!, dtype)), tf.scalar(values[i]!), rate);
    }
    return rate;
  });
}

/** What `cosineDecay` takes. */
export interface CosineDecayOptions {
  readonly learningRate: number;
  readonly globalStep: Step;
  readonly decaySteps: number;
  /** The least rate, as a part of learningRate; 0 unless said. */
  readonly alpha?: number;
}

/** 1 + cos(pi * step / decaySteps). */
function onePlusCosine(globalStep: Step, decaySteps: number, periods = 1): Scalar {
  const step = tf.minimum(stepOf(globalStep), tf.scalar(decaySteps));
  return tf.add(tf.scalar(1), tf.cos(times(step, reciprocal(decaySteps), periods, Math.PI)));
}

/** learningRate * ((1 - alpha) * half a cosine + alpha). */
export function cosineDecay({ learningRate, globalStep, decaySteps, alpha = 0 }: CosineDecayOptions): LearningRate {
  return schedule(() => {
    const decayed = tf.add(times(onePlusCosine(globalStep, decaySteps), 0.5, 1 - alpha), tf.scalar(alpha));
    return tf.mul(tf.scalar(learningRate), decayed);
  });
}

/** What `cosineDecayRestarts` takes. */
export interface CosineDecayRestartsOptions {
  readonly learningRate: number;
  readonly globalStep: Step;
  readonly firstDecaySteps: number;
  /** How much longer each period is than the one before; 2 unless said. */
  readonly tMul?: number;
  /** How much higher each period starts than the one before; 1 unless said. */
  readonly mMul?: number;
  /** The least rate, as a part of learningRate; 0 unless said. */
  readonly alpha?: number;
}

/** Cosine decay that starts again at the end of each period (Loshchilov and Hutter, arXiv 1608.03983). */
export function cosineDecayRestarts(options: CosineDecayRestartsOptions): LearningRate {
  const { learningRate, globalStep, firstDecaySteps, tMul = 2, mMul = 1, alpha = 0 } = options;
  return schedule(() => {
    const one = tf.scalar(1);
    const done = times(stepOf(globalStep), reciprocal(firstDecaySteps));
    let restart: Scalar;
    let fraction: Scalar;
    if (tMul === 1) {
      restart = tf.floor(done);
      fraction = tf.sub(done, restart);
    } else {
      const t = tf.scalar(tMul);
      const grown = tf.log(tf.sub(one, times(stepOf(globalStep), reciprocal(firstDecaySteps), 1 - tMul)));
      restart = tf.floor(times(grown, reciprocal(Math.log(fround(tMul)))));
      const sum = times(tf.sub(one, tf.pow(t, restart)), reciprocal(1 - tMul));
      fraction = tf.div(tf.sub(done, sum), tf.pow(t, restart));
    }
    const factor = tf.pow(tf.scalar(mMul), restart);
    const half = tf.mul(tf.mul(tf.scalar(0.5), factor), tf.add(one, tf.cos(tf.mul(tf.scalar(Math.PI), fraction))));
    return tf.mul(tf.scalar(learningRate), tf.add(tf.mul(tf.scalar(1 - alpha), half), tf.scalar(alpha)));
  });
}

/** What `linearCosineDecay` takes. */
export interface LinearCosineDecayOptions extends Omit<CosineDecayOptions, 'alpha'> {
  /** Default 0.5. */
  readonly numPeriods?: number;
  /** Default 0. */
  readonly alpha?: number;
  /** Default 0.001. */
  readonly beta?: number;
}

/** learningRate * ((alpha + linear) * cosine + beta) (Bello et al., arXiv 1709.07417). */
export function linearCosineDecay(options: LinearCosineDecayOptions): LearningRate {
  const { learningRate, globalStep, decaySteps, numPeriods = 0.5, alpha = 0, beta = 0.001 } = options;
  return schedule(() => {
    const steps = tf.scalar(decaySteps);
    const step = tf.minimum(stepOf(globalStep), steps);
    const linear = times(tf.sub(steps, step), reciprocal(decaySteps));
    const cosine = tf.mul(tf.scalar(0.5), onePlusCosine(globalStep, decaySteps, 2 * numPeriods));
    const decayed = tf.add(tf.mul(tf.add(tf.scalar(alpha), linear), cosine), tf.scalar(beta));
    return tf.mul(tf.scalar(learningRate), decayed);
  });
}
