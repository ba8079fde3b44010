import { diffLedgers, type LedgerDifference } from '@tfparity/random';
import { type NoiseFloor, type NoiseOptions, noiseFloor } from './noise-floor.js';
import { RoundingFloor } from './rounding-floor.js';
import type { ShadowArray } from './shadow-array.js';
import { checkAgainstShadow, shadowRun } from './shadow-run.js';
import type { Trace } from './trace.js';
import { alignTraces, type TraceAlignment } from './trace-alignment.js';
import { type CaptureOptions, captureTrace, type TraceSide } from './trace-capture.js';
import { backwardPass } from './triage-backward.js';
import { sameBits } from './triage-difference.js';
import { firstDivergence } from './triage-divergence.js';
import { counterpart, endPointWarnings, unmatchedEndPoints } from './triage-end-points.js';
import { TraceFindings } from './triage-findings.js';
import { amplificationOf, growthOf, type NoiseAt, relativeTo, shadowFigures } from './triage-growth.js';
import { isolatedPass, type PairResult, shadowCulprits } from './triage-pass.js';
import type { Culprit, IsolatedDifference, TriageReport, TriageSideSummary, TriageVerdict } from './triage-report.js';
import { referenceTo } from './triage-structure.js';
import { summarize, worstOf } from './triage-verdict.js';
import { ValidateError } from './validate-error.js';

/** A side of a triage: a program that can be run again, or a trace that was taken before. */
export type TriageInput = TraceSide | Trace;

/** What `triage` compares. */
export interface TriageRequest {
  /** The side that is right. */
  readonly legacy: TriageInput;
  readonly migrated: TriageInput;
}

/** How `triage` goes about it. */
export interface TriageOptions {
  /** Runs that measure the noise floor, where a difference has no culprit. false: none. */
  readonly noise?: NoiseOptions | false;
  /**
   * Whether both sides' end points are held against a run in double precision. Default false: it takes many times as
   * long as a run. (Where the reference is only recorded end points, single ops are held against double precision anyway.)
   */
  readonly shadow?: boolean;
  /** Is told what is being done. */
  readonly onProgress?: (what: string) => void;
}

const isTrace = (input: TriageInput): input is Trace => 'ops' in input;

interface Captured {
  readonly trace: Trace;
  readonly side: TraceSide | null;
}

async function capture(
  input: TriageInput,
  name: string,
  keepSource: CaptureOptions['keepSource'],
  sha256: boolean,
): Promise<Captured> {
  if (isTrace(input)) {
    const { digest } = input.ops[0]?.inputs[0] ?? input.endPoints[0] ?? {};
    if (digest !== undefined && typeof digest.samples.length !== 'number') {
      const message = `trace ${input.name} lost its samples on the way through JSON; write it with serializeTrace, read it with parseTrace`;
      throw new ValidateError('InvalidArgument', message, { trace: input.name });
    }
    return { trace: input, side: null };
  }
  const side = { name, ...input };
  return { trace: await captureTrace(side, { keepSource, sha256 }), side };
}

/** Of the second side the sources that the first does not have are kept: they are needed to run its ops alone. */
function unknownTo({ ops }: Trace): NonNullable<CaptureOptions['keepSource']> {
  const hashes = new Set<string | null>();
  const variables = new Map<string, Set<string | null>>();
  for (const { inputs } of ops) {
    for (const { origin, digest } of inputs) {
      if (origin.kind === 'variable')
        variables.set(origin.name, (variables.get(origin.name) ?? new Set()).add(digest.hash));
      else hashes.add(digest.hash);
    }
  }
  return ({ hash }, origin) =>
    !(origin.kind === 'variable' ? (variables.get(origin.name) ?? hashes) : hashes).has(hash);
}

function ledgerDifference(legacy: Captured, migrated: Captured): LedgerDifference | null {
  const [a, b] = [legacy.side?.ledger?.(), migrated.side?.ledger?.()];
  return a === undefined || b === undefined ? null : diffLedgers(a, b);
}

/** What is known of the ops, one by one. */
interface OpFindings {
  readonly culprits: readonly Culprit[];
  readonly results: readonly PairResult[];
  readonly isolated: readonly (IsolatedDifference | null)[];
  readonly findings: TraceFindings | null;
  /** What the rounding of one op alone moves at an end point: see `RoundingFloor`. */
  readonly floor: ReadonlyMap<string, number>;
  /** Whether each differing op was run on the reference's inputs, so that nothing but rounding is left. */
  readonly complete: boolean;
}

