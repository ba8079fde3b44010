import * as tf from '@tensorflow/tfjs-core';
import { wrapCustomGradients } from './custom-gradient.js';
import type { Graph } from './graph.js';
import { GraphError } from './graph-error.js';
import { GraphTensor } from './operation.js';
import { inferOutputs } from './output-inference.js';
import { recordConstant } from './recorded-constant.js';
import { RECORDING_BACKEND, RecordingBackend } from './recording-backend.js';
import { wrapReductionGradients } from './reduction-gradients.js';

type Engine = ReturnType<typeof tf.engine>;

/** What the engine keeps of its current backend: setting it is `setBackend` without setting up every kernel anew. */
interface Current {
  backendName: string;
  backendInstance: tf.KernelBackend;
}

interface Registered {
  registeredVariables: Record<string, tf.Variable>;
}

interface OpenGraph {
  readonly graph: Graph;
  readonly before: Snapshot;
}

interface Snapshot {
  readonly backendName: string;
  readonly backendInstance: tf.KernelBackend;
  readonly registeredVariables: Record<string, tf.Variable>;
}

const open: OpenGraph[] = [];
let paused = 0;
let recordingRunKernel: Engine['runKernel'] | undefined;
let recordingMakeTensor: Engine['makeTensor'] | undefined;

/** The graph that ops are recorded into now; undefined in eager code. */
export function currentGraph(): Graph | undefined {
  return paused > 0 ? undefined : open.at(-1)?.graph;
}

function snapshot(): Snapshot {
  const engine = tf.engine();
  const { backendName, backendInstance } = engine as unknown as Current;
  return { backendName, backendInstance, registeredVariables: (engine.state as Registered).registeredVariables };
}

function restore(to: Snapshot): void {
  const engine = tf.engine();
  const current = engine as unknown as Current;
  current.backendName = to.backendName;
  current.backendInstance = to.backendInstance;
  (engine.state as Registered).registeredVariables = to.registeredVariables;
}

/** The one backend that records, registered on first use. */
export function recorder(): RecordingBackend {
  const found = tf.findBackend(RECORDING_BACKEND);
  if (found !== null) return found as RecordingBackend;
  const made = new RecordingBackend((values, shape, dtype) => {
    const graph = currentGraph();
    if (graph === undefined) throw new GraphError('Closed', 'a value is written for a graph, but no graph is open');
    const constant = recordConstant(graph, values, shape, dtype);
    return constant.op.symbolicId(constant.index);
  });
  // Priority 0: never chosen by itself where no backend was.
  tf.registerBackend(RECORDING_BACKEND, () => made, 0);
  return tf.findBackend(RECORDING_BACKEND) as RecordingBackend;
}

/** The backend that eager code runs on, also while graphs are open. */
export function realBackendName(): string {
  const engine = tf.engine();
  // The getter chooses and sets up a backend where none has been used yet.
  if (open.length === 0 && engine.backendName === undefined) void tf.backend();
  return open[0]?.before.backendName ?? engine.backendName;
}

/** Makes `graph` the one that records until the result is called; graphs nest. */
export function startRecording(graph: Graph): () => void {
  recorder();
  realBackendName();
  wrapEngine();
  wrapCustomGradients(currentGraph);
  wrapReductionGradients();
  const entry: OpenGraph = { graph, before: snapshot() };
  open.push(entry);
  restore({
    backendName: RECORDING_BACKEND,
    backendInstance: recorder(),
    registeredVariables: graph.variablesByName,
  });
  return () => {
    const inner = open.at(-1);
    if (inner !== entry) {
      const state = open.includes(entry) ? `${inner?.graph.name}, opened inside it, is still open` : 'it is not open';
      throw new GraphError(
        'ScopeOrder',
        `Nesting violated for default stack of graphs: ${graph.name} is closed, but ${state}`,
        {
          closed: graph.name,
          open: inner?.graph.name,
        },
      );
    }
    open.pop();
    restore(entry.before);
  };
}

