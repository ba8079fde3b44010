// TF1's tf.Graph (python/framework/ops.py, TF 2.21) over recorded TensorFlow.js kernels.
import * as tf from '@tensorflow/tfjs-core';
import { graphSeedContext, pushSeedContext, type SeedContext } from '@tfparity/random';
import { type Collections, pushContext } from '@tfparity/variables';
import { GraphContext } from './graph-context.js';
import { GraphError } from './graph-error.js';
import type { GraphVariable } from './graph-variable.js';
import {
  describeTensor,
  type GraphTensor,
  Operation,
  type OperationParts,
  type OutputRef,
  symbolOf,
} from './operation.js';
import type { InferredOutputs } from './output-inference.js';
import { currentGraph, outsideGraphs, realBackendName, recorder, startRecording } from './recording.js';
import { closeAround } from './scope-body.js';
import { UnknownSizes } from './unknown-sizes.js';

/** A graph that is open until it is disposed of. */
export interface OpenGraphScope extends Disposable {
  readonly graph: Graph;
}

let made = 0;

/** What `Graph.record` is told beside an op's parts. */
export type NewOperation = Omit<OperationParts, 'dynamic'> & { readonly dynamic?: boolean };

/**
 * A TF1 graph: while it is the default (`asDefault`), TensorFlow.js code records ops into it instead of computing.
 *
 * Its tensors have shapes and names but no values; a `Session` computes them. Variables, collections, name scopes and
 * the graph-level seed belong to the graph.
 */
export class Graph {
  /** `graph_1`, `graph_2`, …: tells graphs apart in messages. */
  readonly name = `graph_${++made}`;
  /** The variable context while the graph is open: TF1's strict rules. */
  readonly context: GraphContext = new GraphContext(this);
  /** The seed context while the graph is open: `setSeed` sets the graph's own seed. */
  readonly seedContext: SeedContext = graphSeedContext(`${this.name}/`);
  /** The backend under whose name the engine knows the graph's tensors. */
  readonly recorder: tf.KernelBackend = recorder();
  /** The real backend whose kernels say what shapes come out; sessions run on it unless told otherwise. */
  readonly backendName: string = realBackendName();
  /** Shapes that were found by running kernels, by the kind of call. */
  readonly inferred = new Map<string, InferredOutputs>();
  /** Sizes that differ from run to run. */
  readonly unknowns = new UnknownSizes();
  /** The variables as the engine sees them while the graph is open. */
  readonly variablesByName: Record<string, tf.Variable> = {};
  /** Set where eager variables are no constants: gives the value that one has at this point of the trace. */
  variableValue: ((variable: tf.Variable) => GraphTensor | undefined) | undefined;
  private readonly ops: Operation[] = [];
  private readonly byName = new Map<string, Operation>();
  private readonly variableList: GraphVariable[] = [];
  private readonly captured = new WeakMap<object, GraphTensor>();
  private controls: readonly Operation[] = [];
  private isFinalized = false;

  /** The ops, in the order in which they were made. */
  get operations(): readonly Operation[] {
    return this.ops;
  }

  /** Every variable, in the order of creation, whatever collections it is in. */
  get variables(): readonly GraphVariable[] {
    return this.variableList;
  }

  /** The collections: `GLOBAL_VARIABLES`, `UPDATE_OPS`, `REGULARIZATION_LOSSES`, …. */
  get collections(): Collections {
    return this.context.collections;
  }

  /** Whether ops that are made now wait for others. */
  get hasControlDependencies(): boolean {
    return this.controls.length > 0;
  }

  /** Whether ops can no longer be added. */
  get finalized(): boolean {
    return this.isFinalized;
  }

  /** Makes this graph the default until the result is disposed of: TensorFlow.js code records into it. */
  asDefault(): OpenGraphScope;
  /** Makes this graph the default around `body` (until its promise settles) and returns what `body` returns. */
  asDefault<R>(body: (graph: Graph) => R): R;
  asDefault<R>(body?: (graph: Graph) => R): OpenGraphScope | R {
    const stop = startRecording(this);
    const context = pushContext(this.context);
    const seeds = pushSeedContext(this.seedContext);
    const close = () => {
      // First what can refuse: a graph that is not the innermost one stays open, and so do its contexts.
      stop();
      seeds[Symbol.dispose]();
      context[Symbol.dispose]();
    };
    if (body) return closeAround(() => body(this), close);
    let open = true;
    return {
      graph: this,
      [Symbol.dispose]: () => {
        if (open) close();
        open = false;
      },
    };
  }

  /** Lets no more ops be added: a program that builds ops in its training loop fails instead of growing. */
  finalize(): void {
    this.isFinalized = true;
  }

  /**
   * Adds an op in the current name scope and under the current control dependencies.
   *
   * @param name  relative to the name scope, made unique; with a trailing slash exactly that name
   * @throws {GraphError} `Finalized`
   */
  record(parts: NewOperation, name: string = parts.type): Operation {
    if (this.isFinalized) throw new GraphError('Finalized', 'Graph is finalized and cannot be modified.', { name });
    const unique = this.context.names.uniqueName(name);
    const infos = [...parts.inputs.map(({ op: { outputInfos }, index }) => outputInfos[index]!), ...parts.outputs];
    const dynamic = parts.dynamic ?? infos.some(({ tried }) => tried !== undefined);
    const op = new Operation(this, this.ops.length, unique, this.controls, { ...parts, dynamic });
    this.ops.push(op);
    this.byName.set(unique, op);
    for (let i = 0; dynamic && i < op.outputInfos.length; i++) this.unknowns.declare(op.symbolicId(i));
    return op;
  }

