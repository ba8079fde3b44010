import * as tf from '@tensorflow/tfjs-core';
import { dtypeFromEnum } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import { opSignature } from '../import/op-registry.js';
import type { Addon, AddonAttribute, NativeBackend, TensorHandle } from '../native/addon.js';
import type { Operation } from '../operation.js';

/**
 * Where a captured op's input comes from: an input of the kernel, an output of an op captured before, or a variable that
 * the kernel keeps to compute in.
 */
export type CapturedRef =
  | { readonly input: number }
  | { readonly node: number; readonly output: number }
  | { readonly scratch: number };

/** One call that a kernel made into TensorFlow: an op with its attributes, or a constant. */
export interface CapturedNode {
  readonly op: string;
  readonly attributes: readonly AddonAttribute[];
  readonly inputs: readonly CapturedRef[];
  /** TensorFlow's dtypes of the inputs. */
  readonly inputTypes: readonly number[];
  readonly outputs: number;
  /** Of a constant. */
  readonly constant?: {
    readonly dtype: number;
    readonly shape: readonly number[];
    readonly bytes: Uint8Array | Uint8Array[];
  };
}

/** What one kernel call became. */
export interface KernelCapture {
  readonly nodes: readonly CapturedNode[];
  readonly outputs: readonly CapturedRef[];
}

// Ops that draw: while a graph is lowered they are noted, and zeros stand for what they would give.
const DRAWS = /^(RandomUniform|RandomUniformInt|RandomStandardNormal|TruncatedNormal)$/;

// Ops that refuse what is beyond the small size that an unknown one is tried at; zeros stand for what they would give.
const CUTS = /^(Slice|GatherV2|PadV2)$/;

// Kernels that read their inputs only to check them; TensorFlow checks them again.
const CHECKS_VALUES = new Set(['GatherV2']);

/**
 * Runs a kernel of the backend `tensorflow` on stand-ins of its inputs, and notes which of TensorFlow's ops it calls.
 *
 * @param inputs  tensors of the recorded shapes and dtypes, on the backend
 */
export function captureKernel(backend: NativeBackend, op: Operation, inputs: readonly tf.Tensor[]): KernelCapture {
  const recorder = new BindingRecorder(backend.binding, op);
  backend.getInputTensorIds(inputs).forEach((id, i) => {
    recorder.refs.set(id, { input: i });
  });
  const real = backend.binding;
  backend.binding = recorder.binding;
  let result: tf.Tensor[];
  try {
    const named =
      op.inputNames === null ? inputs : Object.fromEntries(op.inputNames.map((name, i) => [name, inputs[i]!]));
    const attrs = op.attrs['stream'] === undefined ? op.attrs : { ...op.attrs, stream: 'lowering' };
    const made = tf.engine().runKernel(op.type, named as tf.NamedTensorMap, attrs as tf.NamedAttrMap) as
      | tf.Tensor
      | tf.Tensor[];
    result = Array.isArray(made) ? made : [made];
    // What a kernel computed in JavaScript is written only now: a constant.
    const outputs = backend.getInputTensorIds(result).map((id) => recorder.ref(id));
    if (op.attrs['stream'] !== undefined && recorder.nodes.every((node) => node.constant !== undefined)) {
      throw cannotLower(
        op,
        'it draws random numbers in JavaScript (a seed that the addon cannot take), which would become a constant',
      );
    }
    return { nodes: recorder.nodes, outputs };
  } finally {
    backend.binding = real;
  }
}

/** A stand-in for the addon that passes every call on and notes it. */
class BindingRecorder {
  readonly nodes: CapturedNode[] = [];
  readonly refs = new Map<number, CapturedRef>();
  readonly binding: Addon;
  private readonly types = new Map<number, number>();

  constructor(
    private readonly real: Addon,
    private readonly op: Operation,
  ) {
    // The addon's properties are frozen: a proxy of it could not answer for them.
    this.binding = new Proxy({} as Addon, {
      get: (_, key) => {
        if (key === 'executeOp') return this.executeOp;
        if (key === 'createTensor') return this.createTensor;
        if (key === 'tensorDataSync') return this.tensorDataSync;
        return Reflect.get(real, key) as unknown;
      },
    });
  }

  ref(id: number): CapturedRef {
    const ref = this.refs.get(id);
    if (ref !== undefined) return ref;
    throw cannotLower(this.op, 'it uses a tensor that was made before it ran');
  }

  /** A handle that was made before: of a variable that the kernel computes in. */
  private scratch(op: string, input: number, id: number): CapturedRef {
    return opSignature(op)?.inputs[input]?.type === dtypeNumber('resource') ? { scratch: id } : this.ref(id);
  }

