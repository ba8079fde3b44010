import * as tf from '@tensorflow/tfjs-core';
import { type NdArray, toNdArray } from '@tfparity/array';
import {
  assign,
  Graph,
  globalVariablesInitializer,
  group,
  type Operation,
  Session,
  type SessionOptions,
} from '@tfparity/graph';
import { DeterministicRandomTestTool, type RandomTestMode } from '@tfparity/random';
import { RandomOp } from '@tfparity/random/philox';
import { GraphKeys, getCollection, globalVariables, tf1VariableStore, variableCreatorScope } from '@tfparity/variables';
import { sha256 } from './golden.js';
import { forwardPass, InceptionLogits, type InceptionOutputs, InceptionResnetV2 } from './inception-resnet-v2.js';

/** How a run is made: the same for both sides. */
export interface RunSettings {
  /** The test tool's mode; without it nothing random is drawn that counts. */
  readonly mode?: RandomTestMode;
  readonly training: boolean;
  /** Two images of uniform noise in place of one of ones. */
  readonly image?: boolean;
  /** Value that every variable is set to before the forward pass, as the guide's step 3 does. */
  readonly reset?: number;
}

/** One variable as it stood before the forward pass. */
export interface VariableState {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly trainable: boolean;
  readonly sha256: string;
}

/** What one side computed. */
export interface ModelRun {
  /** In order of creation. */
  readonly variables: readonly VariableState[];
  readonly regularizationLosses: readonly number[];
  readonly regularizationLoss: number;
  readonly logits: NdArray;
  readonly endPoints: Readonly<Record<string, NdArray>>;
}

/** The input of a run: ones [1, 299, 299, 3], or the golden data's image [2, 299, 299, 3] in [0, 1). */
export function images({ image }: RunSettings): tf.Tensor4D {
  if (!image) return tf.ones([1, 299, 299, 3]);
  const noise = new RandomOp('RandomUniform', { seed: 42, seed2: 100000, dtype: 'float32' }).draw({
    shape: [2, 299, 299, 3],
  });
  return tf.tensor4d(noise.data as Float32Array, [2, 299, 299, 3]);
}

function withTool<T>({ mode }: RunSettings, body: () => T): T {
  return mode === undefined ? body() : new DeterministicRandomTestTool({ mode }).scope(body);
}

/** Copies tensors into arrays; on some backends a tensor's values are the backend's own memory, which goes with it. */
export function copyAll<T extends Record<string, tf.Tensor>>(tensors: T): Record<keyof T, NdArray> {
  const arrays = Object.entries(tensors).map(([name, tensor]) => {
    const array = toNdArray(tensor);
    return [name, { ...array, data: (array.data as Float32Array).slice() }];
  });
  return Object.fromEntries(arrays) as Record<keyof T, NdArray>;
}

/** Downloads tensors into arrays and frees them. */
export function download<T extends Record<string, tf.Tensor>>(tensors: T): Record<keyof T, NdArray> {
  const arrays = copyAll(tensors);
  tf.dispose(tensors);
  return arrays;
}

/** The value of a scalar. */
export const numberOf = (array: NdArray): number => (array.data as Float32Array)[0]!;

/** Whether an op is the draw of the net's dropout, whose seeds say which units are dropped. */
export const isDropoutDraw = (type: string, name: string): boolean =>
  type === 'RandomUniform' && /\bDropout\//.test(name);

/** The draw of the net's dropout in a graph; none where nothing is dropped. */
export function dropoutDraw(graph: Graph): Operation | undefined {
  return graph.operations.find(({ type, name }) => isDropoutDraw(type, name));
}

/** How a variable stands, with that value. */
export function stateOf(variable: tf.Variable, value: tf.Tensor): VariableState {
  const { name, shape, dtype, trainable } = variable;
  return { name, shape, dtype, trainable, sha256: sha256(toNdArray(value)) };
}

/** The TF1 side's graph in TypeScript, closed: the forward pass was recorded, and what a run of it needs. */
export function traceTf1(settings: RunSettings) {
  return withTool(settings, () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const outputs = forwardPass(images(settings), settings);
    const losses = getCollection(GraphKeys.REGULARIZATION_LOSSES) as tf.Scalar[];
    const sums = { loss: tf.addN(losses), losses: tf.stack(losses) };
    const variables = globalVariables();
    const { reset } = settings;
    const initialize =
      reset === undefined
        ? globalVariablesInitializer()
        : group(variables.map((v) => assign(v, tf.fill(v.shape, reset))));
    return { graph, variables, initialize, outputs: { ...outputs, sums } };
  });
}

/**
 * The TF1 side in TypeScript: a graph is built, a session initialises its variables and runs it.
 *
 * @param engine  who runs the graph: `replay` calls its kernels one by one, `tensorflow` is TensorFlow's own session
 */
export function runTf1(settings: RunSettings, engine: 'replay' | 'tensorflow' = 'replay'): ModelRun {
  const { graph, variables, initialize, outputs } = traceTf1(settings);
  using session = new Session(graph, sessionOptions(engine));
  session.run(initialize);
  const states = variableStates(session, variables);
  const { sums, ...others } = outputs;
  // The sum in a run of its own, as TF1 programs fetch it: what else is fetched decides how it is optimized.
  const computed = download({ loss: session.run(sums.loss), losses: session.run(sums.losses) });
  const { logits, endPoints } = session.run(others);
  const run = {
    variables: states,
    regularizationLosses: Array.from(computed.losses.data as Float32Array),
    regularizationLoss: numberOf(computed.loss),
    endPoints: copyAll(endPoints),
    logits: copyAll({ logits }).logits,
  };
  // Together: the logits are an end point too, and a session may give one tensor for both.
  tf.dispose([logits, endPoints]);
  return run;
}

