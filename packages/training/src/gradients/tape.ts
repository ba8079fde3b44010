import * as tf from '@tensorflow/tfjs-core';
import { currentContext, nameScope, programScope } from '@tfparity/variables';
import type { BackwardNode } from './backprop.js';
import { type BoundGradient, inputGradients, type NamedGradients } from './kernel-gradient.js';

type TapeGradient = (dys: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attrs: tf.NamedAttrMap) => NamedGradients;

/** The engine's own tape functions, which its types keep to themselves. */
interface TapeEngine {
  startTape(): void;
  endTape(): void;
  addTapeNode(
    kernelName: string,
    inputs: tf.NamedTensorMap,
    outputs: tf.Tensor[],
    gradientsFunc: TapeGradient | null,
    saved: tf.Tensor[],
    attrs: tf.NamedAttrMap | undefined,
  ): void;
  readonly state: { activeTape: unknown[] | null; gradientDepth: number };
}

/** A forward pass in eager code: its value, and its ops in order. */
export interface TapeRecord<T> {
  readonly value: T;
  readonly nodes: readonly BackwardNode[];
  /** Frees what was saved and not used. */
  release(): void;
}

const TRAINABLE: ReadonlySet<string> = new Set(['float32', 'complex64']);

/**
 * Runs `body` under tfjs's tape, and returns its ops with what their gradients need.
 *
 * tfjs's tape keeps no attributes and sums gradients in an order of its own, so the nodes are caught on their way to it.
 */
export function recordTape<T extends tf.TensorContainer>(body: () => T): TapeRecord<T> {
  const engine = tf.engine() as unknown as TapeEngine;
  const outermost = engine.state.gradientDepth === 0;
  const saved: tf.Tensor[][] = [];
  const nodes: BackwardNode[] = [];
  const nameOf = uniqueNames();
  const { addTapeNode } = engine;
  const own = Object.hasOwn(engine, 'addTapeNode');
  engine.addTapeNode = (kernel, inputs, outputs, gradientsFunc, kept, attrs) => {
    saved.push(kept);
    const taped = { name: nameOf(kernel), kernel, inputs, outputs, gradientsFunc, saved: kept, attrs: attrs ?? {} };
    nodes.push(tapeNode(taped, outermost));
    // An outer tape has to see them too.
    if (!outermost) addTapeNode.call(engine, kernel, inputs, outputs, gradientsFunc, kept, attrs);
  };
  const release = () => {
    if (outermost) for (const tensors of saved) for (const tensor of tensors) tensor.dispose();
  };
  engine.startTape();
  try {
    return { value: tf.tidy('forward', body as () => T), nodes, release };
  } catch (error) {
    release();
    throw error;
  } finally {
    engine.endTape();
    if (own) engine.addTapeNode = addTapeNode;
    else Reflect.deleteProperty(engine, 'addTapeNode');
    if (outermost) engine.state.activeTape = null;
  }
}

/** Names ops as a graph would: by the scope that the program is in, counted where there are several of a kind. */
function uniqueNames(): (kernel: string) => string {
  const counts = new Map<string, number>();
  return (taped) => {
    // A function made by tf.customGrad is taped under the name of whatever scope of the engine is open.
    const kernel = tf.getKernel(taped, tf.getBackend()) === undefined ? 'CustomGradient' : taped;
    const scope = programScope();
    const name = scope === '' ? kernel : `${scope}/${kernel}`;
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  };
}

interface Taped {
  /** For the scope of its gradient's ops: `gradients/<name>_grad`. */
  readonly name: string;
  readonly kernel: string;
  readonly inputs: tf.NamedTensorMap;
  readonly outputs: tf.Tensor[];
  readonly gradientsFunc: TapeGradient | null;
  readonly saved: tf.Tensor[];
  readonly attrs: tf.NamedAttrMap;
}

function tapeNode(taped: Taped, releases: boolean): BackwardNode {
  const { kernel, inputs, outputs, saved, attrs } = taped;
  const inputNames = Object.keys(inputs).filter((name) => inputs[name] != null);
  const tensors = inputNames.map((name) => inputs[name]!);
  const config = tf.getGradient(kernel);
  const func = (config?.gradFunc as TapeGradient | undefined) ?? taped.gradientsFunc;
  const gradient: BoundGradient | undefined = func == null ? undefined : (dys) => func(dys, saved, attrs);
  // The caller's tensors may be gone by then; what tfjs saved for its own gradient is there.
  const savedNames = config?.saveAllInputs ? inputNames : (config?.inputsToSave ?? []);
  const savedOutputs = (config?.outputsToSave ?? []).flatMap((save, i) => (save ? [i] : []));
  const infos = outputs.map(({ shape, dtype }) => ({ shape, dtype }));
  const op = {
    kernel,
    inputNames,
    inputShapes: tensors.map((tensor) => tensor.shape),
    attrs,
    isVariable: tensors.map((tensor) => tensor instanceof tf.Variable),
    input: (name: string) => (savedNames.includes(name) ? saved[savedNames.indexOf(name)] : undefined),
    output: (index: number) =>
      savedOutputs.includes(index) ? saved[savedNames.length + savedOutputs.indexOf(index)] : undefined,
    outputs: infos,
    isDynamic: false,
  };
  return {
    name: `${currentContext().names.current}${kernel}`,
    inputs: tensors.map((tensor) => tensor.id),
    outputs: outputs.map((tensor) => ({ key: tensor.id, trainable: TRAINABLE.has(tensor.dtype) })),
    backward: (dys, wanted) =>
      nameScope(`gradients/${taped.name}_grad/`, () => inputGradients({ op, name: kernel, gradient }, dys, wanted)),
    release: () => {
      if (releases) for (const tensor of saved) tensor.dispose();
    },
  };
}
