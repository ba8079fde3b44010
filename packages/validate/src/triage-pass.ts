import type * as tf from '@tensorflow/tfjs-core';
import { type NdArray, sameShape } from '@tfparity/array';
import { UNIT_ROUNDOFF } from './rounding-bounds.js';
import type { ShadowCheck } from './shadow-run.js';
import type { Trace } from './trace.js';
import { copyOf, enterBackend, type TraceSide } from './trace-capture.js';
import { type KernelCall, namedInputs, observeKernels, type RunCall } from './trace-kernels.js';
import { KINDS_DIFFER, sameBits, sampledDifference } from './triage-difference.js';
import type { PairFinding } from './triage-findings.js';
import { AMPLIFIED } from './triage-growth.js';
import { isolate } from './triage-isolation.js';
import type { Culprit, DifferenceFigures, IsolatedDifference, ParentDiffers, TriageCause } from './triage-report.js';
import { referenceTo, sourceCause } from './triage-structure.js';
import { explainArrays } from './triage-values.js';

/** What became of one differing pair. */
export interface PairResult {
  readonly finding: PairFinding;
  readonly isolated: IsolatedDifference | null;
  /** null: it differs because its inputs do. */
  readonly culprit: Culprit | null;
  readonly variables: readonly { readonly name: string; readonly message: string }[];
  readonly parent: ParentDiffers | null;
}

/**
 * Whether running the op alone can tell anything: on the same backend the same kernel with the same attributes gives the
 * same bits, so that only what is set, wired or fed otherwise is worth it.
 */
const isOpen = ({ causes, sources, wiring }: PairFinding) =>
  causes.length > 0 || sources.length > 0 || wiring.length > 0;

/** Runs the reference once more, and each differing op of the migrated side on the inputs that the reference has there. */
export async function isolatedPass(
  reference: { readonly trace: Trace; readonly side: TraceSide | null },
  migrated: Trace,
  findings: readonly PairFinding[],
): Promise<PairResult[]> {
  const { side } = reference;
  const sameBackend = reference.trace.backend === migrated.backend;
  if (side === null) return findings.map((finding) => fromTraces(finding, sameBackend));
  const assigned = new Set(
    migrated.ops.flatMap(({ attrs, kernel }) => (kernel === 'AssignVariable' ? [attrs['variable']] : [])),
  );
  const open = findings.filter(isOpen);
  const alone = new Set(sameBackend && open.length > 0 ? open : findings);
  const byIndex = new Map(findings.map((finding) => [finding.reference.index, finding]));
  const results: PairResult[] = [];
  let index = 0;
  await enterBackend(side);
  await observeKernels(
    {
      kernel: (call, run) => {
        const outputs = run();
        if (call.kernel === 'Identity') return outputs;
        const finding = byIndex.get(index++);
        if (finding === undefined) return outputs;
        const result = alone.has(finding)
          ? examine(finding, call, outputs, run, { backend: migrated.backend, assigned })
          : conclude(finding, null, [], []);
        results.push(result);
        return outputs;
      },
      assigned: () => {
        const finding = byIndex.get(index++);
        if (finding !== undefined) results.push(conclude(finding, null, [], []));
      },
    },
    async () => {
      await side.run();
    },
  );
  return results;
}

function examine(
  finding: PairFinding,
  call: KernelCall,
  outputs: readonly tf.Tensor[],
  run: RunCall,
  { backend, assigned }: { readonly backend: string | null; readonly assigned: ReadonlySet<unknown> },
): PairResult {
  const { migrated: op, order, sources } = finding;
  const inputs = namedInputs(call.inputs);
  const causes: TriageCause[] = [];
  const variables: { name: string; message: string }[] = [];
  const own = new Set<number>();
  for (const { input, from } of sources) {
    const { value, origin } = op.inputs[input]!;
    const expected = copyOf(inputs[from]![1]);
    const words = value === undefined ? 'the values differ' : explainArrays(expected, value);
    if (origin.kind === 'variable') variables.push({ name: origin.name, message: words });
    // What training on another backend left in a variable is inherited, as an op's rounding is.
    const trained = origin.kind === 'variable' && assigned.has(origin.name);
    if (trained && value !== undefined && nearlySame(value, expected)) continue;
    causes.push(sourceCause(finding.reference.inputs[from]!, op.inputs[input]!, words));
    own.add(input);
  }
  const canRun = !finding.random && !finding.otherShapes;
  const isolated = canRun ? isolate({ op, order, own, backend }, call, outputs, run) : null;
  return conclude(finding, isolated, causes, variables);
}

/** Whether every element is a few roundings apart: channels have sizes of their own, which a norm would drown. */
function nearlySame(value: NdArray, expected: NdArray): boolean {
  if (value.data.length === 1 || !sameShape(value.shape, expected.shape)) return false;
  const [a, b] = [value.data as Float32Array, expected.data as Float32Array];
  return a.every((x, i) => Object.is(x, b[i]) || Math.abs(x - b[i]!) <= 16 * UNIT_ROUNDOFF * Math.abs(b[i]!));
}

