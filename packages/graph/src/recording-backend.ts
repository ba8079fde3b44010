import * as tf from '@tensorflow/tfjs-core';
import { GraphError } from './graph-error.js';
import { describeTensor, type SymbolicId } from './operation.js';

/** The name under which TensorFlow.js knows the backend that records. */
export const RECORDING_BACKEND = 'tfparity-graph';

/** Where the backend puts values that TensorFlow.js writes while a graph is open. */
export type WriteConstant = (values: tf.BackendValues, shape: number[], dtype: tf.DataType) => SymbolicId;

/**
 * A TensorFlow.js backend whose tensors have no values: its kernels record, and reading is an error that names the
 * tensor. Only constants can be read, because their values are part of the graph.
 */
export class RecordingBackend extends tf.KernelBackend {
  constructor(private readonly writeConstant: WriteConstant) {
    super();
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    return this.writeConstant(values, shape, dtype);
  }

  override readSync(dataId: tf.DataId): tf.BackendValues {
    const id = dataId as SymbolicId;
    const constant = id.op.attrs['value'] as tf.BackendValues | undefined;
    if (id.op.type !== 'Const' || constant === undefined) throw notYetComputed(id);
    return (constant as Float32Array).slice();
  }

  override async read(dataId: tf.DataId): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    // Only the engine's data mover forces: a constant of the graph is about to be used by an eager kernel.
    if (force) throw notYetComputed(dataId as SymbolicId);
    return false;
  }

  override move(): void {
    throw new GraphError('Symbolic', 'a tensor cannot be moved into a graph; use it in an op while the graph is open');
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  override numDataIds(): number {
    return 0;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override async time(f: () => void): Promise<tf.BackendTimingInfo> {
    f();
    return { kernelMs: 0 };
  }

  override dispose(): void {}
}

function notYetComputed(id: SymbolicId): GraphError {
  const site = id.op.callSite;
  const where = site === undefined ? '' : ` (made at ${site.file}:${site.line})`;
  const what = id.op.type === 'ReadVariableOp' ? `variable '${id.op.inputs[0]!.op.name}'` : describeTensor(id);
  return new GraphError(
    'Symbolic',
    `${what}${where} has no value while its graph is being built, ` +
      'nor outside its graph: fetch it with session.run',
    { tensor: `${id.op.name}:${id.index}`, op: id.op.type, callSite: site },
  );
}
