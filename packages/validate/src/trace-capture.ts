import * as tf from '@tensorflow/tfjs-core';
import { type NdArray, toNdArray } from '@tfparity/array';
import type { LedgerEntry } from '@tfparity/random';
import type { ArrayDigest, InputOrigin, Trace, TraceEndPoint, TraceInput, TraceOp } from './trace.js';
import { digestOf, sha256Of } from './trace-digest.js';
import { type KernelCall, namedInputs, observeKernels, type RunCall } from './trace-kernels.js';

/** Tensors in nested arrays and objects. */
export type TracedOutputs =
  | tf.Tensor
  | readonly TracedOutputs[]
  | { readonly [name: string]: TracedOutputs }
  | null
  | undefined;

/** A side that can be run again and again: eager code, a layer, a session's run. */
export interface TraceSide {
  /** For reports. Default: 'reference' or 'migrated'. */
  readonly name?: string;
  /**
   * Computes everything, the same each time it is called (a fresh test tool, the same variables), and returns what is
   * to be compared. Variables that it assigns to are put back afterwards.
   */
  run(): TracedOutputs | Promise<TracedOutputs>;
  /** The backend to run on. Default: the current one. */
  readonly backend?: string;
  /** The random ops of the last run. */
  ledger?(): readonly LedgerEntry[];
  /** How a graph names what it runs, call by call (see `traceSession`). */
  readonly naming?: () => KernelNaming;
}

/** Names kernel calls that carry no scope of their own. */
export interface KernelNaming {
  /** Name and variables read of the next call of this kernel; undefined where it is not the graph's. */
  next(kernel: string): { readonly name: string; readonly variables: ReadonlyMap<string, string> } | undefined;
}

/** What a trace keeps beside digests. */
export interface CaptureOptions {
  /** Whether a source's values (a variable, a constant, an input) are kept. Constants of up to 16 elements always are. */
  readonly keepSource?: (digest: ArrayDigest, origin: InputOrigin) => boolean;
  /** Bytes of end points that are kept. Default 512 MiB; what is beyond is known by its digest. */
  readonly endPointBytes?: number;
  /** Whether end points get a sha256, to be held against recorded runs. Default false. */
  readonly sha256?: boolean;
}

/** The first outputs that say something; the rest is a kernel's own scratch, which may be any bytes. */
const MEANINGFUL_OUTPUTS: Readonly<Record<string, number>> = { FusedBatchNormV3: 3, FusedBatchNormGradV3: 3 };

const SMALL = 16;

/** A tensor's values, which are the backend's own memory and good until it is freed. */
export const peek = (tensor: tf.Tensor): NdArray => toNdArray(tensor);

/** A tensor's values, copied. */
export function copyOf(tensor: tf.Tensor): NdArray {
  const array = toNdArray(tensor);
  return { ...array, data: array.data.slice() as NdArray['data'] };
}

/** Leaves of a tree with their paths: `endPoints/Mixed_5b`. */
export function tensorsOf(tree: TracedOutputs, path = ''): [string, tf.Tensor][] {
  if (tree === null || tree === undefined) return [];
  if (tree instanceof tf.Tensor) return [[path === '' ? 'output' : path, tree]];
  const under = (name: string) => (path === '' ? name : `${path}/${name}`);
  return Object.entries(tree as Record<string, TracedOutputs>).flatMap(([name, item]) => tensorsOf(item, under(name)));
}

/** Writes down kernel calls: who made each input, and what came out. */
export class TraceRecorder {
  readonly ops: TraceOp[] = [];
  private readonly producers = new Map<number, InputOrigin>();
  /** Copies, which may be made before it is known what made the original. */
  private readonly originals = new Map<number, tf.Tensor>();
  private readonly names = new Map<string, number>();
  private readonly naming: KernelNaming | undefined;

  constructor(
    private readonly digests: DigestCache,
    private readonly options: CaptureOptions = {},
    naming?: KernelNaming,
  ) {
    this.naming = naming;
  }

  /** Where a tensor comes from, as far as this run knows. */
  originOf(tensor: tf.Tensor): InputOrigin {
    const known = this.producers.get(tensor.id);
    if (known !== undefined) return known;
    const original = this.originals.get(tensor.id);
    if (original !== undefined) return this.originOf(original);
    if (tensor instanceof tf.Variable) return { kind: 'variable', name: tensor.name };
    return tensor.size <= SMALL ? { kind: 'constant' } : { kind: 'input' };
  }

  /** Whether the call only hands on its input, so that it is no op of its own. */
  passOn(call: KernelCall, outputs: readonly tf.Tensor[]): boolean {
    if (call.kernel !== 'Identity') return false;
    const [entry] = namedInputs(call.inputs);
    this.producers.set(outputs[0]!.id, this.originOf(entry![1]));
    return true;
  }

  /** Notes that a tensor is another one under a new id. */
  handedOn(from: tf.Tensor, to: tf.Tensor): void {
    this.originals.set(to.id, from);
  }

  /** The op that the call is, without its outputs; to be called before it is computed. */
  begin(call: KernelCall): Omit<TraceOp, 'outputs' | 'shapes'> {
    const named = this.naming?.next(call.kernel);
    const inputs = namedInputs(call.inputs).map(([name, tensor]) =>
      this.input(name, tensor, named?.variables.get(name)),
    );
    const name = named?.name ?? this.unique(call.scope === '' ? call.kernel : `${call.scope}/${call.kernel}`);
    const scope = named === undefined ? call.scope : named.name.split('/').slice(0, -1).join('/');
    return { index: this.ops.length, name, kernel: call.kernel, scope, attrs: plainAttrs(call.attrs), inputs };
  }

