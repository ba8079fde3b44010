// The ops of TF1 that TensorFlow.js has no function for (array_ops.py, control_flow_ops.py, variables.py, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { GraphKeys } from '@tfparity/variables';
import { type Graph, getDefaultGraph } from './graph.js';
import { GraphError } from './graph-error.js';
import type { GraphVariable } from './graph-variable.js';
import { type GraphTensor, Operation, symbolOf } from './operation.js';
import { closeAround } from './scope-body.js';

/** What can be waited for: an op, a tensor's op, or a variable. */
export type OperationLike = Operation | tf.Tensor;

/** Options of `placeholder`. */
export interface PlaceholderOptions {
  /**
   * The sizes at which kernels are tried where the shape has null, and at twice of which: 2 for the first axis, some
   * dozens for others where left out. Images of a net that needs larger ones say so here.
   */
  readonly sample?: readonly (number | null)[];
}

/**
 * A tensor whose value is fed to `session.run`.
 *
 * A size that is null may differ from run to run. Code that asks for the tensor's shape sees a large number in its
 * place; where that, a multiple of it or a number beside it reaches an op, each run has its own size there. What cannot
 * be decided is an error, here or when the op runs.
 */
export function placeholder(
  dtype: tf.DataType,
  shape: readonly (number | null)[],
  name = 'Placeholder',
  options: PlaceholderOptions = {},
): GraphTensor {
  const graph = getDefaultGraph();
  return graph
    .record(
      {
        type: 'Placeholder',
        inputs: [],
        inputNames: null,
        attrs: { dtype, shape: [...shape] },
        outputs: [{ dtype, ...graph.unknowns.shapes(shape, options.sample), declared: [...shape] }],
        returnsArray: false,
        isKernel: false,
      },
      name,
    )
    .output();
}

/** A tensor that has the value of `input` unless another is fed. */
export function placeholderWithDefault(
  input: tf.Tensor | tf.TensorLike,
  shape: readonly (number | null)[],
  name = 'PlaceholderWithDefault',
): GraphTensor {
  const graph = getDefaultGraph();
  const tensor = input instanceof tf.Tensor ? input : tf.tensor(input);
  const ref = graph.symbolize(tensor);
  const info = ref.op.outputInfos[ref.index]!;
  const fits = info.shape.length === shape.length && shape.every((size, i) => size === null || size === info.shape[i]);
  if (!fits) {
    throw new GraphError('WrongValue', `the default of ${name} has shape [${info.shape}], the placeholder [${shape}]`, {
      expected: shape,
      actual: info.shape,
    });
  }
  return graph
    .record(
      {
        type: 'PlaceholderWithDefault',
        inputs: [ref],
        inputNames: null,
        attrs: { dtype: info.dtype, shape: [...shape] },
        outputs: [{ dtype: info.dtype, ...graph.unknowns.shapes(shape), declared: [...shape] }],
        returnsArray: false,
        isKernel: false,
      },
      name,
    )
    .output();
}

/** The same value as an op of its own, with a name and the control dependencies that are in force. */
export function identity(input: tf.Tensor, name = 'Identity'): GraphTensor {
  const graph = getDefaultGraph();
  const ref = graph.symbolize(input);
  const info = ref.op.outputInfos[ref.index]!;
  return graph
    .record(
      {
        type: 'Identity',
        inputs: [ref],
        inputNames: ['x'],
        attrs: {},
        outputs: [info.declared === undefined ? info : { ...info, declared: undefined }],
        returnsArray: false,
        isKernel: true,
      },
      name,
    )
    .output();
}

/** An op that does nothing but wait for the control dependencies that are in force. */
export function noOp(name = 'NoOp'): Operation {
  return getDefaultGraph().record(
    { type: 'NoOp', inputs: [], inputNames: null, attrs: {}, outputs: [], returnsArray: false, isKernel: false },
    name,
  );
}

/** The op behind an op, tensor or variable of `graph`. @throws {GraphError} `OtherGraph` for what is not of the graph */
export function operationOf(graph: Graph, item: OperationLike): Operation {
  const op = item instanceof Operation ? item : symbolOf(item)?.op;
  if (op === undefined || op.graph !== graph) {
    throw new GraphError(
      'OtherGraph',
      `${item instanceof Operation ? item.name : `a tensor of shape [${item.shape}]`} is not an element of ${graph.name}.`,
      { graph: graph.name },
    );
  }
  return op;
}

/** Makes every op that is recorded until the result is disposed of wait for the given ones; null forgets outer ones. */
export function controlDependencies(inputs: readonly OperationLike[] | null): Disposable;
/** Makes every op that `body` records wait for the given ones. */
export function controlDependencies<R>(inputs: readonly OperationLike[] | null, body: () => R): R;
export function controlDependencies<R>(inputs: readonly OperationLike[] | null, body?: () => R): Disposable | R {
  const graph = getDefaultGraph();
  const leave = graph.enterControlDependencies(inputs?.map((input) => operationOf(graph, input)) ?? null);
  return body ? closeAround(body, leave) : { [Symbol.dispose]: leave };
}

/** An op that is done when all the given ones are. */
export function group(inputs: readonly OperationLike[], name = 'group_deps'): Operation {
  return controlDependencies(inputs, () => noOp(name));
}

/** An op that gives every variable of the graph's global collection its initial value. */
export function globalVariablesInitializer(): Operation {
  return variablesInitializer(variablesIn(GraphKeys.GLOBAL_VARIABLES));
}

/** An op that gives every local variable its initial value. */
export function localVariablesInitializer(): Operation {
  return variablesInitializer(variablesIn(GraphKeys.LOCAL_VARIABLES));
}

function variablesIn(collection: string): tf.Variable[] {
  return getDefaultGraph().collections.get(collection) as tf.Variable[];
}

/** An op that gives the listed variables their initial values. */
export function variablesInitializer(variables: readonly tf.Variable[], name = 'init'): Operation {
  const graph = getDefaultGraph();
  return group(
    variables.map((variable) => graph.context.own(variable).initializer),
    name,
  );
}

function valueFor(variable: GraphVariable, value: tf.Tensor | tf.TensorLike): tf.Tensor {
  return value instanceof tf.Tensor ? value : tf.tensor(value, undefined, variable.dtype);
}

/** Records that a variable takes a value. */
export function assign(variable: tf.Variable, value: tf.Tensor | tf.TensorLike): Operation {
  const own = getDefaultGraph().context.own(variable);
  return own.assign(valueFor(own, value));
}

/** Records that a value is added to a variable. */
export function assignAdd(variable: tf.Variable, value: tf.Tensor | tf.TensorLike): Operation {
  const own = getDefaultGraph().context.own(variable);
  return own.assignAdd(valueFor(own, value));
}

/** Records that a value is subtracted from a variable. */
export function assignSub(variable: tf.Variable, value: tf.Tensor | tf.TensorLike): Operation {
  const own = getDefaultGraph().context.own(variable);
  return own.assignSub(valueFor(own, value));
}
