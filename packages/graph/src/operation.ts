import * as tf from '@tensorflow/tfjs-core';
import { type CallSite, firstCallOutside } from './call-site.js';
import type { Graph } from './graph.js';
import { knownShape } from './unknown-sizes.js';

/** What an output of an op holds; `resource` is the handle of a variable. */
export interface OutputInfo {
  readonly dtype: tf.DataType | 'resource';
  /** The sizes that were recorded; a number that stands for it in place of an unknown one. */
  readonly shape: readonly number[];
  /** The shape at two trials of the unknown sizes, which are those that differ; left out where all are known. */
  readonly tried?: readonly [readonly number[], readonly number[]];
  /** The sizes as declared, null where unknown; only a placeholder's output has them. */
  readonly declared?: readonly (number | null)[];
}

/** One output of one op, as an input of another. */
export interface OutputRef {
  readonly op: Operation;
  readonly index: number;
}

/** Attributes of an op: those of the tfjs kernel that was called. */
export type Attributes = Readonly<Record<string, unknown>>;

/** The `dataId` of a symbolic tensor: which output of which op it stands for. */
export class SymbolicId implements OutputRef {
  constructor(
    readonly op: Operation,
    readonly index: number,
  ) {}
}

/** What `Operation` is made of. */
export interface OperationParts {
  readonly type: string;
  readonly inputs: readonly OutputRef[];
  /** The names under which the kernel takes its inputs, in their order; null where it takes an array. */
  readonly inputNames: readonly string[] | null;
  readonly attrs: Attributes;
  readonly outputs: readonly OutputInfo[];
  /** Whether the kernel returns an array of tensors rather than one. */
  readonly returnsArray: boolean;
  /** Whether this is a call of a tfjs kernel, and not one of the graph's own ops (`Placeholder`, `Const`, `NoOp`, …). */
  readonly isKernel: boolean;
  /** Whether sizes of inputs, outputs or attributes are unknown, and can differ when a session runs. */
  readonly dynamic: boolean;
  /** An op that was made by the same call, whose stack is this one's too. */
  readonly madeWith?: Operation | undefined;
}

/** An object that V8 hangs a stack on, which becomes text only when it is asked for. */
interface Trace {
  stack?: string;
}

/** Deep enough to get from an op of TensorFlow.js, through layers and nets, to the program that called them. */
const STACK_DEPTH = 30;

/** Constants are the most frequent ops, never fail, and lie beside an op that has a stack. */
const noTrace: Trace = {};

function captureTrace(type: string): Trace {
  if (type === 'Const' || Error.captureStackTrace === undefined) return noTrace;
  const trace: Trace = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_DEPTH;
  Error.captureStackTrace(trace, captureTrace);
  Error.stackTraceLimit = limit;
  return trace;
}

/** One node of a graph: what TensorFlow calls an operation. A session can run it, and its outputs are tensors. */
export class Operation {
  readonly type: string;
  readonly inputs: readonly OutputRef[];
  readonly inputNames: readonly string[] | null;
  readonly attrs: Attributes;
  readonly outputInfos: readonly OutputInfo[];
  readonly returnsArray: boolean;
  readonly isKernel: boolean;
  readonly dynamic: boolean;
  private readonly ids: SymbolicId[];
  private readonly tensors: GraphTensor[] = [];
  private readonly trace: Trace;

  constructor(
    readonly graph: Graph,
    /** Its place in the order of creation, which is the order in which a session runs what it needs. */
    readonly id: number,
    readonly name: string,
    readonly controlInputs: readonly Operation[],
    parts: OperationParts,
  ) {
    this.type = parts.type;
    this.inputs = parts.inputs;
    this.inputNames = parts.inputNames;
    this.attrs = parts.attrs;
    this.outputInfos = parts.outputs;
    this.returnsArray = parts.returnsArray;
    this.isKernel = parts.isKernel;
    this.dynamic = parts.dynamic;
    this.ids = parts.outputs.map((_, index) => new SymbolicId(this, index));
    this.trace = parts.madeWith?.trace ?? captureTrace(parts.type);
  }

  /** The tensors that this op computes; the handle of a variable is not among them. */
  get outputs(): readonly GraphTensor[] {
    return this.outputInfos.flatMap((info, index) => (info.dtype === 'resource' ? [] : [this.output(index)]));
  }

  /** The tensor of one output, always the same object. */
  output(index = 0): GraphTensor {
    let tensor = this.tensors[index];
    if (tensor === undefined) {
      tensor = new GraphTensor(this.ids[index]!);
      this.tensors[index] = tensor;
    }
    return tensor;
  }

  /** The `dataId` that stands for one output. */
  symbolicId(index = 0): SymbolicId {
    return this.ids[index]!;
  }

  /** Where the op was made: the innermost frame that is neither TensorFlow.js's nor of the packages that make ops. */
  get callSite(): CallSite | undefined {
    return firstCallOutside(this.trace.stack);
  }

  /** The whole stack at the place where the op was made. */
  get stack(): string | undefined {
    return this.trace.stack;
  }

  /** The op as TensorFlow prints it: `<tf.Operation 'conv/Relu' type=Relu>`. */
  toString(): string {
    return `<tf.Operation '${this.name}' type=${this.type}>`;
  }
}

interface TensorTracking {
  readonly state: { readonly tensorInfo: WeakMap<object, unknown> };
  nextTensorId(): number;
}

/** A tensor of a graph: it has a shape, a dtype and a name, and no values until a session computes it. */
export class GraphTensor<R extends tf.Rank = tf.Rank> extends tf.Tensor<R> {
  /** The op that computes it. */
  readonly op: Operation;
  /** Which output of the op it is. */
  readonly index: number;

  constructor(id: SymbolicId) {
    const engine = tf.engine() as unknown as TensorTracking;
    const { op, index } = id;
    const info = op.outputInfos[index]!;
    super([...info.shape] as tf.ShapeMap[R], info.dtype as tf.DataType, id, engine.nextTensorId());
    this.op = op;
    this.index = index;
    // A graph's tensors are no memory of a backend, so they are known to the engine without being counted.
    if (!engine.state.tensorInfo.has(id)) {
      const { dtype, shape } = this;
      engine.state.tensorInfo.set(id, { backend: op.graph.recorder, dtype, shape, bytes: 0 });
    }
  }

  /** TensorFlow's name of the tensor: `conv/Relu:0`. */
  get name(): string {
    return `${this.op.name}:${this.index}`;
  }

  /** The graph that it belongs to. */
  get graph(): Graph {
    return this.op.graph;
  }

  /** Does nothing: the op stays in its graph, whatever `tf.tidy` thinks of its tensor. */
  override dispose(): void {}

  /** The tensor as TensorFlow prints it: `Tensor("x:0", shape=(None, 2), dtype=float32)`. */
  override toString(): string {
    return describeTensor(this);
  }
}

/** `Tensor("x:0", shape=(None, 2), dtype=float32)`. */
export function describeTensor(ref: OutputRef): string {
  const info = ref.op.outputInfos[ref.index]!;
  const axes = knownShape(info).map((axis) => axis ?? 'None');
  const shape = axes.length === 1 ? `(${axes[0]},)` : `(${axes.join(', ')})`;
  return `Tensor("${ref.op.name}:${ref.index}", shape=${shape}, dtype=${info.dtype})`;
}

/** The output that a tensor stands for; undefined for a tensor that has values, whatever graph is open. */
export function symbolOf(tensor: tf.TensorInfo): SymbolicId | undefined {
  return tensor.dataId instanceof SymbolicId ? tensor.dataId : undefined;
}
