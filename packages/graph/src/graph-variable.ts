// TF1's resource variables (python/ops/resource_variable_ops.py, TF 2.21) as TensorFlow.js variables.
import * as tf from '@tensorflow/tfjs-core';
import { formatShape } from '@tfparity/array';
import type { VariableOptions } from '@tfparity/variables';
import type { Graph } from './graph.js';
import { GraphError } from './graph-error.js';
import type { GraphTensor, Operation } from './operation.js';

/** What is done to a variable's value. */
export type AssignType = 'AssignVariableOp' | 'AssignAddVariableOp' | 'AssignSubVariableOp';

interface Parts {
  readonly handle: Operation;
  readonly initializer: Operation;
  readonly initialValue: GraphTensor;
  readonly snapshot: GraphTensor;
  readonly trainable: boolean;
}

/**
 * A variable of a graph: each session has its own value of it.
 *
 * It is a `tf.Variable`, so layers, gradients and optimizers take it; used as a tensor it stands for a read of its
 * value, and `assign` records an op instead of assigning.
 */
export class GraphVariable extends tf.Variable {
  /** The op that stands for the variable itself, of the variable's name. */
  readonly handle: Operation;
  /** Assigns the initial value, when a session runs it. */
  readonly initializer: Operation;
  /** What `initializer` assigns. */
  readonly initialValue: GraphTensor;
  /** A read of the variable, the one it stands for as a tensor. */
  readonly snapshot: GraphTensor;

  private constructor(parts: Parts) {
    const engine = tf.engine() as unknown as { nextTensorId(): number };
    super(parts.snapshot, parts.trainable, parts.handle.name, engine.nextTensorId());
    this.handle = parts.handle;
    this.initializer = parts.initializer;
    this.initialValue = parts.initialValue;
    this.snapshot = parts.snapshot;
  }

  /** Records a variable, its initial value, the op that assigns it, and a read, named as TensorFlow names them. */
  static create(graph: Graph, options: VariableOptions): GraphVariable {
    const { names } = graph.context;
    const name = names.uniqueName(options.name ?? 'Variable');
    const outside = names.current;
    try {
      names.enter(`${name}/Initializer/`);
      const initialValue = initialValueOf(graph, options);
      const { dtype, shape } = initialValue;
      names.restore(outside);
      const handle = graph.record(
        {
          type: 'VarHandleOp',
          inputs: [],
          inputNames: null,
          attrs: { dtype, shape: [...shape] },
          outputs: [{ dtype: 'resource', shape: [] }],
          returnsArray: false,
          isKernel: false,
          dynamic: false,
        },
        `${name}/`,
      );
      names.enter(`${name}/`);
      const initializer = recordAssign(graph, handle, 'AssignVariableOp', initialValue, 'Assign', handle);
      names.enter(`${name}/Read/`);
      const snapshot = recordRead(graph, handle, initialValue, handle);
      return new GraphVariable({ handle, initializer, initialValue, snapshot, trainable: options.trainable });
    } finally {
      names.restore(outside);
    }
  }

  /** The graph that it belongs to. */
  get graph(): Graph {
    return this.handle.graph;
  }

  /** Records a read at this point, under the control dependencies that are in force. */
  read(): GraphTensor {
    return recordRead(this.graph, this.handle, this.snapshot);
  }

  /**
   * Records that the variable takes a value, and returns the op; it happens when a session runs the op.
   *
   * @throws {GraphError} `WrongValue` for another shape or dtype, in TensorFlow's words
   */
  override assign(value: tf.Tensor): Operation {
    return this.recordUpdate('AssignVariableOp', value);
  }

  /** Records that a value is added to the variable. */
  assignAdd(value: tf.Tensor): Operation {
    return this.recordUpdate('AssignAddVariableOp', value);
  }

  /** Records that a value is subtracted from the variable. */
  assignSub(value: tf.Tensor): Operation {
    return this.recordUpdate('AssignSubVariableOp', value);
  }

  /** Does nothing: the variable stays in its graph. */
  override dispose(): void {}

  private recordUpdate(type: AssignType, value: tf.Tensor): Operation {
    const ref = this.graph.symbolize(value);
    const given = ref.op.output(ref.index);
    if (!tf.util.arraysEqual(given.shape, this.shape)) {
      throw new GraphError(
        'WrongValue',
        `Cannot assign value to variable '${this.name}:0': Shape mismatch.The variable shape ` +
          `${formatShape(this.shape)}, and the assigned value shape ${formatShape(given.shape)} are incompatible.`,
        { variable: this.name, expected: this.shape, actual: given.shape },
      );
    }
    if (given.dtype !== this.dtype) {
      throw new GraphError(
        'WrongValue',
        `Cannot assign value to variable '${this.name}:0': it is ${this.dtype}, and the assigned value is ${given.dtype}.`,
        { variable: this.name, expected: this.dtype, actual: given.dtype },
      );
    }
    return recordAssign(this.graph, this.handle, type, given, type);
  }
}

function initialValueOf(graph: Graph, options: VariableOptions): GraphTensor {
  const value = options.initialValue();
  const held = value.dtype === options.dtype || !isHeldAs(options.dtype) ? value : tf.cast(value, options.dtype);
  const ref = graph.symbolize(held);
  return ref.op.output(ref.index);
}

/** Whether tfjs has the dtype; others are held in the dtype that the initial value came in. */
function isHeldAs(dtype: string): dtype is 'float32' | 'int32' | 'bool' {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

function recordAssign(
  graph: Graph,
  handle: Operation,
  type: AssignType,
  value: GraphTensor,
  name: string,
  madeWith?: Operation,
): Operation {
  return graph.record(
    {
      type,
      inputs: [handle.symbolicId(), value.op.symbolicId(value.index)],
      inputNames: null,
      attrs: { dtype: value.dtype },
      outputs: [],
      returnsArray: false,
      isKernel: false,
      dynamic: false,
      madeWith,
    },
    name,
  );
}

function recordRead(graph: Graph, handle: Operation, like: GraphTensor, madeWith?: Operation): GraphTensor {
  const { dtype, shape } = like;
  return graph
    .record({
      type: 'ReadVariableOp',
      inputs: [handle.symbolicId()],
      inputNames: null,
      attrs: { dtype },
      outputs: [{ dtype, shape }],
      returnsArray: false,
      isKernel: false,
      dynamic: false,
      madeWith,
    })
    .output();
}
