// Ports _GradientsHelper of tensorflow/python/ops/gradients_util.py (TF 2.21): the order in which contributions arrive and are summed.
import * as tf from '@tensorflow/tfjs-core';
import type { Gradient } from '../gradient.js';
import type { IndexedSlices } from '../indexed-slices.js';
import { ensureConvolutionGradients } from './convolution-gradients.js';
import { addIndexedSlices } from './indexed-slices-sum.js';

/** What stands for a tensor: its id in eager code, its symbol in a graph. */
export type TensorKey = unknown;

/** One op of the forward pass, as the backward pass sees it. */
export interface BackwardNode {
  /** Of no input where it is null: a constant, an absent optional one. */
  readonly inputs: readonly TensorKey[];
  readonly outputs: readonly { readonly key: TensorKey; readonly trainable: boolean }[];
  /**
   * The gradients of the inputs that are wanted, null where there is none.
   *
   * @param dys  of the outputs; null where nothing depends on one
   */
  backward(dys: readonly (tf.Tensor | null)[], wanted: readonly boolean[]): (Gradient | null)[];
  /** The op's name in eager code: its name scope and kernel. A graph's tensors know theirs. */
  readonly name?: string;
  /** Whether it is the reading of a variable: its one input's gradient is its output's, rows included. */
  readonly isRead?: boolean;
  /** Frees what was saved for the gradient. */
  release?(): void;
}

/** Sums contributions to one tensor; `nameOf` gives the name of the op that a contribution comes from. */
export type SumTensors = (tensors: tf.Tensor[], nameOf: (tensor: tf.Tensor) => string) => tf.Tensor;

/** What a backward pass is asked for. */
export interface BackwardRequest {
  /** In order of creation. */
  readonly nodes: readonly BackwardNode[];
  readonly ys: readonly { readonly key: TensorKey; readonly gradient: tf.Tensor }[];
  readonly xs: readonly TensorKey[];
  /** Tensors that gradients do not pass. */
  readonly stop: ReadonlySet<TensorKey>;
  /** Told of every gradient of an op's output, as soon as it is known. */
  /** How contributions to one tensor are summed; `tf.addN` in the order of their arrival where left out. */
  readonly sum?: SumTensors | undefined;
  readonly onGradient?: ((key: TensorKey, gradient: tf.Tensor) => void) | undefined;
}

/** The nodes between xs and ys, with the number of inputs of each that are waited for. */
function pendingCounts({ nodes, ys, xs, stop }: BackwardRequest): Map<BackwardNode, number> {
  const reachedKeys = new Set(xs);
  const reached = new Set<BackwardNode>();
  const producers = new Map<TensorKey, BackwardNode>();
  for (const node of nodes) {
    for (const { key } of node.outputs) producers.set(key, node);
    const fromX = node.outputs.some(({ key }) => reachedKeys.has(key));
    if (!fromX && !node.inputs.some((key) => reachedKeys.has(key) && !stop.has(key))) continue;
    reached.add(node);
    for (const { key, trainable } of node.outputs) if (trainable) reachedKeys.add(key);
  }
  const pending = new Map<BackwardNode, number>();
  const queue = ys.map(({ key }) => producers.get(key)).filter((node) => node !== undefined);
  const between: BackwardNode[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (!reached.delete(next)) continue;
    between.push(next);
    pending.set(next, 0);
    for (const key of next.inputs) {
      const producer = producers.get(key);
      if (producer !== undefined) queue.push(producer);
    }
  }
  for (const node of between) {
    for (const key of node.inputs) {
      const producer = producers.get(key);
      const count = producer === undefined ? undefined : pending.get(producer);
      if (producer !== undefined && count !== undefined) pending.set(producer, count + 1);
    }
  }
  return pending;
}

/** Gradients on their way: lists of contributions, which are freed when nothing holds them any more. */
class Contributions {
  private readonly lists = new Map<TensorKey, (tf.Tensor | IndexedSlices)[]>();
  private readonly holders = new Map<tf.Tensor | IndexedSlices, number>();

  private readonly names = new WeakMap<tf.Tensor, string>();

  constructor(private readonly sumTensors: SumTensors = (tensors) => tf.addN(tensors)) {}

  /** Notes which op a gradient comes from, unless it is another's that was passed on. */
  name(gradient: tf.Tensor | IndexedSlices, op: string | undefined): void {
    if (op === undefined || !(gradient instanceof tf.Tensor) || this.names.has(gradient)) return;
    this.names.set(gradient, `gradients/${op}_grad`);
  }

  private sum(tensors: tf.Tensor[]): tf.Tensor {
    const sum = this.sumTensors(tensors, (tensor) => this.names.get(tensor) ?? '');
    this.names.set(sum, 'gradients/AddN');
    return sum;
  }

