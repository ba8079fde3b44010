// TensorFlow's resource kernels as functions: scratch variables take the values, the kernel updates them, and the values are read back.
import * as tf from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow op, as tfjs-node's addon takes it. */
interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** The part of tfjs-node's backend that runs TensorFlow's own kernels; this package does not import tfjs-node. */
export interface NodeBackend {
  readonly binding: Readonly<
    Record<
      'TF_ATTR_TYPE' | 'TF_ATTR_BOOL' | 'TF_ATTR_SHAPE' | 'TF_ATTR_STRING' | 'TF_FLOAT' | 'TF_INT32' | 'TF_INT64',
      number
    >
  >;
  executeSingleOutput(op: string, attributes: OpAttribute[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(op: string, attributes: OpAttribute[], inputs: tf.TensorInfo[], outputs: number): tf.Tensor[];
}

/** The handles of the scratch variables of each backend; variables that rows were written to copy on every read. */
const scratch = new WeakMap<object, { dense: tf.Tensor[]; sparse: tf.Tensor[] }>();
let made = 0;

function scratchHandles(backend: NodeBackend, kind: 'dense' | 'sparse', count: number): tf.Tensor[] {
  const held = scratch.get(backend) ?? { dense: [], sparse: [] };
  scratch.set(backend, held);
  const { binding } = backend;
  const handles = held[kind];
  while (handles.length < count) {
    const attributes = [
      { name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
      { name: 'shape', type: binding.TF_ATTR_SHAPE, value: [] },
      { name: 'shared_name', type: binding.TF_ATTR_STRING, value: `tfparity_update_${++made}` },
      { name: 'container', type: binding.TF_ATTR_STRING, value: '' },
    ];
    handles.push(tf.keep(backend.executeSingleOutput('VarHandleOp', attributes, [])));
  }
  return handles.slice(0, count);
}

/** An update kernel's call. */
export interface NativeUpdate {
  readonly op: string;
  readonly attributes: Readonly<Record<string, boolean>>;
  readonly state: readonly tf.TensorInfo[];
  readonly inputs: readonly tf.TensorInfo[];
  readonly sparse: boolean;
  /** The index in `inputs` of a scalar that the op takes as int64. */
  readonly int64?: number | undefined;
}

/** Runs one of TensorFlow's `Resource…Apply…` ops on values, and returns the new values. */
export function runNativeUpdate(backend: NodeBackend, update: NativeUpdate): tf.Tensor[] {
  const { binding } = backend;
  const type = (name: string, value: number): OpAttribute => ({ name, type: binding.TF_ATTR_TYPE, value });
  const float = [type('dtype', binding.TF_FLOAT)];
  const handles = scratchHandles(backend, update.sparse ? 'sparse' : 'dense', update.state.length);
  handles.forEach((handle, i) => {
    backend.executeMultipleOutputs('AssignVariableOp', float, [handle, update.state[i]!], 0);
  });
  const inputs = [...update.inputs];
  if (update.int64 !== undefined) {
    const cast = [type('SrcT', binding.TF_INT32), type('DstT', binding.TF_INT64)];
    inputs[update.int64] = backend.executeSingleOutput('Cast', cast, [inputs[update.int64]!]);
  }
  const attributes = [
    type('T', binding.TF_FLOAT),
    ...(update.sparse ? [type('Tindices', binding.TF_INT32)] : []),
    ...Object.entries(update.attributes).map(([name, value]) => ({ name, type: binding.TF_ATTR_BOOL, value })),
  ];
  backend.executeMultipleOutputs(update.op, attributes, [...handles, ...inputs], 0);
  const results = handles.map((handle) => backend.executeSingleOutput('ReadVariableOp', float, [handle]));
  if (update.int64 !== undefined) (inputs[update.int64] as tf.Tensor).dispose();
  // The scratch variables would hold on to the new values until the next update.
  const nothing = tf.scalar(0);
  for (const handle of handles) backend.executeMultipleOutputs('AssignVariableOp', float, [handle, nothing], 0);
  nothing.dispose();
  return results;
}
