// Makes TensorFlow.js's own random functions draw TensorFlow's numbers while a test tool's scope is open.
//
// Their names can't be replaced: an ES module's exports are read-only, and TensorFlow.js bundles its own generator
// (seedrandom's alea). What they pass through can: `engine().startScope` says which op begins; the generator that the op
// then constructs holds the op's bounds, mean or alpha; and its values leave through `TensorBuffer.toTensor`.
import * as tf from '@tensorflow/tfjs-core';
import seedrandom from 'seedrandom';
import { categorical, gamma, normal, truncatedNormal, uniform, uniformInt } from './random-ops.js';
import { type Seed, takeSeed } from './seed-context.js';
import { uniformSequence } from './uniform-sequence.js';

/** The fields of TensorFlow.js's `UniformRandom`, `MPRandGauss` and `RandGamma` (rand_util.ts, 4.22) that say what they draw. */
interface Generator {
  nextValue(): number;
  readonly min: number;
  readonly range: number;
  readonly mean: number;
  readonly stdDev: number;
  readonly alpha: number;
  readonly beta: number;
}

type Draw = (generator: Generator, shape: number[], dtype: string) => tf.Tensor;

/** An op of TensorFlow.js that is running. */
interface Frame {
  readonly op: string;
  generator?: Generator;
  /** What `Math.random` is to its innermost code. */
  readonly random?: () => number;
  readonly end?: () => void;
}

function drawUniform({ min, range }: Generator, shape: number[], dtype: string): tf.Tensor {
  const max = min + range;
  if (dtype === 'int32' && Number.isInteger(min) && Number.isInteger(max)) {
    return uniformInt(shape, { minval: min, maxval: max });
  }
  return converted(uniform(shape, { minval: min, maxval: max }), dtype, (x) => x);
}

/** For dtypes that TensorFlow's op doesn't have: its float32 draw, made whole as TensorFlow.js does. */
function converted(drawn: tf.Tensor, dtype: string, whole: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  return dtype === 'float32' ? drawn : tf.tidy(() => tf.cast(tf.cast(whole(drawn), 'int32'), dtype as tf.DataType));
}

/** By op: the field that its generator's constructor sets early, and the draw that stands for it. */
const DRAWS: Readonly<Record<string, { readonly field: string; readonly draw: Draw } | undefined>> = {
  randomUniform: { field: 'min', draw: drawUniform },
  randomNormal: {
    field: 'stdDev',
    draw: ({ mean, stdDev }, shape, dtype) => converted(normal(shape, { mean, stddev: stdDev }), dtype, tf.round),
  },
  truncatedNormal: {
    field: 'stdDev',
    draw: ({ mean, stdDev }, shape, dtype) =>
      converted(truncatedNormal(shape, { mean, stddev: stdDev }), dtype, tf.round),
  },
  randomGamma: {
    field: 'alpha',
    // The constructor keeps 1 / beta.
    draw: ({ alpha, beta }, shape, dtype) => converted(gamma(shape, alpha, { beta: 1 / beta }), dtype, tf.round),
  },
};

let open = 0;
let frames: Frame[] = [];

/** Hands over the next object that gets a property of this name by plain assignment, as constructors do. */
function catchConstruction(field: string, caught: (instance: Generator) => void): () => void {
  const release = () => Reflect.deleteProperty(Object.prototype, field);
  Object.defineProperty(Object.prototype, field, {
    configurable: true,
    enumerable: false,
    get: () => undefined,
    set(this: object, value: unknown) {
      release();
      Object.defineProperty(this, field, { value, writable: true, enumerable: true, configurable: true });
      caught(this as Generator);
    },
  });
  return release;
}

function beginDraw(op: string, field: string): Frame {
  // Nothing but the op's own first lines runs while the trap is set: they check the shape, make the buffer and the generator.
  const frame: Frame = {
    op,
    end: catchConstruction(field, (generator) => {
      frame.generator = generator;
      // The values are replaced; there is no need to draw them.
      Object.defineProperty(generator, 'nextValue', { value: () => 0 });
    }),
  };
  return frame;
}

