import type * as tf from '@tensorflow/tfjs-core';
import { bytesOf, type NdArray } from '@tfparity/array';
import type { Trace, TraceOp } from './trace.js';
import { alignTraces } from './trace-alignment.js';
import { copyOf, DigestCache, enterBackend, TraceRecorder, type TraceSide } from './trace-capture.js';
import { type KernelCall, namedInputs, observeKernels, type RunCall } from './trace-kernels.js';
import type { Culprit } from './triage-report.js';
import { Wiring } from './triage-structure.js';
import { ValidateError } from './validate-error.js';

/** One op with all that it takes to run it alone. */
export interface OpRepro {
  readonly name: string;
  readonly kernel: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  /** In the order in which the kernel takes them. */
  readonly inputs: readonly { readonly name: string; readonly value: NdArray }[];
  /** What the reference computed. */
  readonly expected: readonly NdArray[];
  readonly backend: string | null;
  readonly causes: readonly string[];
}

interface Caught {
  readonly trace: Trace;
  readonly op: TraceOp;
  readonly inputs: readonly NdArray[];
  readonly outputs: readonly NdArray[];
}

/** Runs a side up to its end and keeps the arrays of one op. */
async function catchOp(side: TraceSide, index: number): Promise<Caught> {
  await enterBackend(side);
  const recorder = new TraceRecorder(new DigestCache(), {}, side.naming?.());
  let caught: Omit<Caught, 'trace'> | undefined;
  const kernel = (call: KernelCall, run: RunCall): tf.Tensor[] => {
    if (call.kernel === 'Identity') {
      const outputs = run();
      recorder.passOn(call, outputs);
      return outputs;
    }
    const begun = recorder.begin(call);
    const inputs = begun.index === index ? namedInputs(call.inputs).map(([, tensor]) => copyOf(tensor)) : [];
    const outputs = run();
    const op = recorder.end(begun, outputs);
    if (op.index === index) caught = { op, inputs, outputs: outputs.slice(0, op.outputs.length).map(copyOf) };
    return outputs;
  };
  const assigned = (variable: tf.Variable, value: tf.Tensor, scope: string) =>
    recorder.assigned(variable, value, scope);
  await observeKernels({ kernel, assigned }, async () => {
    await side.run();
  });
  if (caught === undefined) {
    throw new ValidateError(
      'InvalidArgument',
      `the side computes no op ${index}; does it compute the same each time?`,
      { index },
    );
  }
  const { name = 'side', backend = null } = side;
  return { ...caught, trace: { name, backend, detail: 'ops', ops: recorder.ops, endPoints: [] } };
}

/**
 * Takes a culprit out of both programs: the migrated op on the reference's inputs, with the migrated side's own
 * variables and constants, and what the reference computed.
 *
 * @throws {ValidateError} `InvalidArgument` for a culprit that only one side has
 */
export async function reproOf(
  sides: { readonly legacy: TraceSide; readonly migrated: TraceSide },
  culprit: Culprit,
): Promise<OpRepro> {
  const { op, reference, causes } = culprit;
  if (op === null || reference === null) {
    const name = (op ?? reference)!.name;
    throw new ValidateError(
      'InvalidArgument',
      `${name} is computed by one side alone; there is nothing to run against`,
      { name },
    );
  }
  const right = await catchOp(sides.legacy, reference.index);
  const own = await catchOp(sides.migrated, op.index);
  const wiring = new Wiring(right.trace, own.trace, alignTraces(right.trace, own.trace));
  const order = wiring.order(right.op, own.op);
  const inputs = own.op.inputs.map(({ name, origin }, j) => {
    const from = right.inputs[order[j]! < 0 ? j : order[j]!];
    return { name, value: origin.kind === 'op' && from !== undefined ? from : own.inputs[j]! };
  });
  return {
    name: own.op.name,
    kernel: own.op.kernel,
    attrs: own.op.attrs,
    inputs,
    expected: right.outputs,
    backend: own.trace.backend,
    causes: causes.map(({ message }) => message),
  };
}

const NUMPY_DTYPES: Readonly<Record<string, string>> = {
  float32: '<f4',
  float64: '<f8',
  int32: '<i4',
  bool: '|b1',
  uint8: '|u1',
  complex64: '<c8',
};

/** A .npy file of version 1.0 (numpy.lib.format). */
function npy(array: NdArray, name: string): Uint8Array {
  const descr = NUMPY_DTYPES[array.dtype];
  if (descr === undefined)
    throw new ValidateError('InvalidArgument', `${name}: numpy has no dtype for ${array.dtype}`, { name });
  const axes = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${axes}), }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const start = [0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8];
  const body = bytesOf(array);
  const bytes = new Uint8Array(start.length + header.length + body.length);
  bytes.set(start);
  bytes.set(new TextEncoder().encode(header), start.length);
  bytes.set(body, start.length + header.length);
  return bytes;
}

const SCRIPT = `// Runs one op alone: node repro.mjs (beside @tensorflow/tfjs-core and a backend, @tfparity/backend, -checkpoint, -numerics).
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { loadBackend } from '@tfparity/backend';
import { openCheckpoint } from '@tfparity/checkpoint';
import { compareArrays, formatComparison } from '@tfparity/numerics';
const op = JSON.parse(readFileSync(new URL('op.json', import.meta.url), 'utf8'));
const load = async (file) => { const npy = await openCheckpoint(new URL(file, import.meta.url).pathname); return npy.get(npy.entries[0].name); };
await loadBackend({ backend: op.backend });
const inputs = await Promise.all(op.inputs.map(async ({ name, file }) => [name, await load(file)]));
const tensors = inputs.map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, shape, dtype)]);
const result = [tf.engine().runKernel(op.kernel, op.takesArray ? tensors.map(([, t]) => t) : Object.fromEntries(tensors), op.attrs)].flat();
for (const [k, file] of op.expected.entries()) console.log(formatComparison(compareArrays(result[k], await load(file))));
`;

/** Writes a folder that runs one op alone: its arrays as .npy, `op.json` with kernel and attributes, `repro.mjs`. */
export async function writeRepro(folder: string, repro: OpRepro): Promise<void> {
  const [{ mkdir, writeFile }, { join }] = await Promise.all([import('node:fs/promises'), import('node:path')]);
  await mkdir(folder, { recursive: true });
  const inputs = repro.inputs.map(({ name }) => ({ name, file: `input-${name}.npy` }));
  const expected = repro.expected.map((_, k) => `expected-${k}.npy`);
  for (const [i, { name, value }] of repro.inputs.entries())
    await writeFile(join(folder, inputs[i]!.file), npy(value, name));
  for (const [k, value] of repro.expected.entries())
    await writeFile(join(folder, expected[k]!), npy(value, repro.name));
  const { name, kernel, attrs, backend, causes } = repro;
  const takesArray = repro.inputs.every((input) => /^\d+$/.test(input.name));
  const op = { name, kernel, attrs, backend, causes, takesArray, inputs, expected };
  await writeFile(join(folder, 'op.json'), `${JSON.stringify(op, null, 2)}\n`);
  await writeFile(join(folder, 'repro.mjs'), SCRIPT);
}
