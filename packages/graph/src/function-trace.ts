import * as tf from '@tensorflow/tfjs-core';
import { eagerSeedContext, pushSeedContext } from '@tfparity/random';
import { currentContext, pushContext, type VariableContext, type VariableOptions } from '@tfparity/variables';
import { type CallSignature, mapTensors } from './call-signature.js';
import { Graph } from './graph.js';
import { GraphError } from './graph-error.js';
import { placeholder } from './graph-ops.js';
import { type GraphTensor, symbolOf } from './operation.js';
import type { OptimizerReport } from './optimize/optimizer.js';
import { currentGraph } from './recording.js';
import { Session, type SessionOptions } from './session.js';

/** A function's body as a graph, for calls of one signature; its session keeps the state of its random ops. */
export class FunctionTrace {
  readonly graph = new Graph();
  /** How many variables the body made. */
  made = 0;
  private readonly session: Session;
  private readonly inputs: GraphTensor[] = [];
  private readonly captured = new Map<tf.Variable, GraphTensor>();
  private readonly values = new Map<tf.Variable, GraphTensor>();
  private readonly result: unknown;

  /** @param mayCreate  whether the body may make variables, as only the first trace of a function may */
  constructor(
    body: (...args: never[]) => unknown,
    args: readonly unknown[],
    { specs }: CallSignature,
    private readonly mayCreate: boolean,
    options: SessionOptions,
  ) {
    const { graph } = this;
    graph.variableValue = (variable) => this.valueOf(variable);
    graph.seedContext.seed = eagerSeedContext().seed;
    const outer = currentContext();
    this.result = graph.asDefault(() => {
      using _context = pushContext(new TraceContext(outer, this));
      using _assign = interceptAssign(this);
      const given = mapTensors(args, () => {
        const { dtype, shape } = specs[this.inputs.length]!;
        const input = placeholder(dtype, shape, `args_${this.inputs.length}`);
        this.inputs.push(input);
        return input;
      });
      const result = body(...(given as never[]));
      if (result instanceof Promise) {
        throw new GraphError('WrongValue', 'a graph function returns tensors, and this one returns a promise of them');
      }
      return mapResult(result, (tensor) => this.symbolFor(tensor));
    });
    this.session = new Session(graph, options);
  }

  /** Computes a call: feeds its tensors and the variables' current values, and assigns what the body assigned. */
  run(tensors: readonly tf.Tensor[]): unknown {
    const feeds = this.captures();
    this.inputs.forEach((input, i) => {
      feeds.set(input, tensors[i]!);
    });
    const assigned = [...this.values].filter(([variable, value]) => this.captured.get(variable) !== value);
    const fetches: tf.Tensor[] = assigned.map(([, value]) => value);
    mapResult(this.result, (tensor) => {
      fetches.push(tensor);
      return tensor;
    });
    const computed = this.session.run(fetches, feeds);
    assigned.forEach(([variable], i) => {
      variable.assign(computed[i]!);
      computed[i]!.dispose();
    });
    let next = assigned.length;
    return mapResult(this.result, () => computed[next++]!);
  }

  /** What the optimizer did to the last call. */
  get optimizerReport(): OptimizerReport | undefined {
    return this.session.optimizerReport;
  }

  /** Frees the session with the state of the random ops; variables stay. */
  close(): void {
    this.session.close();
  }

  /** Makes a variable outside the graph, where it lives on for every trace and for eager code. */
  create(outer: VariableContext, options: VariableOptions): tf.Variable {
    if (!this.mayCreate) {
      throw new GraphError(
        'VariableCreated',
        'tf.function only supports singleton tf.Variables created on the first call. Make sure the tf.Variable is only ' +
          'created once or created outside tf.function. See https://www.tensorflow.org/guide/function#creating_tfvariables ' +
          'for more information.',
        { variable: options.name },
      );
    }
    this.made += 1;
    return this.graph.eagerly(() => {
      using _ = pushSeedContext(eagerSeedContext());
      return outer.createVariable({ ...options, initialValue: () => this.lifted(options.initialValue()) });
    });
  }

