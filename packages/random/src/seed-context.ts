// Ported from tensorflow/python/framework/random_seed.py and eager/context.py (2.21): who hands out the seeds of an op.
// Departure: the place that hands them out is a stack of contexts, so that graphs and test tools can stand in front.
import type { Seed } from './philox-generator.js';
import { PythonRandom } from './python-random.js';
import { RandomError } from './random-error.js';
import { getSeedPair } from './seeds.js';

export type { Seed };

/** The attributes `seed` and `seed2` of a random op; both null where TensorFlow would draw from entropy. */
export type SeedPair = readonly [seed: Seed, seed2: Seed] | readonly [seed: null, seed2: null];

/** What is about to draw: told to whoever hands out the seeds, so that a ledger can say what drew which numbers. */
export interface DrawRequest {
  /** TensorFlow's name of the op, `RandomUniform`; `get_seed` where only a pair is asked for. */
  readonly op: string;
  readonly shape: readonly number[] | null;
  readonly dtype: string | null;
  readonly opSeed: Seed | null;
}

/** Where ops get their seeds from when no tool stands in front: eager code, or one graph. */
export interface SeedContext {
  readonly kind: 'eager' | 'graph';
  /** The global (or graph-level) seed; null until it is set. */
  seed: Seed | null;
  /** The op seed of an op that was given none, asked only while a global seed is set. */
  nextOpId(): Seed;
  /** Names the generator state of the ops that are made here; see `releaseStreams`. */
  readonly stream: string;
}

/** A function that stands in front of every context and hands out pairs itself, as the test tool does. */
export type SeedSource = (request: DrawRequest) => SeedPair;

const MAX_INT32 = 2 ** 31 - 1;

class EagerSeedContext implements SeedContext {
  readonly kind = 'eager';
  #seed: Seed | null = null;
  #random: PythonRandom | undefined;
  #epoch = 0;

  get seed(): Seed | null {
    return this.#seed;
  }

  set seed(seed: Seed | null) {
    this.#seed = seed;
    this.#random = seed === null ? undefined : new PythonRandom(seed);
    this.restart();
  }

  restart(): void {
    const ended = this.stream;
    this.#epoch += 1;
    releaseStreams(ended);
  }

  get stream(): string {
    return `eager/${this.#epoch}/`;
  }

  nextOpId(): Seed {
    return Number(this.#random?.randint(0, MAX_INT32) ?? 0);
  }
}

interface Pushed<T> {
  readonly what: string;
  readonly value: T;
}

const streamListeners = new Set<(prefix: string) => void>();
const contexts: Pushed<SeedContext>[] = [];
const sources: Pushed<SeedSource>[] = [];
let eager: EagerSeedContext | undefined;

function push<T>(stack: Pushed<T>[], what: string, value: T): Disposable {
  const entry = { what, value };
  stack.push(entry);
  let open = true;
  return {
    [Symbol.dispose]() {
      if (!open) return;
      const top = stack.at(-1);
      if (top !== entry) {
        throw new RandomError(
          'ScopeOrder',
          `${what} is being closed while ${top?.what ?? 'nothing'} is open inside it; close the inner scope first`,
          { closing: what, open: top?.what },
        );
      }
      open = false;
      stack.pop();
    },
  };
}

/** The context of plain eager code: one for the whole process, as in TensorFlow. Setting its `seed` restarts its streams. */
export function eagerSeedContext(): SeedContext {
  eager ??= new EagerSeedContext();
  return eager;
}

/** Makes every op of eager code start its stream afresh, as `setSeed` does, but keeps the seed and the numbering. */
export function restartEagerStreams(): void {
  eager?.restart();
}

/** The context that the next op takes its seeds from: the last one pushed, else that of eager code. */
export function currentSeedContext(): SeedContext {
  return contexts.at(-1)?.value ?? eagerSeedContext();
}

/**
 * Makes `context` the current one until the result is disposed of; a graph pushes its own while it is being built.
 *
 * @throws {RandomError} `ScopeOrder` when it is closed before a context that was pushed later
 */
export function pushSeedContext(context: SeedContext): Disposable {
  return push(
    contexts,
    `the seed context of ${context.kind === 'graph' ? `graph ${context.stream}` : 'eager code'}`,
    context,
  );
}

/**
 * Puts `source` in front of every context until the result is disposed of; the last one pushed answers alone.
 *
 * @throws {RandomError} `ScopeOrder`, naming both, when it is closed before a source that was pushed later
 */
export function pushSeedSource(what: string, source: SeedSource): Disposable {
  return push(sources, what, source);
}

/** A fresh graph's seed context: op seeds count up from 0, as TensorFlow 2.21 numbers the unseeded ops of a graph. */
export function graphSeedContext(stream: string, seed: Seed | null = null): SeedContext {
  let next = 0;
  return { kind: 'graph', seed, stream, nextOpId: () => next++ };
}

/** Calls `listener` with the prefix of streams whose state nobody will ask for again. */
export function onStreamsReleased(listener: (prefix: string) => void): void {
  streamListeners.add(listener);
}

/**
 * Forgets the generator states of every stream whose name begins with `prefix`; a session calls it when it closes.
 * They start afresh if they are asked for again. TensorFlow's cache of kernels, on the `tensorflow` backend, keeps a few
 * kilobytes of each until the process ends.
 */
export function releaseStreams(prefix: string): void {
  for (const listener of streamListeners) listener(prefix);
}

/** The seed as a number where that is exact, else a bigint. @throws {RandomError} `InvalidSeed` unless a 64-bit integer */
export function checkSeed(seed: Seed, what = 'seed'): Seed {
  const exact = typeof seed === 'bigint' || Number.isSafeInteger(seed);
  const fits = exact && BigInt.asIntN(64, BigInt(seed)) === BigInt(seed);
  if (!fits) {
    throw new RandomError(
      'InvalidSeed',
      `${what} ${String(seed)} is not a 64-bit integer${typeof seed === 'number' && Number.isInteger(seed) ? ' that a number holds exactly; give it as a bigint' : ''}`,
      { found: String(seed) },
    );
  }
  return typeof seed === 'bigint' && Number.isSafeInteger(Number(seed)) ? Number(seed) : seed;
}

/**
 * Sets the global seed of the current context, `tf.compat.v1.set_random_seed`: in eager code (`tf.random.set_seed`) it
 * also restarts the state of every op and the numbering of unseeded ops; inside a graph it sets the graph-level seed.
 *
 * @param seed  null: no global seed any more
 */
export function setSeed(seed: Seed | null): void {
  currentSeedContext().seed = seed === null ? null : checkSeed(seed);
}

/**
 * The pair of seeds that the next op takes, `tf.compat.v1.get_seed`: by the tool in whose scope this is called, or by
 * the rules of random_seed.py, in graphs and in eager code. Every call counts as one op.
 *
 * @param opSeed  the op's own seed; null or left out: numbered by the context if a global seed is set
 */
export function getSeed(opSeed?: Seed | null): SeedPair {
  return takeSeed({ op: 'get_seed', shape: null, dtype: null, opSeed: opSeed ?? null });
}

/** `getSeed` for an op that says what it is about to draw. */
export function takeSeed(request: DrawRequest): SeedPair {
  const source = sources.at(-1);
  if (source !== undefined) return source.value(request);
  const context = currentSeedContext();
  const opSeed = request.opSeed === null ? null : checkSeed(request.opSeed, 'op seed');
  return getSeedPair(context.seed, opSeed, () => context.nextOpId()) ?? [null, null];
}