  private readonly executeOp = (
    op: string,
    attributes: readonly AddonAttribute[],
    ids: readonly number[],
    count: number,
  ): TensorHandle[] => {
    const inputs = ids.map((id, i) => this.refs.get(id) ?? this.scratch(op, i, id));
    const inputTypes = inputs.map((ref, i) => {
      if ('scratch' in ref) return dtypeNumber('resource');
      return 'input' in ref ? this.inputType(ref.input) : (this.types.get(ids[i]!) ?? 0);
    });
    const handles = DRAWS.test(op) ? this.zeros(attributes, ids[0]!) : this.execute(op, attributes, ids, count);
    const node = this.nodes.push({ op, attributes, inputs, inputTypes, outputs: handles.length }) - 1;
    handles.forEach((handle, output) => {
      this.note(handle.id, { node, output }, handle.dtype);
    });
    return handles;
  };

  private execute(
    op: string,
    attributes: readonly AddonAttribute[],
    ids: readonly number[],
    count: number,
  ): TensorHandle[] {
    try {
      return this.real.executeOp(op, attributes, ids, count);
    } catch (error) {
      const { dtype, shape } = this.op.outputInfos[0]!;
      if (!this.op.dynamic || !CUTS.test(op)) throw error;
      const dims = this.real.createTensor([shape.length], dtypeNumber('int32'), Int32Array.from(shape));
      try {
        return this.zeros([{ name: 'dtype', type: this.real.TF_ATTR_TYPE, value: dtypeNumber(dtype) }], dims);
      } finally {
        this.real.deleteTensor(dims);
      }
    }
  }

  private readonly createTensor = (
    shape: readonly number[],
    dtype: number,
    values: ArrayBufferView | Uint8Array[],
  ): number => {
    const id = this.real.createTensor(shape, dtype, values);
    const bytes = Array.isArray(values)
      ? values.map((value) => value.slice())
      : new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const constant = { dtype, shape: [...shape], bytes };
    const node = this.nodes.push({ op: 'Const', attributes: [], inputs: [], inputTypes: [], outputs: 1, constant }) - 1;
    this.note(id, { node, output: 0 }, dtype);
    return id;
  };

  private readonly tensorDataSync = (id: number): unknown => {
    const ref = this.refs.get(id);
    const known = ref !== undefined && 'node' in ref && this.nodes[ref.node]!.constant !== undefined;
    if (known || CHECKS_VALUES.has(this.op.type)) return this.real.tensorDataSync(id);
    throw cannotLower(this.op, 'it reads the values of its inputs, which a graph does not have');
  };

  private zeros(attributes: readonly AddonAttribute[], dims: number): TensorHandle[] {
    const dtype = Number(attributes.find(({ name }) => name === 'dtype' || name === 'Tout')?.value);
    const zero = this.real.createTensor([], dtype, dtype === 3 ? new Int32Array(1) : new Float32Array(1));
    const types = [
      { name: 'T', type: this.real.TF_ATTR_TYPE, value: dtype },
      { name: 'index_type', type: this.real.TF_ATTR_TYPE, value: 3 },
    ];
    try {
      return this.real.executeOp('Fill', types, [dims, zero], 1);
    } finally {
      this.real.deleteTensor(zero);
    }
  }

  private inputType(input: number): number {
    const ref = this.op.inputs[input]!;
    const { dtype } = ref.op.outputInfos[ref.index]!;
    return dtypeNumber(dtype);
  }

  private note(id: number, ref: CapturedRef, dtype: number): void {
    this.refs.set(id, ref);
    this.types.set(id, dtype);
  }
}

const NUMBERS: Readonly<Record<string, number>> = {
  float32: 1,
  int32: 3,
  string: 7,
  complex64: 8,
  bool: 10,
  resource: 20,
};

/** TensorFlow's number of a dtype of a recorded graph. */
export function dtypeNumber(dtype: string): number {
  return NUMBERS[dtype] ?? dtypeFromEnum(0)?.enumValue ?? 0;
}

/** The error of an op that TensorFlow can't have: which, why, and who made it. */
export function cannotLower(op: Operation, why: string, cause?: unknown): GraphError {
  const site = op.callSite;
  return new GraphError(
    'CannotLower',
    `the op '${op.name}' (${op.type}) cannot become a TensorFlow node: ${why}${site ? `; made at ${site.file}:${site.line}` : ''}`,
    { node: op.name, kernel: op.type, callSite: site },
    { cause },
  );
}
