import { type ArrayLike, bytesOf, type DType, isDType, type NdArray, toNdArray } from '@tfparity/array';
import { type Checkpoint, type CheckpointSource, openCheckpoint, writeCheckpoint } from '@tfparity/checkpoint';
import { leavesOf, type Tree } from '@tfparity/numerics';
import type { LedgerEntry, RandomTestMode } from '@tfparity/random';
import { ValidateError } from './validate-error.js';

/** One variable of a bundle. */
export interface BundleVariable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly trainable: boolean;
}

/** One recorded forward pass. Arrays are named by their keys in the bundle's arrays. */
export interface BundleRun {
  readonly name: string;
  readonly training: boolean;
  /** How random numbers were aligned; null: not at all, so that only what draws none can be compared. */
  readonly random: { readonly mode: RandomTestMode; readonly seed: number } | null;
  /** Input name to array key, in order. One input that has no name is `input`. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Output path to array key. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Regularization losses by variable (or by number), in order; null: not recorded, `{}`: there are none. */
  readonly losses: Readonly<Record<string, number>> | null;
  /** Variable name to array key: values before the pass. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variable name to array key: values of variables that are not trained and that the pass changed; null: not recorded. */
  readonly updates: Readonly<Record<string, string>> | null;
  readonly gradients: Readonly<Record<string, string>>;
  readonly ledger: readonly LedgerEntry[] | null;
}

/** What a bundle's `manifest.json` holds beside the hashes. */
export interface BundleManifest {
  readonly format: 'tfparity-golden-bundle';
  readonly version: 1;
  /** What wrote it: `{python: …, tensorflow: …}`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly variables: readonly BundleVariable[];
  readonly runs: readonly BundleRun[];
  /** sha256 of each array's bytes (little endian, row-major), with shape and dtype. */
  readonly arrays: Readonly<
    Record<string, { readonly dtype: DType; readonly shape: readonly number[]; readonly sha256: string }>
  >;
}

/** One run to record: values where a bundle has keys. `losses` and `updates` that are left out count as not recorded. */
export interface RecordedRun {
  readonly name: string;
  readonly training?: boolean;
  readonly random?: BundleRun['random'];
  readonly inputs: Readonly<Record<string, ArrayLike>>;
  readonly outputs: Tree;
  readonly losses?: Readonly<Record<string, number>>;
  readonly variables?: Readonly<Record<string, ArrayLike>>;
  readonly updates?: Readonly<Record<string, ArrayLike>>;
  readonly gradients?: Readonly<Record<string, ArrayLike>>;
  readonly ledger?: readonly LedgerEntry[];
}

/** A recording: the variables as they are listed, and the runs. */
export interface Recording {
  readonly variables: readonly BundleVariable[];
  readonly runs: readonly RecordedRun[];
  readonly versions?: Readonly<Record<string, string>>;
}