  add(key: TensorKey, gradient: tf.Tensor | IndexedSlices): void {
    const list = this.lists.get(key);
    if (list === undefined) this.lists.set(key, [gradient]);
    else list.push(gradient);
    this.hold(gradient);
  }

  hold(gradient: tf.Tensor | IndexedSlices): void {
    this.holders.set(gradient, (this.holders.get(gradient) ?? 0) + 1);
  }

  drop(gradient: tf.Tensor | IndexedSlices): void {
    const left = (this.holders.get(gradient) ?? 1) - 1;
    if (left > 0) {
      this.holders.set(gradient, left);
      return;
    }
    this.holders.delete(gradient);
    gradient.dispose();
  }

  /** The sum of what arrived for a tensor, which the caller holds; null where nothing did. */
  take(key: TensorKey): tf.Tensor | IndexedSlices | null {
    const list = this.lists.get(key);
    if (list === undefined) return null;
    this.lists.delete(key);
    if (list.length === 1) return list[0]!;
    const dense = list.every((gradient) => gradient instanceof tf.Tensor);
    const sum = dense ? this.sum(list as tf.Tensor[]) : addIndexedSlices(list);
    this.hold(sum);
    for (const gradient of list) this.drop(gradient);
    return sum;
  }
}

/** Whether x is wanted at the end, by its key. */
type Results = Map<TensorKey, tf.Tensor | IndexedSlices>;

function densify(gradient: tf.Tensor | IndexedSlices, contributions: Contributions): tf.Tensor {
  if (gradient instanceof tf.Tensor) return gradient;
  const dense = addIndexedSlices([gradient], true) as tf.Tensor;
  contributions.hold(dense);
  contributions.drop(gradient);
  return dense;
}

/** Runs one node; its outputs' gradients go, and those of its inputs arrive. */
function runNode(
  node: BackwardNode,
  { xs, stop, onGradient }: { xs: ReadonlySet<TensorKey> } & Pick<BackwardRequest, 'stop' | 'onGradient'>,
  wantedKeys: ReadonlySet<TensorKey>,
  contributions: Contributions,
  results: Results,
): void {
  if (node.isRead) {
    const sum = contributions.take(node.outputs[0]!.key);
    if (sum !== null && wantedKeys.has(node.inputs[0])) contributions.add(node.inputs[0], sum);
    if (sum !== null) contributions.drop(sum);
    return;
  }
  const dys = node.outputs.map(({ key }) => {
    const sum = contributions.take(key);
    if (sum === null) return null;
    const dense = densify(sum, contributions);
    onGradient?.(key, dense);
    if (xs.has(key)) {
      contributions.hold(dense);
      results.set(key, dense);
    }
    return dense;
  });
  const wanted = node.inputs.map((key) => wantedKeys.has(key) && !stop.has(key));
  if (dys.some((dy) => dy !== null) && wanted.includes(true)) {
    const gradients = node.backward(dys, wanted);
    gradients.forEach((gradient, i) => {
      if (gradient !== null) contributions.name(gradient, node.name);
      if (gradient !== null && wanted[i]) contributions.add(node.inputs[i], gradient);
      else if (gradient !== null && !dys.includes(gradient as tf.Tensor)) gradient.dispose();
    });
  }
  node.release?.();
  for (const dy of dys) if (dy !== null) contributions.drop(dy);
}

/** The gradients of the ys, summed over them, by each of the xs; null for those that no y depends on. */
export function backpropagate(request: BackwardRequest): Gradient[] {
  ensureConvolutionGradients();
  const { nodes, ys } = request;
  const xs = new Set(request.xs);
  const pending = pendingCounts(request);
  const producers = new Map<TensorKey, BackwardNode>();
  for (const node of nodes) for (const { key } of node.outputs) producers.set(key, node);
  // Where gradients are of use: the outputs of the nodes between, and the xs.
  const wantedKeys = new Set(request.xs);
  for (const node of pending.keys()) for (const { key, trainable } of node.outputs) if (trainable) wantedKeys.add(key);
  const contributions = new Contributions(request.sum);
  const results: Results = new Map();
  for (const { key, gradient } of ys) contributions.add(key, gradient);
  const queue = [...new Set(ys.map(({ key }) => producers.get(key)))].filter(
    (node) => node !== undefined && pending.get(node) === 0,
  ) as BackwardNode[];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at]!;
    runNode(node, { ...request, xs }, wantedKeys, contributions, results);
    for (const key of node.inputs) {
      const producer = producers.get(key);
      const count = producer === undefined ? undefined : pending.get(producer);
      if (producer === undefined || count === undefined) continue;
      pending.set(producer, count - 1);
      if (count === 1) queue.push(producer);
    }
  }
  return request.xs.map((key) => {
    const sum = contributions.take(key);
    if (sum === null) return results.get(key) ?? null;
    results.set(key, sum);
    if (sum instanceof tf.Tensor) request.onGradient?.(key, sum);
    return sum;
  });
}