/** `tf.rand`'s function mostly calls `Math.random`: it gets the uniform numbers of one op, in order. */
function beginRand(): Frame {
  let next: (() => number) | undefined;
  const random = () => {
    if (next === undefined) {
      const pair = takeSeed({ op: 'RandomUniform', shape: null, dtype: 'float32', opSeed: null });
      next = uniformSequence(pair[0] ?? 0, pair[1] ?? 0);
    }
    return next();
  };
  return { op: 'rand', random };
}

/** `tf.multinomial` is the only one that ends in a kernel; ours stands in its place while it runs. */
function beginMultinomial(): Frame {
  const kernelName = 'Multinomial';
  const backendName = tf.getBackend();
  const original = tf.getKernel(kernelName, backendName);
  if (original !== undefined) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { numSamples, normalized } = attrs as unknown as { numSamples: number; normalized: boolean };
      const logits = inputs['logits'] as tf.Tensor;
      return tf.tidy(() => categorical(normalized ? tf.log(logits) : logits, numSamples));
    },
  });
  return {
    op: 'multinomial',
    end: () => {
      tf.unregisterKernel(kernelName, backendName);
      if (original !== undefined) tf.registerKernel(original);
    },
  };
}

function begin(scopeName: string | undefined): Frame {
  const op = scopeName?.endsWith(tf.OP_SCOPE_SUFFIX) ? scopeName.slice(0, -tf.OP_SCOPE_SUFFIX.length) : '';
  const draw = DRAWS[op];
  if (draw !== undefined) return beginDraw(op, draw.field);
  if (op === 'rand') return beginRand();
  if (op === 'multinomial') return beginMultinomial();
  return { op };
}

function patchEngine(): () => void {
  const engine = tf.engine();
  const { startScope, endScope } = engine;
  const own = Object.hasOwn(engine, 'startScope') || Object.hasOwn(engine, 'endScope');
  const startPatched: typeof startScope = function (this: typeof engine, name) {
    startScope.call(this, name);
    if (open > 0) frames.push(begin(name));
  };
  const endPatched: typeof endScope = function (this: typeof engine, result) {
    frames.pop()?.end?.();
    endScope.call(this, result);
  };
  engine.startScope = startPatched;
  engine.endScope = endPatched;
  return () => {
    // Whoever wrapped them later keeps ours below, where it does nothing while no scope is open.
    if (engine.startScope !== startPatched || engine.endScope !== endPatched) return;
    if (own) Object.assign(engine, { startScope, endScope });
    else for (const name of ['startScope', 'endScope'] as const) Reflect.deleteProperty(engine, name);
  };
}

function patchToTensor(): () => void {
  const prototype = tf.TensorBuffer.prototype;
  const original = prototype.toTensor;
  prototype.toTensor = function (this: tf.TensorBuffer<tf.Rank>) {
    const frame = frames.at(-1);
    const draw = frame === undefined ? undefined : DRAWS[frame.op];
    if (frame?.generator === undefined || draw === undefined) return original.call(this);
    const { generator } = frame;
    delete frame.generator;
    return draw.draw(generator, [...this.shape], this.dtype);
  } as typeof original;
  return () => {
    prototype.toTensor = original;
  };
}

function patchMathRandom(seed: Seed): () => void {
  const original = Math.random;
  const seeded = seedrandom.alea(String(seed));
  Math.random = () => (frames.at(-1)?.random ?? seeded)();
  return () => {
    Math.random = original;
  };
}

let unpatch: (() => void)[] = [];

/**
 * Until the result is disposed of: `tf.randomUniform`, `randomUniformInt`, `randomNormal`, `randomStandardNormal`,
 * `truncatedNormal`, `randomGamma`, `multinomial`, `dropout`, `rand` (and what calls them: layers, initializers) take
 * their seeds from the current context, ignoring their own, and draw TensorFlow's numbers; `Math.random` elsewhere
 * draws from seedrandom's alea, seeded with `seed`: reproducible, not TensorFlow's.
 */
export function interceptTfjsRandom(seed: Seed): Disposable {
  if (open === 0) {
    frames = [];
    unpatch = [patchEngine(), patchToTensor()];
  }
  open += 1;
  const restoreMathRandom = patchMathRandom(seed);
  let active = true;
  return {
    [Symbol.dispose]() {
      if (!active) return;
      active = false;
      open -= 1;
      restoreMathRandom();
      if (open > 0) return;
      for (const frame of frames.splice(0).reverse()) frame.end?.();
      for (const undo of unpatch.splice(0)) undo();
    },
  };
}