  /** Adds a constant; the values are copied. */
  constant(values: tf.BackendValues, shape: readonly number[], dtype: tf.DataType, name = 'Const'): GraphTensor {
    const value = (values as Float32Array).slice();
    const outputs = [{ dtype, shape: [...shape] }];
    const attrs = { dtype, value };
    return this.record(
      { type: 'Const', inputs: [], inputNames: null, attrs, outputs, returnsArray: false, isKernel: false },
      name,
    ).output();
  }

  /**
   * Which output a tensor stands for in this graph: its own symbol, or a constant that holds an eager tensor's values.
   *
   * @throws {GraphError} `OtherGraph` for a tensor of another graph
   */
  symbolize(tensor: tf.TensorInfo): OutputRef {
    const held = tensor instanceof tf.Variable ? this.variableValue?.(tensor) : undefined;
    const symbol = symbolOf(held ?? tensor);
    if (symbol !== undefined) {
      if (symbol.op.graph !== this) throw this.otherGraph(symbol);
      const variable = this.hasControlDependencies ? this.context.variableOf(tensor) : undefined;
      return variable === undefined ? symbol : variable.read().op.symbolicId();
    }
    const found = this.captured.get(tensor.dataId);
    if (found !== undefined) return found.op.symbolicId();
    const values = tf.engine().readSync(tensor.dataId);
    const constant = this.withoutControlDependencies(() => this.constant(values, tensor.shape, tensor.dtype));
    this.captured.set(tensor.dataId, constant);
    return constant.op.symbolicId();
  }

  /** Makes ops that `body` adds wait for `ops`, too. */
  enterControlDependencies(ops: readonly Operation[] | null): () => void {
    const before = this.controls;
    this.controls = ops === null ? [] : [...new Set([...before, ...ops])];
    return () => {
      this.controls = before;
    };
  }

  /** Adds what `body` adds without the control dependencies that are in force. */
  withoutControlDependencies<R>(body: () => R): R {
    const leave = this.enterControlDependencies(null);
    try {
      return body();
    } finally {
      leave();
    }
  }

  /** Runs `body` on the real backend, recording nothing. */
  eagerly<R>(body: () => R): R {
    return outsideGraphs(this.backendName, body);
  }

  /** Notes a variable; `GraphContext` calls it. */
  addVariable(variable: GraphVariable): void {
    this.variableList.push(variable);
    this.variablesByName[variable.name] = variable;
  }

  /**
   * The op of that name.
   *
   * @throws {GraphError} `NotFound` in TensorFlow's words
   */
  getOperationByName(name: string): Operation {
    if (name.includes(':')) {
      throw new GraphError('NotFound', `Name '${name}' appears to refer to a Tensor, not a Operation.`, { name });
    }
    const op = this.byName.get(name);
    if (op === undefined) {
      throw new GraphError('NotFound', `The name '${name}' refers to an Operation not in the graph.`, { name });
    }
    return op;
  }

  /**
   * The tensor of that name, `conv/Relu:0`.
   *
   * @throws {GraphError} `NotFound` in TensorFlow's words
   */
  getTensorByName(name: string): GraphTensor {
    const [opName = '', index = '', ...rest] = name.split(':');
    if (!/^\d+$/.test(index) || rest.length > 0) {
      const known = this.byName.has(name)
        ? `The name '${name}' refers to an Operation, not a Tensor. `
        : `The name '${name}' looks like an (invalid) Operation name, not a Tensor. `;
      throw new GraphError('NotFound', `${known}Tensor names must be of the form "<op_name>:<output_index>".`, {
        name,
      });
    }
    const op = this.byName.get(opName);
    const said = `The name '${name}' refers to a Tensor which does not exist. The operation, '${opName}', `;
    if (op === undefined) throw new GraphError('NotFound', `${said}does not exist in the graph.`, { name });
    const info = op.outputInfos[Number(index)];
    if (info === undefined || info.dtype === 'resource') {
      throw new GraphError('NotFound', `${said}exists but only has ${op.outputs.length} outputs.`, { name });
    }
    return op.output(Number(index));
  }

  /** The error for a tensor of another graph. */
  private otherGraph(symbol: OutputRef): GraphError {
    const from = describeTensor(symbol);
    return new GraphError(
      'OtherGraph',
      `${from} must be from the same graph as the ops that are being recorded (graphs are ${symbol.op.graph.name} and ${this.name}).`,
      { tensor: `${symbol.op.name}:${symbol.index}`, graph: this.name, other: symbol.op.graph.name },
    );
  }
}

/**
 * The graph that is being built.
 *
 * @throws {GraphError} `Closed` where none is: unlike TF1 there is no graph that is always there
 */
export function getDefaultGraph(): Graph {
  const graph = currentGraph();
  if (graph === undefined) {
    throw new GraphError('Closed', 'no graph is the default here; open one with `using _ = graph.asDefault()`');
  }
  return graph;
}