  /** An initial value that was recorded before it was known what it is for, computed now. */
  private lifted(value: tf.Tensor): tf.Tensor {
    if (symbolOf(value) === undefined) return value;
    using session = new Session(this.graph);
    return session.run(value, this.captures());
  }

  private captures(): Map<tf.Tensor, tf.Tensor> {
    return new Map([...this.captured].map(([variable, input]) => [input, variable]));
  }

  /** Notes a variable's new value, which reads that follow see, and the variable itself after the call. */
  assign(variable: tf.Variable, value: tf.Tensor): void {
    if (value.dtype !== variable.dtype || !tf.util.arraysEqual(value.shape, variable.shape)) {
      throw new GraphError(
        'WrongValue',
        `Cannot assign value to variable '${variable.name}:0': the variable is ${variable.dtype} of shape ` +
          `[${variable.shape}], and the assigned value ${value.dtype} of shape [${value.shape}].`,
        { variable: variable.name },
      );
    }
    this.values.set(variable, this.symbolFor(value));
  }

  private symbolFor(tensor: tf.Tensor): GraphTensor {
    const ref = this.graph.symbolize(tensor);
    return ref.op.output(ref.index);
  }

  private valueOf(variable: tf.Variable): GraphTensor {
    const current = this.values.get(variable);
    if (current !== undefined) return current;
    const name = `${variable.name.replace(/[^\w./-]/g, '_').replace(/^[^A-Za-z0-9.]+/, '') || 'variable'}/Read`;
    const input = this.graph.withoutControlDependencies(() => placeholder(variable.dtype, variable.shape, name));
    this.captured.set(variable, input);
    this.values.set(variable, input);
    return input;
  }
}

/** What surrounds the trace, but for variables: they are made outside the graph and assigned when the call is done. */
class TraceContext implements VariableContext {
  readonly kind = 'eager';
  readonly names: VariableContext['names'];
  readonly creators: VariableContext['creators'];
  scopes: VariableContext['scopes'];
  store: VariableContext['store'];
  collections: VariableContext['collections'];

  constructor(
    private readonly outer: VariableContext,
    private readonly trace: FunctionTrace,
  ) {
    this.names = outer.names;
    this.creators = outer.creators;
    this.scopes = outer.scopes;
    this.store = outer.store;
    this.collections = outer.collections;
  }

  createVariable(options: VariableOptions): tf.Variable {
    return this.trace.create(this.outer, options);
  }

  assign(variable: tf.Variable, value: tf.Tensor): undefined {
    this.trace.assign(variable, value);
  }

  withDependencies(tensor: tf.Tensor): tf.Tensor {
    return tensor;
  }
}

/** Lets `variable.assign` of eager variables be noted while a body is traced; eager code in between assigns at once. */
function interceptAssign(trace: FunctionTrace): Disposable {
  const { prototype } = tf.Variable;
  const { assign } = prototype;
  prototype.assign = function (this: tf.Variable, value: tf.Tensor) {
    if (currentGraph() === trace.graph) trace.assign(this, value);
    else assign.call(this, value);
  };
  return {
    [Symbol.dispose]: () => {
      prototype.assign = assign;
    },
  };
}

/** A result with every tensor (variables, too) replaced. */
function mapResult(result: unknown, replace: (tensor: tf.Tensor) => tf.Tensor): unknown {
  if (result instanceof tf.Tensor) return replace(result);
  if (Array.isArray(result)) return result.map((part) => mapResult(part, replace));
  if (typeof result !== 'object' || result === null) return result;
  if (Object.getPrototypeOf(result) !== Object.prototype) return result;
  return Object.fromEntries(Object.entries(result).map(([name, part]) => [name, mapResult(part, replace)]));
}