/**
 * The options of a TF1 side's session. TensorFlow's adds the losses in the order of their names, and so does a replay by
 * TensorFlow's kernels, to have the bits of its sum. Elsewhere they are out of reach, and both sides add alike.
 */
export function sessionOptions(engine: 'replay' | 'tensorflow' = 'replay'): SessionOptions {
  const asTensorFlow = engine === 'replay' && tf.getBackend() === 'tensorflow';
  return { engine, ...(asTensorFlow ? { optimizer: { canonicalInputOrder: true } } : {}) };
}

/** How many variables are fetched in one run: a run costs the same for one as for many, and memory for each. */
const FETCHED_AT_ONCE = 128;

function variableStates(session: Session, variables: readonly tf.Variable[]): VariableState[] {
  const states: VariableState[] = [];
  for (let start = 0; start < variables.length; start += FETCHED_AT_ONCE) {
    const part = variables.slice(start, start + FETCHED_AT_ONCE);
    const values = session.run(part) as tf.Tensor[];
    states.push(...part.map((variable, i) => stateOf(variable, values[i]!)));
    tf.dispose(values);
  }
  return states;
}

/** A migrated model to run: its layer, and the call that computes all outputs. */
interface MigratedModel {
  readonly layer: InceptionResnetV2;
  call(images: tf.Tensor): InceptionOutputs;
}

function layerModel({ training }: RunSettings): MigratedModel {
  const layer = new InceptionResnetV2(1000);
  return { layer, call: (images) => tf.tidy(() => layer.apply(images, { training })) };
}

/** The layer in a functional model: its variables exist as soon as the model is built, before its first call. */
function functionalModel({ training }: RunSettings): MigratedModel {
  let endPoints: Record<string, tf.Tensor> | undefined;
  const layer = new InceptionResnetV2(1000);
  const model = new InceptionLogits(layer, (outputs) => {
    // The model tidies up around its layers; what is looked at later must be kept.
    if (endPoints !== undefined)
      for (const [name, tensor] of Object.entries(outputs.endPoints)) endPoints[name] = tf.keep(tensor);
  }).asFunctionalModel({ training });
  const call = (images: tf.Tensor): InceptionOutputs => {
    endPoints = {};
    const logits = tf.tidy(() => model.apply(images, { training }) as tf.Tensor);
    return { logits, endPoints };
  };
  return { layer, call };
}

/** The layer's variables in order of creation. */
export function variablesOf(layer: InceptionResnetV2): tf.Variable[] {
  return [...(tf1VariableStore(layer)?.variables.values() ?? [])];
}

/** Inside the scope variables start at 0, without a draw: for those whose values come from elsewhere. */
export function startAtZero(): Disposable {
  return variableCreatorScope((next, options) =>
    next({ ...options, initialValue: () => tf.zeros([...(options.shape ?? [])]) }),
  );
}

/** The outputs of a call, and the variables as they stood before it. */
interface Call {
  readonly layer: InceptionResnetV2;
  readonly variables: VariableState[];
  readonly outputs: InceptionOutputs;
}

/** Makes the model and calls it. A call in training moves the averages, so each variable is looked at when it is made. */
function firstCall(make: () => MigratedModel, x: tf.Tensor): Call {
  const variables: VariableState[] = [];
  using _ = variableCreatorScope((next, options) => {
    const variable = next(options);
    variables.push(stateOf(variable, variable));
    return variable;
  });
  const model = make();
  return { layer: model.layer, outputs: model.call(x), variables };
}

/** Makes the model, sets each variable to that value, and calls. */
function callReset(make: () => MigratedModel, x: tf.Tensor, value: number): Call {
  using _ = startAtZero();
  const model = make();
  tf.dispose(model.call(x));
  const variables = variablesOf(model.layer).map((variable) => {
    tf.tidy(() => variable.assign(tf.fill(variable.shape, value)));
    return stateOf(variable, variable);
  });
  return { layer: model.layer, variables, outputs: model.call(x) };
}

/** The migrated side: eager code in a layer (or in a functional model around it), whose first call makes the variables. */
export function runMigrated(settings: RunSettings, { functional = false } = {}): ModelRun {
  return withTool(settings, () => {
    const x = images(settings);
    const make = () => (functional ? functionalModel(settings) : layerModel(settings));
    const { reset } = settings;
    const { layer, variables, outputs } = reset === undefined ? firstCall(make, x) : callReset(make, x, reset);
    const losses = layer.calculateLosses();
    const computed = download({ loss: layer.regularizationLoss(), losses: tf.stack(losses) });
    const run = {
      variables,
      regularizationLosses: Array.from(computed.losses.data as Float32Array),
      regularizationLoss: numberOf(computed.loss),
      logits: toNdArray(outputs.logits),
      endPoints: download(outputs.endPoints),
    };
    tf.dispose([x, losses, outputs.logits, variablesOf(layer)]);
    return run;
  });
}
