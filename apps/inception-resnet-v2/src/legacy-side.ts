import type { LoadedBackend } from '@tfparity/backend';
import { captureInventory, type Inventory } from '@tfparity/inventory';
import { goldenRun } from './golden.js';
import { images, type ModelRun, type RunSettings, runTf1, traceTf1 } from './model-run.js';
import {
  findRealGraph,
  type RealGraph,
  type RealGraphName,
  RealGraphRuns,
  readRealGraph,
  realGraphFor,
  takesBatch,
} from './real-graph.js';
import { CannotTell } from './step.js';

/**
 * Who is the TF1 side: `tensorflow` is slim's own graph in TensorFlow's session; `lowered`, the graph that TypeScript
 * records, in TensorFlow's session; `typescript`, that graph replayed kernel by kernel.
 */
export const LEGACY_KINDS = ['typescript', 'lowered', 'tensorflow'] as const;

/** See `LEGACY_KINDS`. */
export type LegacyKind = (typeof LEGACY_KINDS)[number];

/** A run of the TF1 side, and who made it. */
export interface LegacyRun extends ModelRun {
  readonly legacy: LegacyKind;
  /** Why it is not who was asked for. */
  readonly note?: string;
}

/** The TF1 side of every step: runs are made once, and shared by the steps that need the same one. */
export class LegacySide implements Disposable {
  private readonly runs = new Map<string, LegacyRun>();
  private latest: RealGraph | undefined;
  private session: { readonly real: RealGraph; readonly runs: RealGraphRuns } | undefined;

  constructor(
    readonly kind: LegacyKind,
    /** One line for people: who the TF1 side is, and why. */
    readonly message: string,
  ) {}

  /** The run of those settings, by the side's own kind or by another. */
  run(settings: RunSettings, kind: LegacyKind = this.kind): LegacyRun {
    const key = JSON.stringify([kind, settings.mode, settings.training, settings.image ?? false, settings.reset]);
    const known = this.runs.get(key);
    if (known !== undefined) return known;
    const run = this.compute(settings, kind);
    this.runs.set(key, run);
    return run;
  }

  /** The variables of the TF1 side's graph for inference, in order of creation. */
  inventory(): { readonly inventory: Inventory; readonly legacy: LegacyKind } {
    const real = this.kind === 'tensorflow' ? this.realGraph('infer') : undefined;
    if (real !== undefined) return { inventory: captureInventory(real.graph.variables), legacy: 'tensorflow' };
    const { variables } = traceTf1({ training: false });
    return { inventory: captureInventory(variables), legacy: this.kind === 'lowered' ? 'lowered' : 'typescript' };
  }

  /** One of slim's own graphs, or `undefined` where its files are not there. Steps in a row mostly ask for the same. */
  realGraph(name: RealGraphName): RealGraph | undefined {
    if (this.latest?.name !== name) this.latest = readRealGraph(name);
    return this.latest;
  }

  /** Frees the session that is kept for the next run. */
  [Symbol.dispose](): void {
    this.session?.runs[Symbol.dispose]();
    this.session = undefined;
  }

  /** The session of the run before, where it gives what a new one would. */
  private sessionFor(real: RealGraph, settings: RunSettings): RealGraphRuns {
    if (this.session?.real === real && this.session.runs.isFreshFor(settings)) return this.session.runs;
    this[Symbol.dispose]();
    const runs = new RealGraphRuns(real);
    this.session = { real, runs };
    return runs;
  }

  private compute(settings: RunSettings, kind: LegacyKind): LegacyRun {
    if (kind === 'typescript') return { ...runTf1(settings, 'replay'), legacy: kind };
    if (kind === 'lowered') return { ...runTf1(settings, 'tensorflow'), legacy: kind };
    const name = realGraphFor(settings);
    const real = this.realGraph(name);
    const note = unfit(name, real, settings);
    if (real === undefined || note !== undefined)
      return { ...runTf1(settings, 'replay'), legacy: 'typescript', ...(note === undefined ? {} : { note }) };
    return { ...this.sessionFor(real, settings).run(settings), legacy: kind };
  }
}

/** Why a real graph cannot make a run; `undefined` where it can. */
function unfit(name: RealGraphName, real: RealGraph | undefined, settings: RunSettings): string | undefined {
  const instead = 'the TF1 side of this step is the graph that TypeScript records, replayed';
  if (real === undefined)
    return `graphs/inception_resnet_v2.${name}.meta (with its .fetches.json) is not in the golden folder: ${instead}`;
  const input = images(settings);
  const batch = input.shape[0];
  input.dispose();
  return takesBatch(real, batch) ? undefined : `the input of slim's own graph takes no batch of ${batch}: ${instead}`;
}

const WHO: Readonly<Record<LegacyKind, string>> = {
  tensorflow: "slim's own TF1 graphs in TensorFlow's session",
  lowered: "the graph that TypeScript records, lowered, in TensorFlow's session",
  typescript: 'the graph that TypeScript records, replayed kernel by kernel',
};

/**
 * The TF1 side that was asked for; where none was, slim's own graphs wherever they are there and this TensorFlow is of
 * the version that wrote them, and else the graph in TypeScript.
 *
 * @throws {CannotTell} for a kind that needs TensorFlow's session where that is not
 */
export function chooseLegacy(asked: LegacyKind | undefined, backend: LoadedBackend): LegacySide {
  const native = backend.name === 'tensorflow';
  if (asked !== undefined && asked !== 'typescript' && !native) {
    throw new CannotTell(
      `--legacy ${asked} needs TensorFlow's own session, which only the backend tensorflow has, and this is ${backend.name}; leave --legacy out, or say --legacy typescript`,
    );
  }
  const side = (kind: LegacyKind, why = ''): LegacySide => new LegacySide(kind, `TF1 side: ${WHO[kind]}${why}.`);
  if (asked !== undefined) return side(asked);
  if (!native) return side('typescript');
  if (findRealGraph('infer') === undefined) return side('typescript', ' (the golden folder has no graphs)');
  const version = goldenRun('infer')?.tensorflow;
  if (version !== undefined && version !== backend.library) {
    return side('typescript', ` (slim's own graphs are TensorFlow ${version}'s; --legacy tensorflow tries them here)`);
  }
  return side('tensorflow');
}