/** Runs `body` eagerly on a real backend, also while graphs are open. */
export function outsideGraphs<R>(backendName: string, body: () => R): R {
  const before = snapshot();
  const backendInstance = tf.findBackend(backendName);
  if (backendInstance === null) {
    throw new GraphError('Unavailable', `backend '${backendName}' is not there; load it before a session runs on it`, {
      backend: backendName,
    });
  }
  paused += 1;
  const registeredVariables = open[0]?.before.registeredVariables ?? before.registeredVariables;
  restore({ backendName, backendInstance, registeredVariables });
  try {
    return body();
  } finally {
    paused -= 1;
    restore(before);
  }
}

/**
 * Puts this package in front of the engine's `runKernel` (so that every kernel name has a recording kernel) and
 * `makeTensor` (so that a constant outlives the `tf.tidy` it was made in). Both pass straight on in eager code.
 */
function wrapEngine(): void {
  const engine = tf.engine();
  if (engine.runKernel !== recordingRunKernel) {
    const next = engine.runKernel;
    recordingRunKernel = function runKernel<T extends tf.Tensor | tf.Tensor[]>(
      kernelName: string,
      inputs: tf.NamedTensorMap,
      attrs?: tf.NamedAttrMap,
    ): T {
      const graph = currentGraph();
      if (graph !== undefined) {
        if (engine.backendName !== RECORDING_BACKEND) throw backendChanged(graph, engine.backendName);
        ensureRecordingKernel(kernelName);
      }
      return next.call(engine, kernelName, inputs, attrs) as T;
    };
    engine.runKernel = recordingRunKernel;
  }
  if (engine.makeTensor !== recordingMakeTensor) {
    const next = engine.makeTensor;
    recordingMakeTensor = (values, shape, dtype, backend) => {
      const graph = currentGraph();
      if (graph === undefined || backend != null || values == null) {
        return next.call(engine, values, shape, dtype, backend);
      }
      return recordConstant(graph, encoded(values), shape, dtype ?? 'float32');
    };
    engine.makeTensor = recordingMakeTensor;
  }
}

function backendChanged(graph: Graph, backend: string): GraphError {
  return new GraphError(
    'Unavailable',
    `the backend was set to '${backend}' while ${graph.name} is open, and so nothing is recorded any more; set the ` +
      "backend before the graph is made, or choose a session's with its option 'backend'",
    { backend, graph: graph.name },
  );
}

function encoded(values: tf.DataValues): tf.BackendValues {
  return typeof values[0] === 'string'
    ? Array.from(values as string[], (text) => tf.util.encodeString(text))
    : (values as tf.BackendValues);
}

function ensureRecordingKernel(kernelName: string): void {
  if (tf.getKernel(kernelName, RECORDING_BACKEND) !== undefined) return;
  tf.registerKernel({
    kernelName,
    backendName: RECORDING_BACKEND,
    kernelFunc: ({ inputs, attrs }) => recordKernel(kernelName, inputs, attrs ?? {}),
  });
}

function recordKernel(
  kernelName: string,
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap,
): tf.Tensor | tf.Tensor[] {
  const graph = currentGraph()!;
  const names = Object.keys(inputs).filter((name) => inputs[name] != null);
  const refs = names.map((name) => graph.symbolize(inputs[name]!));
  // TensorFlow.js clones whatever it saves for gradients; a clone of a symbol is the symbol. Under control
  // dependencies it is the op that carries them, as tf.identity is in TensorFlow.
  if (kernelName === 'Identity' && !graph.hasControlDependencies)
    return new GraphTensor(refs[0]!.op.symbolicId(refs[0]!.index));
  const inputNames = Array.isArray(inputs) ? null : names;
  const inferred = inferOutputs(graph, { type: kernelName, inputNames, inputs: refs, attrs });
  const op = graph.record({
    type: kernelName,
    inputs: refs,
    inputNames,
    attrs: copyAttrs(attrs),
    outputs: inferred.outputs,
    returnsArray: inferred.returnsArray,
    isKernel: true,
    dynamic: inferred.dynamic === true,
  });
  return inferred.returnsArray ? [...op.outputs] : op.output(0);
}

function copyAttrs(attrs: tf.NamedAttrMap): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attrs).map(([name, value]) => [name, Array.isArray(value) ? [...(value as unknown[])] : value]),
  );
}
