// Ports tf.gradients (python/ops/gradients_impl.py, TF 2.21) to recorded graphs.
import * as tf from '@tensorflow/tfjs-core';
import {
  controlDependencies,
  type Graph,
  type GraphTensor,
  GraphVariable,
  identity,
  type Operation,
} from '@tfparity/graph';
import { nameScope } from '@tfparity/variables';
import type { Gradient } from '../gradient.js';
import type { IndexedSlices } from '../indexed-slices.js';
import { TrainingError, valueError } from '../training-error.js';
import { type BackwardNode, backpropagate, type TensorKey } from './backprop.js';
import { nodesOf } from './custom-gradient-nodes.js';
import { type BoundGradient, inputGradients, type NamedGradients } from './kernel-gradient.js';
import { ensureOpGradients } from './op-gradients.js';
import { sessionOrder } from './session-order.js';

/** Options of `gradients`. */
export interface GradientsOptions {
  /** The gradients of the ys; ones where left out. */
  readonly gradYs?: readonly (tf.Tensor | null)[];
  /** Tensors that gradients do not pass. */
  readonly stopGradients?: readonly tf.Tensor[];
  /**
   * In which order contributions to one tensor are summed: as a TF1 session with its graph optimizer does ('session', the
   * default), or as the graph has them ('graph', for a session that has its own optimizer, or none).
   */
  readonly order?: 'session' | 'graph';
  /**
   * Whether an op's gradients wait for each other before any of them is used, as slim's train step has it. It changes no
   * value by itself, but which sum a session's graph optimizer rewrites.
   */
  readonly gateGradients?: boolean;
  /** The name scope of the ops; 'gradients' unless said. */
  readonly name?: string;
}

type Saved = (dys: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attrs: tf.NamedAttrMap) => NamedGradients;

/** What stands for a tensor of a graph; for a variable, its handle, which every read of it leads to. */
function keyOf(tensor: tf.Tensor): TensorKey {
  if (tensor instanceof GraphVariable) return tensor.handle.symbolicId();
  return tensor.dataId;
}

function graphOf(tensors: readonly tf.Tensor[]): Graph {
  for (const tensor of tensors) {
    if (tensor instanceof GraphVariable || 'op' in tensor) return (tensor as GraphVariable | GraphTensor).graph;
  }
  throw valueError('gradients: there is no tensor of a graph among ys and xs; in eager code use variableGrads');
}

/** The op that a tensor of a graph is an output of. */
function readOf(ref: Operation['inputs'][number]): tf.Tensor {
  return ref.op.output(ref.index);
}

function isDifferentiable(dtype: string): boolean {
  return dtype === 'float32' || dtype === 'complex64' || dtype === 'resource';
}

/** control_flow_ops.tuple: the gradients of one op, each handed on when all are there. */
function gated(results: Gradient[]): Gradient[] {
  const known = results.filter((gradient) => gradient instanceof tf.Tensor);
  if (known.length < 2) return results;
  const made = known.flatMap((gradient) => ('op' in gradient ? [gradient as GraphTensor] : []));
  return nameScope('tuple', () =>
    controlDependencies(made, () =>
      results.map((gradient) => (gradient instanceof tf.Tensor ? identity(gradient, 'control_dependency') : gradient)),
    ),
  );
}

function nodeOf(op: Operation, gate: boolean): BackwardNode {
  const outputs = op.outputInfos.map(({ dtype }, i) => ({
    key: op.symbolicId(i),
    trainable: isDifferentiable(dtype),
  }));
  const inputs = op.inputs.map(({ op: producer, index }) => producer.symbolicId(index));
  if (op.type === 'ReadVariableOp') return { inputs, outputs, isRead: true, backward: () => [] };
  if (!op.isKernel)
    return { inputs: op.type === 'PlaceholderWithDefault' ? inputs : [], outputs, backward: () => [null] };
  const inputNames = op.inputNames ?? op.inputs.map((_, i) => String(i));
  return {
    inputs,
    outputs,
    backward: (dys, wanted) =>
      nameScope(`${op.name}_grad`, () => {
        const results = inputGradients(
          {
            op: {
              kernel: op.type,
              inputNames,
              inputShapes: op.inputs.map((ref) => ref.op.outputInfos[ref.index]!.shape),
              attrs: op.attrs,
              isDynamic: op.dynamic,
              isVariable: op.inputs.map((ref) => ref.op.type === 'ReadVariableOp'),
              input: (name) => {
                const ref = op.inputs[inputNames.indexOf(name)];
                return ref && readOf(ref);
              },
              output: (index) => op.output(index),
              outputs: op.outputInfos as { shape: readonly number[]; dtype: tf.DataType }[],
            },
            name: op.name,
            gradient: boundGradient(op, inputNames),
          },
          dys,
          wanted,
        );
        return gate ? gated(results) : results;
      }),
  };
}

/** tfjs's gradient of a kernel, on the op's own inputs and outputs. */
function boundGradient(op: Operation, inputNames: readonly string[]): BoundGradient | undefined {
  const config = tf.getGradient(op.type);
  if (config === undefined) return undefined;
  const names = config.saveAllInputs ? inputNames : (config.inputsToSave ?? []);
  const saved = names.map((name) => readOf(op.inputs[inputNames.indexOf(name)]!));
  (config.outputsToSave ?? []).forEach((save, i) => {
    if (save) saved.push(op.output(i));
  });
  return (dys) => (config.gradFunc as Saved)(dys, saved, op.attrs as tf.NamedAttrMap);
}

/**
 * TF1's `tf.gradients`: the sum over `ys` of their gradients by each of `xs`, as tensors of the graph that is open.
 *
 * Contributions to one tensor are summed by one `AddN`. Ops are named
 * `gradients/<forward op>_grad/…`. A variable of which only rows are gathered has rows (`IndexedSlices`) for a gradient.
 *
 * @returns null for each x that no y depends on
 * @throws {TrainingError} `LookupError` for an op on the way that has no gradient, in TensorFlow's words
 */
export function gradients(
  ys: tf.Tensor | readonly tf.Tensor[],
  xs: readonly tf.Tensor[],
  { gradYs, stopGradients = [], order = 'session', gateGradients = false, name = 'gradients' }: GradientsOptions = {},
): (tf.Tensor | IndexedSlices | null)[] {
  ensureOpGradients();
  const targets = ys instanceof tf.Tensor ? [ys] : ys;
  const graph = graphOf([...targets, ...xs]);
  if (gradYs !== undefined && gradYs.length !== targets.length) {
    throw new TrainingError('ValueError', `gradYs has ${gradYs.length} entries for ${targets.length} ys`);
  }
  return nameScope(name, () => {
    const starts = targets.map((y, i) => {
      const given = gradYs?.[i];
      return { key: keyOf(y), gradient: given ?? tf.onesLike(y) };
    });
    return backpropagate({
      // What is summed in a session's order already needs no gates to get it.
      nodes: nodesOf(graph, (op) => nodeOf(op, gateGradients && order === 'graph')),
      ys: starts,
      xs: xs.map(keyOf),
      stop: new Set(stopGradients.map(keyOf)),
      sum: order === 'session' ? sessionOrder(gateGradients) : undefined,
    });
  });
}
