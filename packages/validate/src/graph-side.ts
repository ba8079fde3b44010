import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { Graph, type GraphTensor, type GraphVariable, placeholder, Session } from '@tfparity/graph';
import { captureInventory, normalizeName } from '@tfparity/inventory';
import type { Tree } from '@tfparity/numerics';
import { DeterministicRandomTestTool, type LedgerEntry, type RandomTestMode } from '@tfparity/random';
import { GraphKeys } from '@tfparity/variables';
import { changedValues } from './eager-side.js';
import { tensorOf } from './fill.js';
import type {
  ModelFunction,
  ModelInputs,
  ModelSide,
  NamedLoss,
  RunHooks,
  RunRequest,
  SideInspection,
  SideRun,
  TensorTree,
  VariableHandle,
} from './model-side.js';
import { downloadTensor, inputItems, mapInputs, mapTensors, tensorsOf } from './tensor-tree.js';

/** A graph that is built already, with what of it is the model. */
export interface GraphModel {
  readonly graph: Graph;
  /** The placeholders, in the structure of the inputs. */
  readonly inputs: ModelInputs<tf.Tensor>;
  readonly outputs: TensorTree;
  /** Whether it was built in training mode; false unless said. A graph has one mode only. */
  readonly training?: boolean;
  /** The mode of the test tool in whose scope it was built; without it initial values and dropout can't be aligned. */
  readonly random?: RandomTestMode;
  /** What the tool noted while the graph was built. */
  readonly ledger?: readonly LedgerEntry[];
}

/** TF1 code as a function: it is traced into a fresh graph for each run, and a session runs it. */
export interface TracedModel {
  readonly trace: ModelFunction;
}

/** Builds or finds the graph for a run. */
type Build = (request: RunRequest) => GraphModel;

/** Traces TF1 code into a graph, in the test tool's scope, which is called by way of `call`. */
export function traceModel(
  { trace }: TracedModel,
  { inputs, training, random, seed = 42 }: Pick<RunRequest, 'inputs' | 'training' | 'random' | 'seed'>,
  call: <T>(body: () => T) => T = (body) => body(),
): GraphModel {
  const tool = new DeterministicRandomTestTool({ mode: random, seed });
  return tool.scope(() => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const placeholders = mapInputs(inputs, ({ dtype, shape }, name) =>
      placeholder(dtype === 'bool' || dtype === 'int32' ? dtype : 'float32', shape, name),
    );
    const outputs = call(() => trace(placeholders, { training }));
    return { graph, inputs: placeholders, outputs, training, random, ledger: [...tool.ledger] };
  });
}

/** A side that a session runs. */
export class GraphSide implements ModelSide {
  constructor(
    readonly description: string,
    private readonly build: Build,
    /** For a graph that exists already; undefined where it is traced. */
    private readonly given: GraphModel | undefined,
    private readonly traced: TracedModel | undefined,
    private readonly rename: (name: string) => string = (name) => name,
  ) {}

  /** TF1 code, traced for each run. */
  static traced(model: TracedModel, rename?: (name: string) => string): GraphSide {
    return new GraphSide('TF1 code in a graph', (request) => traceModel(model, request), undefined, model, rename);
  }

  /** A graph as it is. */
  static of(model: GraphModel, rename?: (name: string) => string): GraphSide {
    return new GraphSide('a graph', () => model, model, undefined, rename);
  }

  cannot({ training, random, prepare }: RunRequest): string | undefined {
    const { given } = this;
    if (given === undefined) return undefined;
    if ((given.training ?? false) !== training) {
      return `the graph was built ${given.training ? 'in training mode' : 'for inference'} only; give {trace: function} for both`;
    }
    if (prepare.kind === 'values' && !training) return undefined;
    if (given.random === random) return undefined;
    return `the graph was ${given.random === undefined ? 'not built in the scope of a test tool' : `built in the test tool's mode ${given.random}`}, and the step needs mode ${random}; give {trace: function}, or say so in 'random'`;
  }

  inspect(inputs: ModelInputs<NdArray>): SideInspection {
    const training = this.given?.training ?? false;
    const { graph } = this.build({ inputs, training, random: 'constant', prepare: { kind: 'initial' } });
    const entries = variablesOf(graph).map(({ name, shape, dtype, trainable }) => ({
      name: this.nameOf({ name }),
      shape,
      dtype,
      trainable,
    }));
    return { inventory: { ...captureInventory(entries), source: this.description }, created: null };
  }

  run(asked: RunRequest, hooks: RunHooks = {}): SideRun {
    const request = hooks.request?.(asked) ?? asked;
    const call = hooks.call;
    const model =
      call && this.traced
        ? traceModel(this.traced, request, (body) => call(() => [], body, request.training))
        : this.build(request);
    using session = new Session(model.graph, { engine: 'replay' });
    return new GraphRun(model, session, (variable) => this.nameOf(variable)).run(request, hooks);
  }

  private nameOf({ name }: { readonly name: string }): string {
    return this.rename(normalizeName(name));
  }
}