async function sha256(array: NdArray): Promise<string> {
  const bytes = bytesOf(array);
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const ARRAYS = 'arrays.npz';
const MANIFEST = 'manifest.json';

/** Node's file functions; a bundle is a folder. */
async function nodeFiles() {
  const [fs, path] = await Promise.all([import('node:fs/promises'), import('node:path')]);
  return { ...fs, join: path.join };
}

/**
 * One side of a migration, recorded once (in Python TF1 with `tfparity_capture.py`, or anywhere) and checked anywhere:
 * a folder with `manifest.json` and `arrays.npz`.
 */
export class GoldenBundle {
  private constructor(
    readonly location: string,
    readonly manifest: BundleManifest,
    private readonly checkpoint: Checkpoint,
  ) {}

  /** The recorded runs, by their names. */
  get runs(): readonly BundleRun[] {
    return this.manifest.runs;
  }

  /**
   * Writes a recording into a folder, which is made; what is there of a bundle is replaced. While it is written, and if it is not
   * finished, the folder is no bundle.
   *
   * @throws {ValidateError} `InvalidArgument` for two runs or two outputs of one name
   */
  static async write(folder: string, recording: Recording): Promise<void> {
    const arrays: Record<string, NdArray> = {};
    const add = (key: string, value: ArrayLike): string => {
      if (Object.hasOwn(arrays, key)) {
        throw new ValidateError(
          'InvalidArgument',
          `two arrays would be called ${key}; runs and outputs need own names`,
          {
            key,
          },
        );
      }
      arrays[key] = toNdArray(value);
      return key;
    };
    const keys = (prefix: string, values: Iterable<readonly [string, ArrayLike]>): Record<string, string> =>
      Object.fromEntries([...values].map(([name, value]) => [name, add(`${prefix}/${name}`, value)]));
    const keysOf = (prefix: string, values: Readonly<Record<string, ArrayLike>> = {}) =>
      keys(prefix, Object.entries(values));
    refuseDoubles(recording.runs, (message) => new ValidateError('InvalidArgument', message));
    const runs = recording.runs.map((run): BundleRun => {
      const at = `runs/${run.name}`;
      const outputs = leavesOf(run.outputs).map(({ name, value }) => [name || 'output', value as ArrayLike] as const);
      return {
        name: run.name,
        training: run.training ?? false,
        random: run.random ?? null,
        inputs: keysOf(`${at}/inputs`, run.inputs),
        outputs: keys(`${at}/outputs`, outputs),
        losses: run.losses ?? null,
        variables: keysOf(`${at}/variables`, run.variables),
        updates: run.updates ? keysOf(`${at}/updates`, run.updates) : null,
        gradients: keysOf(`${at}/gradients`, run.gradients),
        ledger: run.ledger ?? null,
      };
    });
    const facts: Record<string, BundleManifest['arrays'][string]> = {};
    for (const [key, array] of Object.entries(arrays)) {
      facts[key] = { dtype: array.dtype, shape: array.shape, sha256: await sha256(array) };
    }
    const manifest: BundleManifest = {
      format: 'tfparity-golden-bundle',
      version: 1,
      versions: recording.versions ?? {},
      variables: recording.variables,
      runs,
      arrays: facts,
    };
    const { mkdir, rm, writeFile, rename, join } = await nodeFiles();
    await mkdir(folder, { recursive: true });
    await writeCheckpoint(join(folder, `${ARRAYS}.partial`), arrays, { format: 'npz' });
    // The old manifest goes first and the new one comes last: a bundle that was not finished has none.
    await rm(join(folder, MANIFEST), { force: true });
    await rename(join(folder, `${ARRAYS}.partial`), join(folder, ARRAYS));
    await writeFile(join(folder, `${MANIFEST}.partial`), `${JSON.stringify(manifest, numberAsJson, 1)}\n`);
    await rename(join(folder, `${MANIFEST}.partial`), join(folder, MANIFEST));
  }

  /**
   * Opens a bundle; arrays are read, and their hashes verified, when they are asked for.
   *
   * @param source  the folder's path, or the text of the manifest and where the npz is
   * @throws {ValidateError} `InvalidBundle` for a manifest that is none, or whose arrays are not those of the npz
   */
  static async open(
    source: string | { readonly manifest: string; readonly arrays: CheckpointSource },
  ): Promise<GoldenBundle> {
    const location = typeof source === 'string' ? source : 'a golden bundle';
    let text: string;
    let arrays: CheckpointSource;
    if (typeof source === 'string') {
      const { readFile, join } = await nodeFiles();
      text = await readFile(join(source, MANIFEST), 'utf8').catch((cause: unknown) => {
        throw invalid(location, `there is no ${MANIFEST} to read in it`, cause);
      });
      arrays = join(source, ARRAYS);
    } else {
      text = source.manifest;
      arrays = source.arrays;
    }
    const manifest = parseManifest(text, location);
    const checkpoint = await openCheckpoint(arrays);
    for (const [key, { dtype, shape }] of Object.entries(manifest.arrays)) {
      const entry = checkpoint.has(key) ? checkpoint.entry(key) : undefined;
      if (entry?.dtype !== dtype || String(entry.shape) !== String(shape)) {
        const found = entry === undefined ? 'is not in it' : `is ${entry.dtype} [${entry.shape}] there`;
        throw invalid(location, `array ${key} (${dtype} [${shape}] in the manifest) ${found}`);
      }
    }
    return new GoldenBundle(location, manifest, checkpoint);
  }

  /** Lets go of the file of arrays, which is opened again when an array is asked for. */
  close(): Promise<void> {
    return this.checkpoint.close();
  }

  /**
   * One array, by its key.
   *
   * @throws {ValidateError} `InvalidBundle` where it is not what was recorded
   */
  async array(key: string): Promise<NdArray> {
    const fact = this.manifest.arrays[key];
    if (fact === undefined) throw invalid(this.location, `it has no array ${key}`);
    const array = await this.checkpoint.get(key);
    if ((await sha256(array)) !== fact.sha256)
      throw invalid(this.location, `array ${key} is not what was recorded: its sha256 is another`);
    return array;
  }

  /** The arrays of one part of a run, by name. */
  async arrays(keys: Readonly<Record<string, string>>): Promise<Record<string, NdArray>> {
    const entries: [string, NdArray][] = [];
    for (const [name, key] of Object.entries(keys)) entries.push([name, await this.array(key)]);
    return Object.fromEntries(entries);
  }
}

function invalid(location: string, why: string, cause?: unknown): ValidateError {
  return new ValidateError('InvalidBundle', `${location}: ${why}`, { location }, { cause });
}

function parseManifest(text: string, location: string): BundleManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(location, `its ${MANIFEST} is not JSON`, cause);
  }
  const manifest = value as Partial<BundleManifest> | null;
  if (typeof manifest !== 'object' || manifest?.format !== 'tfparity-golden-bundle') {
    throw invalid(location, `its ${MANIFEST} is not a golden bundle's`);
  }
  if (manifest.version !== 1) throw invalid(location, `it is of version ${manifest.version}; 1 is what is read here`);
  const { arrays, runs, variables } = manifest;
  if (typeof arrays !== 'object' || !Array.isArray(runs) || !Array.isArray(variables)) {
    throw invalid(location, `its ${MANIFEST} lacks arrays, runs or variables`);
  }
  const unknown = Object.entries(arrays).find(([, fact]) => !isDType(fact?.dtype) || !Array.isArray(fact.shape));
  if (unknown) throw invalid(location, `array ${unknown[0]} has no dtype and shape in the manifest`);
  refuseDoubles(runs as readonly BundleRun[], (message) => invalid(location, message));
  for (const run of runs as readonly BundleRun[]) {
    for (const part of ['inputs', 'outputs', 'variables', 'updates', 'gradients'] as const) {
      const missing = Object.values(run[part] ?? {}).find((key) => !Object.hasOwn(arrays, key));
      if (missing !== undefined) throw invalid(location, `run ${run.name} names array ${missing}, which is not listed`);
    }
  }
  const completed = (runs as readonly BundleRun[]).map((run) => ({
    ...run,
    // Older bundles lack what they did not record.
    losses: run.losses === undefined || run.losses === null ? null : lossesOf(run, location),
    updates: run.updates ?? null,
  }));
  return { ...(manifest as BundleManifest), runs: completed };
}

function refuseDoubles(runs: readonly { readonly name: string }[], error: (message: string) => Error): void {
  const double = runs.find(({ name }, i) => runs.findIndex((other) => other.name === name) < i);
  if (double !== undefined) throw error(`two runs are called ${double.name}; each needs a name of its own`);
}

/** What JSON has no number for. */
const NOT_JSON: readonly string[] = ['NaN', 'Infinity', '-Infinity', '-0'];

function numberAsJson(_: string, value: unknown): unknown {
  const inexact = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0));
  return inexact ? (value === 0 ? '-0' : String(value)) : value;
}

function lossesOf({ name, losses }: BundleRun, location: string): Record<string, number> {
  const numbers = Object.entries(losses as Readonly<Record<string, unknown>>).map(([loss, value]) => {
    if (typeof value !== 'number' && !(typeof value === 'string' && NOT_JSON.includes(value)))
      throw invalid(location, `loss ${loss} of run ${name} is ${JSON.stringify(value)}, which is no number`);
    return [loss, Number(value)] as const;
  });
  return Object.fromEntries(numbers);
}
