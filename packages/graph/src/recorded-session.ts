import type * as tf from '@tensorflow/tfjs-core';
import { type NdArray, toNdArray } from '@tfparity/array';
import { type FeedValue, fedTensor } from './feed.js';
import { type Fetches, resolveFetches } from './fetch.js';
import type { Graph } from './graph.js';
import { GraphError } from './graph-error.js';
import type { GraphVariable } from './graph-variable.js';
import { TensorFlowEngine } from './lower/tensorflow-engine.js';
import type { Operation, OutputRef } from './operation.js';
import type { OptimizerReport } from './optimize/optimizer.js';
import { ReplayEngine } from './replay-engine.js';
import type { SessionEngine } from './session-engine.js';
import type { Feeds } from './session-feeds.js';

type Values = Readonly<Record<string, FeedValue>> | ReadonlyMap<string, FeedValue>;

/** The runs of a recorded graph, by whichever engine. */
export class RecordedSession {
  private closed = false;

  constructor(
    readonly graph: Graph,
    private readonly engine: SessionEngine,
  ) {}

  /** What the optimizer of the replay engine did to the last run. */
  get optimizerReport(): OptimizerReport | undefined {
    return this.engine instanceof ReplayEngine ? this.engine.report : undefined;
  }

  run(fetches: Fetches, feeds: Feeds): unknown {
    this.check();
    if (this.graph.operations.length === 0) {
      throw new GraphError(
        'InvalidGraph',
        'The Session graph is empty. Add operations to the graph before calling run().',
      );
    }
    const resolved = resolveFetches(this.graph, fetches);
    const results = this.compute(resolved.refs, resolved.targets, entriesOf(feeds));
    return resolved.rebuild(results);
  }

  runArrays(fetches: Fetches, feeds: Feeds): unknown {
    return mapTensors(this.run(fetches, feeds), arrayOf);
  }

  call(signature: string): never {
    throw new GraphError('NotFound', `a recorded graph has no signatures, so no '${signature}': run its tensors`, {
      signature,
    });
  }

  initialize(): void {
    this.check();
    const initializers = this.graph.variables.map((variable) => variable.initializer);
    if (initializers.length > 0) this.compute([], initializers, []);
  }

  variables(): Map<string, NdArray> {
    this.check();
    const { variables } = this.graph;
    const refs = variables.map(({ snapshot }) => snapshot.op.symbolicId(snapshot.index));
    const values = variables.length === 0 ? [] : this.compute(refs, [], []);
    return new Map(variables.map((variable, i) => [`${variable.name}:0`, arrayOf(values[i]!)]));
  }

  assign(values: Values): void {
    this.check();
    const byName = new Map(this.graph.variables.map((variable) => [variable.name, variable]));
    // Variables that share an initial value take turns.
    const runs: { initializers: Operation[]; feeds: Map<tf.Tensor, FeedValue> }[] = [];
    for (const [name, value] of values instanceof Map ? values : Object.entries(values)) {
      const variable: GraphVariable | undefined = byName.get(name.replace(/:0$/, ''));
      if (variable === undefined) {
        throw new GraphError('NotFound', `the graph has no variable '${name.replace(/:0$/, '')}:0'`, { name });
      }
      const { initialValue, initializer } = variable;
      let run = runs.find((other) => !other.feeds.has(initialValue));
      if (run === undefined) {
        run = { initializers: [], feeds: new Map() };
        runs.push(run);
      }
      run.initializers.push(initializer);
      run.feeds.set(initialValue, value as FeedValue);
    }
    for (const { initializers, feeds } of runs) this.compute([], initializers, feeds);
  }

  restore(checkpoint: string): void {
    this.check();
    this.savers('restore').restore(checkpoint);
  }

  save(checkpoint: string): void {
    this.check();
    this.savers('save').save(checkpoint);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.engine.close();
  }

  private savers(what: string): TensorFlowEngine {
    if (this.engine instanceof TensorFlowEngine) return this.engine;
    throw new GraphError(
      'Unavailable',
      `the engine 'replay' has no saver to ${what} by: open or write the checkpoint with @tfparity/checkpoint, and pass values to assign or take them from variables`,
      { engine: 'replay' },
    );
  }

  private check(): void {
    if (this.closed) throw new GraphError('Closed', 'Attempted to use a closed Session.');
  }

  private compute(
    fetches: readonly OutputRef[],
    targets: readonly Operation[],
    feeds: Iterable<readonly [tf.Tensor | string, FeedValue]>,
  ): tf.Tensor[] {
    const made: tf.Tensor[] = [];
    try {
      const values = new Map<OutputRef, tf.Tensor>();
      for (const [key, value] of feeds) {
        const [ref, tensor, owned] = fedTensor(this.graph, key, value);
        if (owned) made.push(tensor);
        values.set(ref, tensor);
      }
      return this.engine.run({ fetches, targets, feeds: values });
    } finally {
      for (const tensor of made) tensor.dispose();
    }
  }
}

function arrayOf(tensor: tf.Tensor): NdArray {
  try {
    return toNdArray(tensor);
  } finally {
    tensor.dispose();
  }
}

/** The structure that a run gave, with its tensors replaced, each once. */
function mapTensors(result: unknown, replace: (tensor: tf.Tensor) => NdArray): unknown {
  const done = new Map<unknown, NdArray>();
  const visit = (value: unknown): unknown => {
    if (value === null) return null;
    if (Array.isArray(value)) return value.map(visit);
    if (Object.getPrototypeOf(value) === Object.prototype) {
      return Object.fromEntries(Object.entries(value as object).map(([name, part]) => [name, visit(part)]));
    }
    const known = done.get(value) ?? replace(value as tf.Tensor);
    done.set(value, known);
    return known;
  };
  return visit(result);
}

function entriesOf(feeds: Feeds): Iterable<readonly [tf.Tensor | string, FeedValue]> {
  if (feeds instanceof Map) return feeds.entries();
  if (Array.isArray(feeds)) return feeds as readonly (readonly [tf.Tensor | string, FeedValue])[];
  return Object.entries(feeds as Readonly<Record<string, FeedValue>>);
}
