import { formatShape, sameShape } from '@tfparity/array';
import type { InputOrigin, Trace, TraceInput, TraceOp } from './trace.js';
import type { TraceAlignment } from './trace-alignment.js';
import { sameBits } from './triage-difference.js';
import type { OpReference, TriageCause } from './triage-report.js';

/** An op as reports name it. */
export function referenceTo({ index, name, kernel, scope, shapes }: TraceOp): OpReference {
  return { index, name, kernel, scope, shapes };
}

/** Attributes that say where numbers or work are kept, not what is computed. */
const IGNORED = new Set(['stream', 'useCudnnOnGpu', 'cacheKey']);

/** Attributes that follow from an input's shape. */
const SHAPE_LIKE = new Set([
  'shape',
  'filterSize',
  'newShape',
  'size',
  'begin',
  'end',
  'reps',
  'inputShape',
  'paddings',
]);

const present = (attrs: Readonly<Record<string, unknown>>) =>
  Object.entries(attrs).filter(([name, value]) => !IGNORED.has(name) && value !== undefined && value !== null);

const written = (value: unknown) =>
  JSON.stringify(typeof value === 'number' && !Number.isFinite(value) ? String(value) : value) ?? 'absent';

/** One attribute that is not the same. */
export interface AttributeDifference {
  readonly name: string;
  readonly message: string;
  readonly shapeLike: boolean;
}

/** Attributes that differ between two ops. */
export function attributeDifferences(reference: TraceOp, migrated: TraceOp): AttributeDifference[] {
  const a = new Map(present(reference.attrs));
  const b = new Map(present(migrated.attrs));
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names]
    .filter((name) => written(a.get(name)).toLowerCase() !== written(b.get(name)).toLowerCase())
    .map((name) => ({
      name,
      message: `${name}: ${written(a.get(name))} in the reference, ${written(b.get(name))} here`,
      shapeLike: SHAPE_LIKE.has(name),
    }));
}

/** How one input of an op compares with its counterpart. */
export interface WiringDifference {
  readonly input: number;
  /** `order`: the same inputs in another order. `rewired`: from another op. `missing`, `extra`: past an op only one side has. */
  readonly kind: 'order' | 'rewired' | 'missing' | 'extra' | 'count';
  readonly message: string;
  /** The op that only one side has. */
  readonly op?: TraceOp;
}

/** Where inputs come from, in terms of the reference's trace. */
export class Wiring {
  constructor(
    private readonly reference: Trace,
    private readonly migrated: Trace,
    private readonly alignment: TraceAlignment,
  ) {}

  /** The origin of a migrated op's input as the reference would write it; null for an op that only the migrated side has. */
  private translate(origin: InputOrigin): InputOrigin | null {
    if (origin.kind !== 'op') return origin;
    const op = this.alignment.toReference[origin.op]!;
    return op < 0 ? null : { kind: 'op', op, output: origin.output };
  }

  private same(a: TraceInput, b: TraceInput): boolean {
    const from = this.translate(b.origin);
    if (from === null) return false;
    if (a.origin.kind === 'op' || from.kind === 'op') {
      return a.origin.kind === 'op' && from.kind === 'op' && a.origin.op === from.op && a.origin.output === from.output;
    }
    // Sources differ in their values, if at all, which is looked at by itself.
    if (a.origin.kind === 'variable' && from.kind === 'variable') {
      return a.origin.name === from.name || sameShape(a.digest.shape, b.digest.shape);
    }
    return true;
  }

  private describe(input: TraceInput, trace: Trace): string {
    const { origin } = input;
    if (origin.kind === 'op') return trace.ops[origin.op]!.name;
    return origin.kind === 'variable'
      ? `variable ${origin.name}`
      : `${origin.kind === 'input' ? 'an input' : 'a constant'} of shape ${formatShape(input.digest.shape)}`;
  }

  /**
   * Which of the reference op's inputs each input of the migrated op is: its own place where the wiring is the same, -1
   * where the reference's op takes no such value.
   */
  order(a: TraceOp, b: TraceOp): number[] {
    const used = new Set<number>();
    return b.inputs.map((input, j) => {
      const own = a.inputs[j];
      const at =
        own !== undefined && !used.has(j) && this.same(own, input)
          ? j
          : a.inputs.findIndex((x, i) => !used.has(i) && this.same(x, input));
      if (at >= 0) used.add(at);
      return at;
    });
  }

  /** What is wired otherwise. */
  differences(a: TraceOp, b: TraceOp): WiringDifference[] {
    const order = this.order(a, b);
    if (a.inputs.length === b.inputs.length && order.every((at, j) => at === j)) return [];
    if (a.inputs.length === b.inputs.length && order.every((at) => at >= 0)) {
      const names = order.map((at) => this.describe(a.inputs[at]!, this.reference));
      const message = `takes the reference's inputs in the order ${formatShape(order)}: ${names.join(', ')}`;
      return [{ input: order.findIndex((at, j) => at !== j), kind: 'order', message }];
    }
    if (a.inputs.length !== b.inputs.length) {
      const message = `has ${b.inputs.length} inputs, the reference ${a.inputs.length}`;
      return [{ input: Math.min(a.inputs.length, b.inputs.length), kind: 'count', message }];
    }
    return order.flatMap((at, j) => (at === j ? [] : [this.difference(a, b, j)]));
  }

  private difference(a: TraceOp, b: TraceOp, input: number): WiringDifference {
    const [left, right] = [a.inputs[input]!, b.inputs[input]!];
    const message = `input ${input} comes from ${this.describe(right, this.migrated)}, in the reference from ${this.describe(left, this.reference)}`;
    if (right.origin.kind === 'op' && this.alignment.toReference[right.origin.op]! < 0) {
      return { input, kind: 'extra', message, op: this.migrated.ops[right.origin.op]! };
    }
    if (left.origin.kind === 'op' && this.alignment.toMigrated[left.origin.op]! < 0) {
      return { input, kind: 'missing', message, op: this.reference.ops[left.origin.op]! };
    }
    return { input, kind: 'rewired', message };
  }
}

/** Inputs of two ops that are values from outside of both programs, and are not the same. */
export function sourceDifferences(a: TraceOp, b: TraceOp, order: readonly number[]): { input: number; from: number }[] {
  return b.inputs.flatMap((input, j) => {
    const from = order[j]!;
    const other = a.inputs[from];
    if (other === undefined || input.origin.kind === 'op' || other.origin.kind === 'op') return [];
    return sameBits(other.digest, input.digest) ? [] : [{ input: j, from }];
  });
}

/** What kind of cause a differing source is. */
export function sourceCause(reference: TraceInput, { origin, digest }: TraceInput, words: string): TriageCause {
  if (origin.kind === 'variable') {
    const read =
      reference.origin.kind === 'variable' ? `variable ${reference.origin.name}` : 'a value that is no variable';
    const subject = origin.name;
    if (read === `variable ${subject}`) return { kind: 'variable', subject, message: `${read}: ${words}` };
    return { kind: 'variable', subject, message: `reads variable ${subject}, the reference ${read}` };
  }
  const what = origin.kind === 'input' ? 'input' : 'constant';
  return { kind: what, message: `${what} of shape ${formatShape(digest.shape)}: ${words}` };
}
