import type * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { opSignature } from '../import/op-registry.js';
import type { Addon, TensorHandle } from './addon.js';
import { assignedVariables } from './assigned-variables.js';
import type { FeedValue } from './feed-value.js';
import { callFunctions, type FunctionCalls } from './function-calls.js';
import { withFunctions } from './function-library.js';
import { encodeConfigProto, type GrapplerOptions } from './grappler-options.js';
import type { IsolationLimits } from './isolated-run.js';
import { NativeSession, type SessionRuns } from './native-session.js';
import { OPTIMIZER_OFF, proveOptimizerOff, withOptimizerSwitch } from './optimizer-switch.js';
import type { SavedModelContents } from './saved-model-folder.js';
import { ADDED } from './session-graph.js';
import { variableFeeds } from './variable-feeds.js';

type Feeds = readonly (readonly [string, FeedValue])[];

/**
 * A session whose computations TensorFlow optimizes by chosen passes, or not at all.
 *
 * With passes chosen, what each kind of run computes is put into functions, which carry the choice. A session cannot be
 * added to, so a kind of run that was not seen before has it loaded anew: variables keep their values. Random ops would
 * start afresh; where one that has drawn is needed again, that is an error.
 */
export class PassSession implements SessionRuns {
  private native: NativeSession;
  private readonly configProto: Uint8Array | undefined;
  private readonly calls = new Map<string, FunctionCalls>();
  /** How many kinds of run the loaded session has the functions of. */
  private loaded = 0;
  /** Ops that keep something from run to run besides variables, and ran: in this session, in one before it. */
  private readonly ran = new Set<string>();
  private readonly lost = new Set<string>();

  /** @param passes  false for no optimization at all */
  constructor(
    private readonly graph: ImportedGraph,
    private readonly isSet: ReadonlyMap<string, string>,
    private readonly contents: Omit<SavedModelContents, 'graphDef'>,
    passes: GrapplerOptions | false,
    private readonly isolated: IsolationLimits | undefined,
  ) {
    proveOptimizerOff();
    this.configProto = passes === false ? undefined : encodeConfigProto(passes);
    this.native = this.load();
  }

  get addon(): Addon {
    return this.native.addon;
  }

  /** As `NativeSession.run`. */
  run(feeds: Feeds, fetches: readonly string[], proves = false): TensorHandle[] {
    if (fetches.length === 0) return [];
    const calls = this.callsOf(feeds, fetches);
    const replaced = calls?.fetches ?? fetches;
    const unique = [...new Set([...replaced, OPTIMIZER_OFF])];
    const handles = this.native.run(feeds, unique, proves);
    const byName = new Map(unique.map((name, i) => [name, handles[i]!]));
    this.native.release([byName.get(OPTIMIZER_OFF)!]);
    return replaced.map((name) => byName.get(name)!);
  }

  keep(handle: TensorHandle): tf.Tensor | NdArray {
    return this.native.keep(handle);
  }

  fed(name: string, value: FeedValue): TensorHandle {
    return this.native.fed(name, value);
  }

  release(handles: readonly TensorHandle[]): void {
    this.native.release(handles);
  }

  close(): void {
    this.native.close();
  }

  private load(): NativeSession {
    const calls = [...this.calls.values()];
    const nodes = calls.flatMap((each) => each.nodes);
    const functions = calls.flatMap((each) => each.functions);
    const graph = withOptimizerSwitch(withFunctions(this.graph, nodes, functions));
    this.loaded = calls.length;
    return new NativeSession(graph, { ...this.contents, graphDef: graph.graphDef }, this.isolated);
  }

  private callsOf(feeds: Feeds, fetches: readonly string[]): FunctionCalls | undefined {
    if (this.configProto === undefined) return undefined;
    const fed = new Set(feeds.map(([name]) => (/:\d+$/.test(name) ? name : `${name}:0`)));
    const key = `${fetches.join(' ')}|${[...fed].sort().join(' ')}`;
    const known = this.calls.get(key);
    const calls = known ?? callFunctions(this.graph, fetches, fed, this.configProto, `${ADDED}/run_${this.calls.size}`);
    this.calls.set(key, calls);
    const reload = calls.functions.length > 0 && [...this.calls.keys()].indexOf(key) >= this.loaded;
    const kept = [...calls.needed].filter((op) => keepsState(this.graph.findNode(op)?.op ?? ''));
    this.checkStreams(kept, reload);
    if (reload) this.reload();
    for (const op of kept) this.ran.add(op);
    return calls;
  }

  private checkStreams(kept: readonly string[], reload: boolean): void {
    const gone = kept.find((op) => this.lost.has(op) || (reload && this.ran.has(op)));
    if (gone === undefined) return;
    throw new GraphError(
      'Unavailable',
      `this run needs '${gone}', which would start afresh: with passes chosen one by one, a session is loaded anew for every new set of fetches and feeds. Fetch all of them in each run, or turn the optimizer on or off as a whole`,
      { node: gone },
    );
  }

  private reload(): void {
    const before = this.native;
    const values = assignedVariables(this.graph, this.isSet, before);
    this.native = this.load();
    before.close();
    for (const op of this.ran) this.lost.add(op);
    this.ran.clear();
    for (const { feeds, ops } of variableFeeds(this.graph, values)) {
      const targets = [...new Set(ops)].map((op) => `${op}:0`);
      this.native.release(this.native.run(feeds, [...this.assignFetches(targets), OPTIMIZER_OFF]));
    }
  }

  /** What to fetch to run assign ops: those of old have an output, and the others a constant that runs them. */
  private assignFetches(ops: readonly string[]): string[] {
    const runners = new Map(
      this.graph.nodes
        .filter((node) => node.op === 'Const' && node.input.length === 1)
        .map((node) => [node.input[0]!.replace(/^\^/, ''), node.name]),
    );
    return ops.map((fetch) => {
      const op = fetch.replace(/:0$/, '');
      return this.graph.outputTypes(op).length > 0 ? fetch : `${runners.get(op)}:0`;
    });
  }
}

/** Whether an op keeps something between runs that is lost with its session, and is no variable. */
function keepsState(op: string): boolean {
  const signature = opSignature(op);
  if (signature?.stateful !== true) return false;
  return (
    signature.attributes.has('seed') || /(Queue|Barrier|Table|Iterator|Reader|Accumulator|Stack|StagePut)/.test(op)
  );
}
