import { sameShape } from '@tfparity/array';
import { RANDOM_KERNELS } from '@tfparity/random';
import type { Trace, TraceInput, TraceOp } from './trace.js';
import type { TraceAlignment } from './trace-alignment.js';
import { gapsOf } from './trace-alignment.js';
import { sameBits, sampledDifference } from './triage-difference.js';
import type { Culprit, TriageCause } from './triage-report.js';
import {
  attributeDifferences,
  referenceTo,
  sourceDifferences,
  Wiring,
  type WiringDifference,
} from './triage-structure.js';

/** An aligned pair of ops whose results or settings differ, and what is known before anything is run again. */
export interface PairFinding {
  readonly reference: TraceOp;
  readonly migrated: TraceOp;
  /** Causes that need no run: attributes, another kernel, a rewired input, a random draw. */
  readonly causes: readonly TriageCause[];
  readonly wiring: readonly WiringDifference[];
  /** Which of the reference op's inputs each input is. */
  readonly order: readonly number[];
  /** Inputs from outside both programs whose values differ. */
  readonly sources: readonly { readonly input: number; readonly from: number }[];
  /** Whether an input has another shape than the reference's, so that everything may follow from that. */
  readonly otherShapes: boolean;
  readonly random: boolean;
  /** Whether all results are the same bits. */
  readonly identical: boolean;
}

const randomKernels: ReadonlySet<string> = new Set<string>(RANDOM_KERNELS);

const sameOutputs = (a: TraceOp, b: TraceOp) =>
  a.outputs.length === b.outputs.length && a.outputs.every((digest, k) => sameBits(digest, b.outputs[k]!) === true);

/** Compares an aligned pair; null where neither results nor settings differ. */
function pairFinding(reference: TraceOp, migrated: TraceOp, wiring: Wiring): PairFinding | null {
  const identical = sameOutputs(reference, migrated);
  const attributes = attributeDifferences(reference, migrated);
  const order = wiring.order(reference, migrated).map((at, j) => (at < 0 ? j : at));
  const sources = sourceDifferences(reference, migrated, order);
  const alike = attributes.length === 0 && sources.length === 0 && reference.kernel === migrated.kernel;
  if (identical && alike) return null;
  const rewired = identical ? [] : wiring.differences(reference, migrated);
  const otherShapes = migrated.inputs.some(
    ({ digest, origin }, j) =>
      origin.kind === 'op' && !sameShape(digest.shape, reference.inputs[order[j]!]?.digest.shape ?? []),
  );
  const random = randomKernels.has(reference.kernel);
  const causes: TriageCause[] = [];
  if (reference.kernel !== migrated.kernel) {
    causes.push({ kind: 'other-kernel', message: `${migrated.kernel} here, ${reference.kernel} in the reference` });
  } else {
    for (const { name, message, shapeLike } of attributes) {
      if (shapeLike && otherShapes) continue;
      causes.push({ kind: random ? 'random-draw' : 'attribute', subject: name, message });
    }
  }
  if (random && !identical && causes.length === 0) {
    causes.push({ kind: 'random-draw', message: 'other numbers are drawn from the same seeds' });
  }
  for (const { kind, message } of rewired) {
    if (kind === 'rewired' || kind === 'count') causes.push({ kind: 'wiring', message });
    else if (kind === 'order') causes.push({ kind: 'input-order', message });
  }
  return { reference, migrated, causes, wiring: rewired, order, sources, otherShapes, random, identical };
}

/** An op only one side has that hands on one of its inputs bit for bit: a cast to the same type, a reshape, a clone. */
function handsOn({ inputs, outputs }: TraceOp): boolean {
  return inputs.some(({ digest }) => digest.hash !== null && digest.hash === outputs[0]?.hash);
}

/** Differences that need no run: what only one side computes, and pairs that are wired or set otherwise. */
export class TraceFindings {
  readonly pairs: readonly PairFinding[];
  readonly missing: readonly TraceOp[];
  readonly extra: readonly TraceOp[];
  readonly warnings: string[] = [];
  private readonly wiring: Wiring;

  constructor(
    private readonly reference: Trace,
    private readonly migrated: Trace,
    private readonly alignment: TraceAlignment,
  ) {
    this.wiring = new Wiring(reference, migrated, alignment);
    this.missing = reference.ops.filter(({ index }) => alignment.toMigrated[index]! < 0);
    this.extra = migrated.ops.filter(({ index }) => alignment.toReference[index]! < 0);
    this.pairs = reference.ops.flatMap((op) => {
      const partner = alignment.toMigrated[op.index]!;
      const finding = partner < 0 ? null : pairFinding(op, migrated.ops[partner]!, this.wiring);
      return finding === null ? [] : [finding];
    });
    for (const { identical, migrated: op, causes, sources } of this.pairs) {
      if (!identical) continue;
      const differing = sources.map(({ input }) => {
        const { name, origin } = op.inputs[input]!;
        return origin.kind === 'variable' ? `variable ${origin.name} differs` : `input ${name} differs`;
      });
      for (const what of [...causes.map(({ message }) => message), ...differing]) {
        this.warnings.push(`${op.name}: ${what}; on these inputs it makes no difference`);
      }
    }
  }