/** Those of the global collection, in order; a graph without one has those it made. */
function variablesOf(graph: Graph): readonly GraphVariable[] {
  const listed = graph.collections.get(GraphKeys.GLOBAL_VARIABLES) as readonly GraphVariable[];
  return listed.length > 0 ? listed : graph.variables;
}

/** One session over one graph. */
class GraphRun {
  private readonly assigners = new Map<
    GraphVariable,
    { value: GraphTensor; op: ReturnType<GraphVariable['assign']> }
  >();

  constructor(
    private readonly model: GraphModel,
    private readonly session: Session,
    private readonly nameOf: (variable: { readonly name: string }) => string,
  ) {}

  run(request: RunRequest, hooks: RunHooks): SideRun {
    const { graph } = this.model;
    const variables = variablesOf(graph);
    const initial = new Map<GraphVariable, NdArray>();
    const { prepare } = request;
    // Initial values that would be overwritten at once are not drawn, unless a fault asks for them.
    const drawFirst = prepare.kind === 'initial' || hooks.prepared !== undefined;
    this.initialize(drawFirst ? graph.variables : graph.variables.filter((v) => !variables.includes(v)));
    if (request.prepare.kind === 'values') this.give(variables, request, hooks.prepared ? initial : undefined);
    hooks.prepared?.(
      variables.map((v) => this.handle(v, initial.get(v))),
      request.prepare.kind,
    );
    const before = new Map<string, NdArray>();
    for (const variable of variables) {
      if (request.keepVariables || !variable.trainable) before.set(this.nameOf(variable), this.read(variable));
    }
    const losses = this.losses();
    const outputs = this.forward(request);
    const untrained = variables.filter(({ trainable }) => !trainable);
    return {
      outputs,
      losses: hooks.losses?.(losses) ?? losses,
      ...(request.keepVariables ? { variables: Object.fromEntries(before) } : {}),
      updates: changedValues(
        before,
        untrained.map((v) => [this.nameOf(v), () => this.read(v)] as const),
      ),
      untrained: untrained.length,
      ledger: this.model.ledger ?? null,
    };
  }

  /** One run for outputs and update ops: they share the draws and the batch's statistics. */
  private forward({ inputs, training }: RunRequest): Tree {
    const { graph } = this.model;
    const updates = training ? (graph.collections.get(GraphKeys.UPDATE_OPS) as tf.Tensor[]) : [];
    const values = inputItems(inputs);
    const fed = inputItems(this.model.inputs).map(({ value }, i) => [value, values[i]!.value] as const);
    const fetched = this.session.run([tensorsOf(this.model.outputs), [...updates]], fed)[0] as tf.Tensor[];
    let next = 0;
    const outputs = mapTensors(this.model.outputs, () => downloadTensor(fetched[next++]!));
    tf.dispose(fetched);
    return outputs;
  }

  private losses(): NamedLoss[] {
    const losses = this.model.graph.collections.get(GraphKeys.REGULARIZATION_LOSSES) as GraphTensor[];
    const values = this.session.run([...losses]) as tf.Tensor[];
    const named = losses.map((loss, i) => {
      const [variable, rest] = loss.op.name.split('/Regularizer/');
      return { name: rest === undefined ? null : this.nameOf({ name: variable! }), value: values[i]!.dataSync()[0]! };
    });
    tf.dispose(values);
    return named;
  }

  private initialize(variables: readonly GraphVariable[]): void {
    if (variables.length > 0) this.session.run(variables.map(({ initializer }) => initializer));
  }

  private give(
    variables: readonly GraphVariable[],
    { prepare }: RunRequest,
    initial: Map<GraphVariable, NdArray> | undefined,
  ): void {
    if (prepare.kind !== 'values') return;
    for (const variable of variables) {
      const { shape, dtype } = variable;
      const values = prepare.valueOf({ name: this.nameOf(variable), shape, dtype });
      if (values === undefined) {
        if (initial === undefined) this.initialize([variable]);
        continue;
      }
      initial?.set(variable, this.read(variable));
      this.write(variable, values);
    }
  }

  private read(variable: GraphVariable): NdArray {
    const value = this.session.run(variable) as tf.Tensor;
    const array = downloadTensor(value);
    value.dispose();
    return array;
  }

  private write(variable: GraphVariable, values: NdArray): void {
    const { graph } = this.model;
    let assigner = this.assigners.get(variable);
    if (assigner === undefined) {
      assigner = graph.asDefault(() => {
        const value = placeholder(variable.dtype, variable.shape, 'tfparity_fill/value');
        return { value, op: variable.assign(value) };
      });
      this.assigners.set(variable, assigner);
    }
    const tensor = tensorOf(values, variable.dtype);
    this.session.run(assigner.op, [[assigner.value, tensor]]);
    tensor.dispose();
  }

  private handle(variable: GraphVariable, initial: NdArray | undefined): VariableHandle {
    const { shape, dtype, trainable } = variable;
    return {
      name: this.nameOf(variable),
      shape,
      dtype,
      trainable,
      ...(initial ? { initial } : {}),
      read: () => this.read(variable),
      write: (values) => this.write(variable, values),
    };
  }
}