/** What is known of a pair without running it: values from outside that differ, or the same inputs with another result. */
function fromTraces(finding: PairFinding, sameBackend: boolean): PairResult {
  const causes = finding.sources.map(({ input, from }) => {
    const [own, expected] = [finding.migrated.inputs[input]!, finding.reference.inputs[from]!];
    const isKept = own.value !== undefined && expected.value !== undefined;
    return sourceCause(expected, own, isKept ? explainArrays(expected.value!, own.value!) : 'the values differ');
  });
  const variables = causes.flatMap(({ kind, subject, message }) =>
    kind === 'variable' && subject !== undefined ? [{ name: subject, message }] : [],
  );
  return conclude(finding, fromDigests(finding, sameBackend), causes, variables);
}

/**
 * What the traces alone say of an op that cannot be run again: where all its inputs are the reference's, bit for bit, what
 * it computed has to be. null where an input is another, so that nothing is known of the op itself.
 */
function fromDigests(
  { reference, migrated, order, random, causes }: PairFinding,
  sameBackend: boolean,
): IsolatedDifference | null {
  const sameInputs =
    reference.inputs.length === migrated.inputs.length &&
    migrated.inputs.every(({ digest }, j) => sameBits(digest, reference.inputs[order[j]!]!.digest) === true);
  if (random || causes.length > 0 || !sameInputs) return null;
  const figures = migrated.outputs.map((digest, k) => {
    const other = reference.outputs[k];
    return other === undefined || other.dtype !== digest.dtype ? null : sampledDifference(digest, other);
  });
  const known = figures.filter((f) => f !== null);
  const none = { maxAbsolute: 0, relativeL2: null, nonFinite: 0, sampled: true };
  const worst = known.reduce<DifferenceFigures>(
    (a, b) => ((b.relativeL2 ?? Infinity) >= (a.relativeL2 ?? -1) ? b : a),
    known[0] ?? none,
  );
  const kinds = known.length < figures.length || reference.outputs.length !== migrated.outputs.length;
  const isSmall =
    !kinds && worst.nonFinite === 0 && worst.relativeL2 !== null && worst.relativeL2 <= AMPLIFIED * UNIT_ROUNDOFF;
  const verdict = sameBackend || !isSmall ? 'different' : 'suspicious';
  const reason = kinds
    ? KINDS_DIFFER
    : sameBackend
      ? 'the same kernel on the same inputs gives the same bits'
      : 'its inputs are the same, bit for bit, and were not kept to run it again';
  return { ...worst, verdict, shareOfBound: null, bound: '', reason };
}

/** Settings, wiring or sources that differ make an op a culprit as soon as its result alone differs at all. */
function conclude(
  finding: PairFinding,
  isolated: IsolatedDifference | null,
  sources: readonly TriageCause[],
  variables: PairResult['variables'],
): PairResult {
  const { reference, migrated, otherShapes, random } = finding;
  const causes = [...finding.causes, ...sources];
  const rewired = finding.causes.some(({ kind }) => kind === 'wiring');
  const none = { finding, isolated, culprit: null, variables, parent: null };
  if (isolated !== null && isolated.verdict === 'identical' && !rewired) return none;
  const beyond = isolated !== null && (isolated.verdict === 'suspicious' || isolated.verdict === 'different');
  if (causes.length === 0 && !beyond) return none;
  if (causes.length === 0)
    causes.push(arithmeticCause("on the reference's inputs it computes something else", isolated!));
  // A setting or a value that differs is no rounding, however little it changes.
  const judged: IsolatedDifference | undefined =
    isolated === null ? undefined : isolated.verdict === 'rounding' ? { ...isolated, verdict: 'suspicious' } : isolated;
  const culprit: Culprit = {
    op: referenceTo(migrated),
    reference: referenceTo(reference),
    causes,
    ...(judged === undefined ? {} : { isolated: judged }),
    mayFollow: otherShapes && !random,
  };
  return { finding, isolated, culprit, variables, parent: parentOf(finding, sources) };
}

function arithmeticCause(what: string, { shareOfBound, reason }: IsolatedDifference): TriageCause {
  if (reason !== undefined) return { kind: 'arithmetic', message: `${what}: ${reason}` };
  const much =
    shareOfBound === null
      ? 'where its arithmetic allows no difference'
      : `${Number(shareOfBound.toPrecision(3))} times what its arithmetic can err`;
  return { kind: 'arithmetic', message: `${what}, ${much}` };
}

/** Ops whose kernels compute what double precision does not confirm. */
export function shadowCulprits(checks: readonly ShadowCheck[]): Culprit[] {
  return checks
    .filter(({ isolated: { verdict } }) => verdict === 'suspicious' || verdict === 'different')
    .map(({ op, isolated }) => ({
      op: referenceTo(op),
      reference: null,
      causes: [arithmeticCause('it is off what double precision gives on its own inputs', isolated)],
      isolated,
      mayFollow: false,
    }));
}

/** A value made outside of any kernel, amid a scope whose ops agree. */
function parentOf({ migrated }: PairFinding, sources: readonly TriageCause[]): ParentDiffers | null {
  const made = sources.find(({ kind }) => kind === 'constant' || kind === 'input');
  if (made === undefined || migrated.inputs.every(({ origin }) => origin.kind !== 'op')) return null;
  const message =
    `the ops of ${migrated.scope || 'the program'} agree on the reference's inputs, and yet it differs: a value that no op ` +
    `computed enters at ${migrated.name} (${made.message})`;
  return { scope: migrated.scope, message };
}