  /** Culprits that one side alone computes, and those that both compute at different places. */
  structural(): Culprit[] {
    const moved = this.moved();
    const done = new Set<TraceOp>(moved.flatMap(({ pair }) => pair));
    const culprits = moved.map(({ culprit }) => culprit);
    for (const gap of gapsOf(this.reference.ops, this.migrated.ops, this.alignment)) {
      const missing = gap.reference.filter((op) => !done.has(op));
      const extra = gap.migrated.filter((op) => !done.has(op));
      if (missing.length > 0 && extra.length > 0 && this.agreesBehind(missing, extra)) continue;
      culprits.push(...missing.flatMap((op) => this.missingCulprit(op)));
      culprits.push(...extra.flatMap((op) => this.extraCulprit(op)));
    }
    return culprits;
  }

  /** Ops of one scope and kernel that stand at another place among the others. */
  private moved(): { pair: [TraceOp, TraceOp]; culprit: Culprit }[] {
    const free = new Set(this.extra);
    return this.missing.flatMap((a) => {
      const b = [...free].find(({ kernel, scope }) => kernel === a.kernel && scope === a.scope);
      if (b === undefined || a.kernel === 'AssignVariable') return [];
      free.delete(b);
      const before = (op: TraceOp, trace: Trace) => {
        const origin = op.inputs[0]?.origin;
        return origin?.kind === 'op' ? trace.ops[origin.op]!.name : (origin?.kind ?? 'nothing');
      };
      const message = `${b.kernel} is applied to ${before(b, this.migrated)} here, to ${before(a, this.reference)} in the reference`;
      const culprit: Culprit = {
        op: referenceTo(b),
        reference: referenceTo(a),
        causes: [{ kind: 'moved-op', message }],
        mayFollow: false,
      };
      return [{ pair: [a, b], culprit }];
    });
  }

  /** Inputs of aligned ops that are made by ops which only one side has. */
  private behind(ops: readonly TraceOp[], side: 'missing' | 'extra'): { a: TraceInput; b: TraceInput }[] {
    const set = new Set(ops);
    return this.pairs.flatMap(({ reference, migrated, wiring }) =>
      wiring
        .filter(({ kind, op }) => kind === side && op !== undefined && set.has(op))
        .map(({ input }) => ({ a: reference.inputs[input]!, b: migrated.inputs[input]! })),
    );
  }

  /** Whether a group of ops stands for another group: what comes out agrees to a few digits. */
  private agreesBehind(missing: readonly TraceOp[], extra: readonly TraceOp[]): boolean {
    const values = [...this.behind(missing, 'missing'), ...this.behind(extra, 'extra')];
    const agree = values.every(({ a, b }) => (sampledDifference(b.digest, a.digest)?.relativeL2 ?? 1) < 1e-4);
    if (!agree || values.length === 0) return false;
    const names = (ops: readonly TraceOp[]) => ops.map(({ kernel }) => kernel).join(', ');
    this.warnings.push(
      `${extra[0]!.scope || extra[0]!.name}: computed by ${names(extra)} here, by ${names(missing)} in the reference; the results agree to 1e-4`,
    );
    return true;
  }

  private missingCulprit(op: TraceOp): Culprit[] {
    if (op.kernel === 'AssignVariable') {
      const subject = String(op.attrs['variable']);
      const message = `variable ${subject} is not updated`;
      return [
        { op: null, reference: referenceTo(op), causes: [{ kind: 'update', subject, message }], mayFollow: false },
      ];
    }
    const used = this.behind([op], 'missing').some(({ a, b }) => sameBits(a.digest, b.digest) !== true);
    const returned = this.isReturned(op, this.reference);
    if (handsOn(op) || !(used || returned)) return [];
    const message = `${op.kernel} of the reference is missing`;
    return [{ op: null, reference: referenceTo(op), causes: [{ kind: 'missing-op', message }], mayFollow: false }];
  }

  private extraCulprit(op: TraceOp): Culprit[] {
    if (op.kernel === 'AssignVariable') {
      const subject = String(op.attrs['variable']);
      const message = `variable ${subject} is updated here, not in the reference`;
      return [
        { op: referenceTo(op), reference: null, causes: [{ kind: 'update', subject, message }], mayFollow: false },
      ];
    }
    const used = this.behind([op], 'extra').some(({ a, b }) => sameBits(a.digest, b.digest) !== true);
    if (handsOn(op) || !(used || this.isReturned(op, this.migrated))) return [];
    const message = `${op.kernel} is not in the reference`;
    return [{ op: referenceTo(op), reference: null, causes: [{ kind: 'extra-op', message }], mayFollow: false }];
  }

  private isReturned({ index }: TraceOp, trace: Trace): boolean {
    return trace.endPoints.some(({ op }) => op === index);
  }
}
