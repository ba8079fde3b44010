import * as tf from '@tensorflow/tfjs-core';
import { sumDuplicateRows } from './indexed-slices.js';
import { type NodeBackend, runNativeUpdate } from './native-update.js';
import { TrainingError } from './training-error.js';
import type { Hyper, RuleAttributes, UpdateRule } from './update-rule.js';

const BACKENDS = ['tensorflow', 'wasm', 'cpu', 'webgl', 'webgpu'];

/** The gradient that an update is given. */
export interface UpdateGradient {
  readonly grad: tf.Tensor;
  /** Of rows: which they are. */
  readonly indices?: tf.Tensor1D | undefined;
}

interface KernelCall {
  readonly rule: UpdateRule;
  readonly sparse: boolean;
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attributes: RuleAttributes;
  readonly backend: tf.KernelBackend;
}

const registered = new Set<string>();

/** The inputs of the rule's op, in its order, after the state. */
function inputNames(rule: UpdateRule, sparse: boolean): string[] {
  return rule.inputs.filter((name) => sparse || name !== 'indices');
}

/**
 * The new values of a variable and of its slots, by the rule's kernel on the current backend.
 *
 * On `tensorflow` it is TensorFlow's own kernel; elsewhere (and for rows where TensorFlow has no kernel) the same
 * arithmetic in TypeScript. The inputs are left as they are.
 *
 * @param state  the variable, then its slots in the rule's order
 * @param hyper  the rule's scalars
 */
export function runUpdate(
  rule: UpdateRule,
  state: readonly tf.Tensor[],
  { grad, indices }: UpdateGradient,
  hyper: Readonly<Record<string, tf.Tensor>>,
  attributes: RuleAttributes = {},
): tf.Tensor[] {
  const sparse = indices !== undefined;
  const kernel = ensureUpdateKernel(rule, sparse);
  const inputs: tf.NamedTensorMap = {};
  state.forEach((tensor, i) => {
    inputs[`state${i}`] = tensor;
  });
  for (const name of inputNames(rule, true)) {
    if (name === 'grad') inputs[name] = grad;
    else if (name !== 'indices') inputs[name] = hyper[name]!;
    else if (indices !== undefined) inputs[name] = indices;
  }
  if (sparse) inputs['indices'] = indices;
  return tf.engine().runKernel<tf.Tensor[]>(kernel, inputs, { ...rule.attributes, ...attributes });
}

/** Registers the rule's kernel on every backend, once, on first use; returns its name. */
function ensureUpdateKernel(rule: UpdateRule, sparse: boolean): string {
  const kernelName = sparse ? (rule.sparse ?? `${rule.dense}Rows`) : rule.dense;
  if (registered.has(kernelName)) return kernelName;
  registered.add(kernelName);
  for (const backendName of BACKENDS) {
    if (tf.getKernel(kernelName, backendName) !== undefined) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) =>
        runKernel({
          rule,
          sparse,
          inputs,
          attributes: (attrs ?? {}) as RuleAttributes,
          backend: backend as tf.KernelBackend,
        }),
    });
  }
  return kernelName;
}

function runKernel(call: KernelCall): tf.TensorInfo[] {
  const { backend, rule, sparse } = call;
  const native = 'executeSingleOutput' in backend && 'binding' in backend;
  if (!native || (sparse && rule.sparse === undefined)) return runPortable(call);
  return runNative(call, backend as unknown as NodeBackend);
}

function stateOf({ inputs, rule }: KernelCall): tf.TensorInfo[] {
  return Array.from({ length: rule.slots + 1 }, (_, i) => inputs[`state${i}`] as tf.TensorInfo);
}

function runNative(call: KernelCall, backend: NodeBackend): tf.Tensor[] {
  const { rule, sparse, attributes } = call;
  const state = stateOf(call);
  let given = call.inputs;
  const made: tf.Tensor[] = [];
  if (sparse) {
    const rows = uniqueRows(call);
    const shape = [rows.indices.length, ...state[0]!.shape.slice(1)];
    made.push(tf.tensor(rows.values, shape, 'float32'), tf.tensor1d(rows.indices, 'int32'));
    given = { ...given, grad: made[0]!, indices: made[1]! };
  }
  const order = rule.nativeState ?? state.map((_, i) => i);
  const names = inputNames(rule, sparse);
  const int64 = rule.int64 === undefined ? undefined : names.indexOf(rule.int64);
  const results = runNativeUpdate(backend, {
    op: (sparse ? rule.sparse : rule.dense) as string,
    attributes,
    state: order.map((i) => state[i]!),
    inputs: names.map((name) => given[name] as tf.TensorInfo),
    sparse,
    int64,
  });
  tf.dispose(made);
  return state.map((_, i) => results[order.indexOf(i)]!);
}

function readFloats(backend: tf.KernelBackend, info: tf.TensorInfo): Float32Array {
  return backend.readSync(info.dataId) as Float32Array;
}

/** The rows of a sparse gradient; those that appear twice summed. Checks that each is a row of the variable. */
function uniqueRows({ inputs, backend, rule }: KernelCall): { indices: Int32Array; values: Float32Array } {
  const indices = backend.readSync((inputs['indices'] as tf.TensorInfo).dataId) as Int32Array;
  const values = readFloats(backend, inputs['grad'] as tf.TensorInfo);
  const [rows = 0, ...rest] = (inputs['state0'] as tf.TensorInfo).shape;
  const columns = tf.util.sizeFromShape(rest);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    if (row >= 0 && row < rows) continue;
    throw new TrainingError('InvalidArgument', `indices[${i}] = ${row} is not in [0, ${rows})`, { row, rows });
  }
  if (rule.sumsDuplicates === false) return { indices, values };
  return sumDuplicateRows(indices, values, columns);
}

function runPortable(call: KernelCall): tf.TensorInfo[] {
  const { rule, sparse, inputs, attributes, backend } = call;
  const infos = stateOf(call);
  const state = infos.map((info) => readFloats(backend, info).slice());
  const hyper: Record<string, number> = {};
  for (const name of inputNames(rule, false)) {
    if (name !== 'grad') hyper[name] = readFloats(backend, inputs[name] as tf.TensorInfo)[0]!;
  }
  if (sparse) updateRows(call, state, hyper);
  else {
    const gradient = readFloats(backend, inputs['grad'] as tf.TensorInfo);
    rule.update(state, 0, gradient, 0, gradient.length, hyper, attributes);
  }
  return state.map((values, i) => {
    const shape = [...infos[i]!.shape];
    const dataId = (backend as unknown as Writer).write(values, shape, 'float32');
    return { dataId, shape, dtype: 'float32' };
  });
}

interface Writer {
  write(values: Float32Array, shape: number[], dtype: tf.DataType): tf.DataId;
}

function updateRows(call: KernelCall, state: Float32Array[], hyper: Hyper): void {
  const { rule, attributes } = call;
  const { indices, values } = uniqueRows(call);
  const columns = tf.util.sizeFromShape((call.inputs['state0'] as tf.TensorInfo).shape.slice(1));
  const update = rule.updateRows ?? rule.update;
  const rows = () => {
    for (let i = 0; i < indices.length; i++) {
      update(state, indices[i]! * columns, values, i * columns, columns, hyper, attributes);
    }
  };
  if (rule.aroundRows === undefined) rows();
  else rule.aroundRows(state, rows, hyper);
}