const NOTHING_RUN = { results: [], findings: null, floor: new Map<string, number>(), complete: false };

/** Compares op by op: on the reference's inputs where it was traced, else with the same op in double precision. */
async function examineOps(
  reference: Captured,
  migrated: Captured,
  alignment: TraceAlignment | null,
  progress: (what: string) => void,
): Promise<OpFindings> {
  if (alignment === null) {
    if (migrated.side === null || sameEndPoints(reference.trace, migrated.trace)) {
      return { ...NOTHING_RUN, culprits: [], isolated: [] };
    }
    progress('computing each op in double precision');
    const floor = new RoundingFloor(migrated.trace);
    const checks = await checkAgainstShadow(migrated.side, migrated.trace, floor);
    const isolated = checks.map((check) => check.isolated);
    return { ...NOTHING_RUN, culprits: shadowCulprits(checks), isolated, floor: floor.atEndPoints() };
  }
  const findings = new TraceFindings(reference.trace, migrated.trace, alignment);
  const differing = findings.pairs.filter(({ identical }) => !identical);
  if (differing.length > 0) progress(`${differing.length} ops differ: running them on the reference's inputs`);
  const results = differing.length === 0 ? [] : await isolatedPass(reference, migrated.trace, differing);
  const own = results.flatMap(({ culprit }) => (culprit === null ? [] : [culprit]));
  const culprits = inOrder([...findings.structural(), ...own], alignment);
  const isolated = results.map((result) => result.isolated);
  const complete = culprits.length === 0 && results.length === differing.length && !isolated.includes(null);
  return { ...NOTHING_RUN, culprits, results, isolated, findings, complete };
}

function tally(isolated: OpFindings['isolated']): Record<TriageVerdict, number> {
  const counts = { identical: 0, rounding: 0, 'amplified-rounding': 0, suspicious: 0, different: 0 };
  for (const difference of isolated) if (difference !== null) counts[difference.verdict]++;
  return counts;
}

/** In program order; what has another input shape, and so may only follow from a culprit before it, comes last. */
function inOrder(culprits: readonly Culprit[], alignment: TraceAlignment): Culprit[] {
  const place = ({ reference, op }: Culprit) => reference?.index ?? nextReference(op!.index, alignment);
  return [...culprits].sort((a, b) => Number(a.mayFollow) - Number(b.mayFollow) || place(a) - place(b));
}

/** Just before the reference's op that follows an op which only the migrated side has. */
function nextReference(index: number, alignment: TraceAlignment): number {
  const after = alignment.toReference.slice(index).find((at) => at >= 0);
  return (after ?? Number.MAX_SAFE_INTEGER) - 0.5;
}

function sameEndPoints(reference: Trace, migrated: Trace): boolean {
  return reference.endPoints.every((point) => {
    const other = counterpart(point.name, migrated.endPoints);
    return other !== undefined && sameBits(point.digest, other.digest) === true;
  });
}

/** What the accumulated difference is held against: measured only where there is one. */
async function measure(
  reference: Captured,
  migrated: Captured,
  faulty: boolean,
  floor: OpFindings['floor'],
  { noise: options = {}, shadow = false, onProgress }: TriageOptions,
): Promise<NoiseAt> {
  const { side, trace } = migrated;
  let noise: NoiseFloor | null = null;
  let exact: ReadonlyMap<string, ShadowArray> | null = null;
  if (side !== null && !sameEndPoints(reference.trace, trace)) {
    if (options !== false && !faulty) {
      onProgress?.('measuring the noise floor');
      noise = await noiseFloor(side, trace, options);
    }
    if (shadow) {
      onProgress?.('running in double precision');
      exact = await shadowRun(side);
    }
  }
  const own = (name: string) => counterpart(name, trace.endPoints);
  const relative = (name: string, values: ReadonlyMap<string, number> | null) => {
    const rms = values?.get(own(name)?.name ?? '');
    const point = counterpart(name, reference.trace.endPoints);
    return rms === undefined || point === undefined ? null : relativeTo(point, rms);
  };
  return {
    noise: (name) => relative(name, noise),
    bound: (name) => relative(name, floor),
    shadow: (name) => {
      const values = exact?.get(own(name)?.name ?? '');
      const [a, b] = [counterpart(name, reference.trace.endPoints), own(name)];
      return values === undefined ? null : { reference: shadowFigures(a, values), migrated: shadowFigures(b, values) };
    },
  };
}