  /** Adds the op with what it computed. */
  end(op: Omit<TraceOp, 'outputs' | 'shapes'>, outputs: readonly tf.Tensor[]): TraceOp {
    outputs.forEach((tensor, output) => {
      this.producers.set(tensor.id, { kind: 'op', op: op.index, output });
    });
    const seen = outputs.slice(0, MEANINGFUL_OUTPUTS[op.kernel] ?? outputs.length);
    const digests = seen.map((tensor) => this.digests.of(tensor));
    const added = { ...op, outputs: digests, shapes: digests.map(({ shape }) => shape) };
    this.ops.push(added);
    return added;
  }

  /** Adds an assignment, whose output is the variable's new value. */
  assigned(variable: tf.Variable, value: tf.Tensor, scope: string): void {
    const digest = this.digests.of(value);
    const index = this.ops.length;
    this.ops.push({
      index,
      name: this.unique(`${variable.name}/AssignVariable`),
      kernel: 'AssignVariable',
      scope: scope === '' ? variable.name : scope,
      attrs: { variable: variable.name },
      inputs: [{ name: 'value', origin: this.originOf(value), digest }],
      outputs: [digest],
      shapes: [digest.shape],
    });
    this.producers.set(variable.id, { kind: 'op', op: index, output: 0 });
  }

  private input(name: string, tensor: tf.Tensor, variable: string | undefined): TraceInput {
    const found = this.originOf(tensor);
    const origin: InputOrigin =
      variable !== undefined && found.kind !== 'op' ? { kind: 'variable', name: variable } : found;
    const digest = this.digests.of(tensor);
    if (origin.kind === 'op') return { name, origin, digest };
    const kept = tensor.size <= SMALL || (this.options.keepSource?.(digest, origin) ?? false);
    return kept ? { name, origin, digest, value: copyOf(tensor) } : { name, origin, digest };
  }

  private unique(name: string): string {
    const count = this.names.get(name) ?? 0;
    this.names.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}

/** Digests by the data that tensors share, so that a variable is hashed once however often it is read. */
export class DigestCache {
  private readonly known = new WeakMap<object, ArrayDigest>();

  of(tensor: tf.Tensor): ArrayDigest {
    let digest = this.known.get(tensor.dataId);
    if (digest === undefined) {
      digest = digestOf(peek(tensor));
      this.known.set(tensor.dataId, digest);
    }
    const same = digest.shape.length === tensor.rank && digest.shape.every((size, i) => size === tensor.shape[i]);
    return same ? digest : { ...digest, shape: [...tensor.shape] };
  }
}

/** Attributes as plain data; typed arrays become arrays, functions and tensors their kind. */
function plainAttrs(attrs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const plain = (value: unknown): unknown => {
    if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>);
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'function' || value instanceof tf.Tensor) return `<${typeof value}>`;
    return value;
  };
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, plain(value)]));
}

/** Makes a side's backend the current one. */
export async function enterBackend({ backend }: Pick<TraceSide, 'backend'>): Promise<void> {
  if (backend !== undefined && tf.getBackend() !== backend) await tf.setBackend(backend);
}

async function endPointOf(
  [name, tensor]: [string, tf.Tensor],
  recorder: TraceRecorder,
  digests: DigestCache,
  keep: boolean,
  sha256: boolean,
): Promise<TraceEndPoint> {
  const origin = recorder.originOf(tensor);
  const op = origin.kind === 'op' ? origin.op : -1;
  const plain = digests.of(tensor);
  const digest = sha256 ? { ...plain, sha256: await sha256Of(peek(tensor)) } : plain;
  return keep ? { name, op, digest, value: copyOf(tensor) } : { name, op, digest };
}

/**
 * Runs a side once and writes down every kernel call: scope, attributes, where inputs come from, and a digest of every
 * array. Arrays themselves are kept only as `options` say, so that memory stays near that of the run itself.
 */
export async function captureTrace(side: TraceSide, options: CaptureOptions = {}): Promise<Trace> {
  await enterBackend(side);
  const digests = new DigestCache();
  const recorder = new TraceRecorder(digests, options, side.naming?.());
  const endPoints: TraceEndPoint[] = [];
  let budget = options.endPointBytes ?? 512 * 2 ** 20;
  const observer = {
    kernel: (call: KernelCall, run: RunCall) => {
      if (call.kernel === 'Identity') {
        const handedOn = run();
        recorder.passOn(call, handedOn);
        return handedOn;
      }
      const op = recorder.begin(call);
      const outputs = run();
      recorder.end(op, outputs);
      return outputs;
    },
    handedOn: (from: tf.Tensor, to: tf.Tensor) => recorder.handedOn(from, to),
    assigned: (variable: tf.Variable, value: tf.Tensor, scope: string) => recorder.assigned(variable, value, scope),
  };
  await observeKernels(observer, async () => {
    for (const entry of tensorsOf(await side.run())) {
      budget -= entry[1].size * 4;
      endPoints.push(await endPointOf(entry, recorder, digests, budget >= 0, options.sha256 ?? false));
    }
  });
  return {
    name: side.name ?? 'program',
    backend: tf.getBackend(),
    detail: 'ops',
    ops: recorder.ops,
    endPoints,
  };
}
