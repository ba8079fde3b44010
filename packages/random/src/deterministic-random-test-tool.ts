// Ported from tf_keras/src/legacy_tf_layers/migration_utils.py (2.21). Departures: a scope restarts the streams when it
// is entered and left; the pair (0, 0), which TensorFlow draws from entropy, is refused; there is a ledger.
import { callSite, currentLabel, type LedgerEntry, seedForLedger } from './ledger.js';
import { RandomError } from './random-error.js';
import {
  checkSeed,
  type DrawRequest,
  eagerSeedContext,
  pushSeedSource,
  restartEagerStreams,
  type Seed,
  type SeedPair,
} from './seed-context.js';
import { interceptTfjsRandom } from './tfjs-random.js';

/** How a `DeterministicRandomTestTool` numbers ops: `constant` gives all the same pair, `num_random_ops` counts them. */
export type RandomTestMode = 'constant' | 'num_random_ops';

/** Options of `DeterministicRandomTestTool`. */
export interface RandomTestOptions {
  /** Any 64-bit integer; not reduced modulo 2^31 - 1. */
  readonly seed?: Seed;
  readonly mode?: RandomTestMode;
  /** Whether TensorFlow.js's own random functions and `Math.random` follow the tool inside its scope. */
  readonly interceptTfjs?: boolean;
}

const REUSED = (seed: Seed) =>
  `This \`DeterministicRandomTestTool\` object is trying to re-use the already-used operation seed ${seed}. It cannot guarantee random numbers will match between eager and sessions when an operation seed is reused. You most likely set \`operation_seed\` explicitly but used a value that caused the naturally-incrementing operation seed sequences to overlap with an already-used seed.`;

let scopes = 0;

/**
 * Makes every random op draw the same numbers in TF1 graphs, in eager code and here: in its scope each op takes the
 * pair (seed, operation seed), whatever seeds it was given itself.
 *
 * `constant`: the operation seed stays, and every op restarts its stream. `num_random_ops`: it counts up from 0 with
 * every op, so that the numbers depend on the order of the ops; an operation seed can't be used twice.
 *
 * @throws {RandomError} `InvalidArgument` for another mode, `InvalidSeed` for a seed that is not a 64-bit integer
 */
export class DeterministicRandomTestTool {
  readonly seed: Seed;
  readonly mode: RandomTestMode;
  readonly #interceptTfjs: boolean;
  readonly #observed = new Set<string>();
  readonly #ledger: LedgerEntry[] = [];
  #operationSeed: Seed = 0;

  constructor({ seed = 42, mode = 'constant', interceptTfjs = true }: RandomTestOptions = {}) {
    if (mode !== 'constant' && mode !== 'num_random_ops') {
      throw new RandomError(
        'InvalidArgument',
        `Mode arg must be 'constant' or 'num_random_ops'. Got: ${String(mode)}`,
        { mode },
      );
    }
    this.seed = checkSeed(seed);
    this.mode = mode;
    this.#interceptTfjs = interceptTfjs;
  }

  /** The operation seed of the next op. Setting it restores the numbers of an op elsewhere in the program. */
  get operationSeed(): Seed {
    return this.#operationSeed;
  }

  set operationSeed(value: Seed) {
    this.#operationSeed = checkSeed(value, 'operation seed');
  }

  /** What drew which numbers in this tool's scopes, in order; `diffLedgers` compares two. */
  get ledger(): readonly LedgerEntry[] {
    return this.#ledger;
  }

  /**
   * Puts the tool in charge until the result is disposed of, or while `body` runs (until its promise settles). It may be
   * entered again, and then goes on counting; of nested scopes the inner one answers. As in TensorFlow the whole process
   * is affected, and the global seed is not put back afterwards: it is the tool's seed (`constant`: the last operation seed).
   *
   * @throws {RandomError} `ScopeOrder`, naming both, when closed before a scope that was opened later
   */
  scope(): Disposable;
  scope<T>(body: () => T): T;
  scope<T>(body?: () => T): T | Disposable {
    const opened = this.#open();
    if (body === undefined) return opened;
    let result: T;
    try {
      result = body();
    } catch (error) {
      opened[Symbol.dispose]();
      throw error;
    }
    if (isThenable(result)) return Promise.resolve(result).finally(() => opened[Symbol.dispose]()) as T;
    opened[Symbol.dispose]();
    return result;
  }

  #open(): Disposable {
    scopes += 1;
    const what = `scope ${scopes} of DeterministicRandomTestTool(seed=${this.seed}, mode='${this.mode}')`;
    eagerSeedContext().seed = this.seed;
    const source = pushSeedSource(what, (request) => this.#take(request));
    const interception = this.#interceptTfjs ? interceptTfjsRandom(this.seed) : undefined;
    return {
      [Symbol.dispose]: () => {
        source[Symbol.dispose]();
        interception?.[Symbol.dispose]();
        // A scope around this one may give the same pairs to its ops, which in a graph would start afresh.
        restartEagerStreams();
      },
    };
  }

  #take(request: DrawRequest): SeedPair {
    const operationSeed = this.#operationSeed;
    if (BigInt(this.seed) === 0n && BigInt(operationSeed) === 0n) {
      throw new RandomError(
        'InvalidSeed',
        'seed 0 with operation seed 0 is the pair (0, 0), which TensorFlow draws from entropy: its numbers differ from run to run. Give the tool another seed, or set operationSeed to 1',
        { seed: 0, operationSeed: 0 },
      );
    }
    if (this.mode === 'constant') {
      eagerSeedContext().seed = operationSeed;
    } else {
      if (this.#observed.has(String(operationSeed))) {
        throw new RandomError('SeedReuse', REUSED(operationSeed), { operationSeed });
      }
      this.#observed.add(String(operationSeed));
      this.#operationSeed = checkSeed(typeof operationSeed === 'bigint' ? operationSeed + 1n : operationSeed + 1);
    }
    this.#ledger.push({
      index: this.#ledger.length,
      op: request.op,
      shape: request.shape === null ? null : [...request.shape],
      dtype: request.dtype,
      seed: seedForLedger(this.seed),
      seed2: seedForLedger(operationSeed),
      label: currentLabel(),
      callSite: callSite(),
    });
    return [this.seed, operationSeed];
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