/** @throws {ValidateError} `InvalidArgument` where there is nothing that a verdict could be about */
function requireSomething(reference: Trace, migrated: Trace, alignment: TraceAlignment | null): void {
  const isShared = reference.endPoints.some(({ name }) => counterpart(name, migrated.endPoints) !== undefined);
  if (isShared || alignment?.toMigrated.some((op) => op >= 0)) return;
  const held = ({ name, ops, endPoints }: Trace) => `${name} has ${ops.length} ops and ${endPoints.length} end points`;
  const message = `nothing can be compared: ${held(reference)}, ${held(migrated)}, and none of them is on both sides`;
  throw new ValidateError('InvalidArgument', message, { reference: reference.name, migrated: migrated.name });
}

function summaryOf({ trace }: Captured): TriageSideSummary {
  const variables = trace.ops.flatMap(({ inputs }) =>
    inputs.flatMap(({ origin }) => (origin.kind === 'variable' ? [origin.name] : [])),
  );
  const { name, backend, ops, detail } = trace;
  return { name, backend, ops: ops.length, variables: new Set(variables).size, detail };
}

/**
 * Finds where two sides part, which op is to blame, and whether the difference is rounding or a fault.
 *
 * Ledgers of random ops are diffed first. Both sides run once; every array is hashed and sampled, none but end points is
 * kept. Where they differ the reference runs once more, and every differing op of the migrated side is run on the
 * reference's own inputs: what still differs is a culprit, the rest is inherited. Against recorded end points, each op of
 * the migrated side is held against the same arithmetic in double precision instead. A difference without a culprit is
 * held against the noise floor.
 */
export async function triage({ legacy, migrated }: TriageRequest, options: TriageOptions = {}): Promise<TriageReport> {
  const started = performance.now();
  const progress = options.onProgress ?? (() => {});
  const recorded = isTrace(legacy) && legacy.detail === 'end-points';
  progress('running the reference');
  const reference = await capture(legacy, 'reference', undefined, false);
  progress('running the migrated side');
  const other = await capture(migrated, 'migrated', unknownTo(reference.trace), recorded);
  const [left, right] = [reference.trace, other.trace];
  const ledger = ledgerDifference(reference, other);
  const alignment = left.detail === 'ops' && right.detail === 'ops' ? alignTraces(left, right) : null;
  requireSomething(left, right, alignment);
  const { culprits, results, isolated, findings, floor, complete } = await examineOps(
    reference,
    other,
    alignment,
    progress,
  );
  const unmatched = unmatchedEndPoints(left, right);
  const faults: TriageVerdict[] = culprits.map((culprit) => culprit.isolated?.verdict ?? 'different');
  if (ledger !== null || unmatched.length > 0) faults.push('different');
  const faulty = faults.length > 0;
  const at = await measure(reference, other, faulty, floor, options);
  // Where every op is right on the reference's inputs, what is left is rounding, however large it grew.
  const isolatedAll = alignment !== null && reference.side !== null;
  const otherwise = faulty ? worstOf(faults) : isolatedAll ? 'amplified-rounding' : 'different';
  const growth = growthOf(left, right, alignment, at, {
    otherwise,
    worst: complete ? 'amplified-rounding' : 'different',
  });
  const report: Omit<TriageReport, 'summary'> = {
    format: 'tfparity-triage',
    version: 1,
    verdict: worstOf([...faults, ...growth.map(({ verdict }) => verdict)]),
    reference: summaryOf(reference),
    migrated: summaryOf(other),
    ledger,
    firstDivergence: firstDivergence(left, right, alignment),
    culprits,
    inherited: results.filter(({ culprit }) => culprit === null).length,
    isolated: tally(isolated),
    missing: findings?.missing.map(referenceTo) ?? [],
    extra: findings?.extra.map(referenceTo) ?? [],
    parentsThatDiffer: results.flatMap(({ parent }) => (parent === null ? [] : [parent])),
    growth,
    backward: alignment === null ? null : backwardPass(left, right, alignment, results, otherwise),
    amplification: faulty ? null : amplificationOf(growth),
    variables: results.flatMap(({ variables }) => variables),
    warnings: [...unmatched, ...endPointWarnings(left, right), ...(findings?.warnings ?? [])],
    seconds: (performance.now() - started) / 1000,
  };
  return { ...report, summary: summarize(report) };
}
