import type { LedgerDifference } from '@tfparity/random';
import { diffLedgers } from '@tfparity/random';
import { type NoiseFloor, type NoiseOptions, noiseFloor } from './noise-floor.js';
import type { Trace } from './trace.js';
import { alignTraces, type TraceAlignment } from './trace-alignment.js';
import { captureTrace, type TraceSide } from './trace-capture.js';
import { sameBits, sampledDifference } from './triage-difference.js';
import { TraceFindings } from './triage-findings.js';
import { amplificationOf, counterpart, growthOf } from './triage-growth.js';
import { isolatedPass, type PairResult } from './triage-pass.js';
import type { Culprit, FirstDivergence, TriageReport, TriageVerdict } from './triage-report.js';
import { referenceTo } from './triage-structure.js';
import { summarize, worstOf } from './triage-verdict.js';

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
  known: ReadonlySet<string> | null,
  sha256: boolean,
): Promise<Captured> {
  if (isTrace(input)) return { trace: input, side: null };
  const side = { name, ...input };
  // Of the second side the sources that the first does not have are kept: they are needed to run its ops alone.
  const keepSource =
    known === null ? undefined : ({ hash }: { hash: string | null }) => hash === null || !known.has(hash);
  return { trace: await captureTrace(side, { keepSource, sha256 }), side };
}

function sourceHashes({ ops }: Trace): ReadonlySet<string> {
  const inputs = ops.flatMap((op) => op.inputs.filter(({ origin }) => origin.kind !== 'op'));
  return new Set(inputs.flatMap(({ digest: { hash } }) => (hash === null ? [] : [hash])));
}

function ledgerDifference(legacy: Captured, migrated: Captured): LedgerDifference | null {
  const [a, b] = [legacy.side?.ledger?.(), migrated.side?.ledger?.()];
  return a === undefined || b === undefined ? null : diffLedgers(a, b);
}

function scopePath(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

function firstDivergence(reference: Trace, migrated: Trace, alignment: TraceAlignment | null): FirstDivergence | null {
  if (alignment === null) {
    const point = reference.endPoints.find((p) => {
      const other = counterpart(p.name, migrated.endPoints);
      return other === undefined || sameBits(p.digest, other.digest) !== true;
    });
    if (point === undefined) return null;
    const other = counterpart(point.name, migrated.endPoints);
    const op = other === undefined ? undefined : migrated.ops[other.op];
    const difference = other === undefined ? null : sampledDifference(other.digest, point.digest);
    return {
      op: op === undefined ? null : referenceTo(op),
      reference: null,
      path: scopePath(op?.name ?? point.name),
      difference,
    };
  }
  for (const op of reference.ops) {
    const at = alignment.toMigrated[op.index]!;
    const other = at < 0 ? undefined : migrated.ops[at]!;
    if (other === undefined) continue;
    const differs = op.outputs.findIndex(
      (digest, k) => other.outputs[k] === undefined || sameBits(digest, other.outputs[k]) !== true,
    );
    if (differs < 0) continue;
    const [a, b] = [op.outputs[differs]!, other.outputs[differs]];
    const difference = b === undefined ? null : sampledDifference(b, a);
    return { op: referenceTo(other), reference: referenceTo(op), path: scopePath(op.name), difference };
  }
  return null;
}

/** Outputs that only one side returned: by name, and on which side they are missing. */
function unmatchedEndPoints(reference: Trace, migrated: Trace): string[] {
  const without = (a: Trace, b: Trace, where: string) =>
    a.endPoints
      .filter(({ name }) => counterpart(name, b.endPoints) === undefined)
      .map(({ name }) => `${name} is not among what the ${where} returned`);
  return [...without(reference, migrated, 'migrated side'), ...without(migrated, reference, 'reference')];
}

function tally(results: readonly PairResult[]): Record<TriageVerdict, number> {
  const counts = { identical: 0, rounding: 0, 'amplified-rounding': 0, suspicious: 0, different: 0 };
  for (const { isolated } of results) if (isolated !== null) counts[isolated.verdict]++;
  return counts;
}

/** In program order; what has another input shape after the first culprit may only follow from it. */
function inOrder(culprits: readonly Culprit[], alignment: TraceAlignment | null): Culprit[] {
  const place = ({ reference, op }: Culprit) => reference?.index ?? nextReference(op!.index, alignment);
  return [...culprits].sort((a, b) => Number(a.mayFollow) - Number(b.mayFollow) || place(a) - place(b));
}

/** Just before the reference's op that follows an op which only the migrated side has. */
function nextReference(index: number, alignment: TraceAlignment | null): number {
  const after = alignment?.toReference.slice(index).find((at) => at >= 0);
  return (after ?? Number.MAX_SAFE_INTEGER) - 0.5;
}

const variablesOf = ({ ops }: Trace) =>
  new Set(ops.flatMap((op) => op.inputs.flatMap(({ origin }) => (origin.kind === 'variable' ? [origin.name] : []))));

/**
 * Finds where two sides part, which op is to blame, and whether the difference is rounding or a fault.
 *
 * Ledgers of random ops are diffed first. Both sides run once; every array is hashed and sampled, none but end points is
 * kept. Where they differ the reference runs once more, and every differing op of the migrated side is run on the
 * reference's own inputs: what still differs is a culprit, the rest is inherited. Differences without a culprit are held
 * against the noise floor.
 */
export async function triage({ legacy, migrated }: TriageRequest, options: TriageOptions = {}): Promise<TriageReport> {
  const started = performance.now();
  const progress = options.onProgress ?? (() => {});
  const recorded = isTrace(legacy) && legacy.detail === 'end-points';
  progress('running the reference');
  const reference = await capture(legacy, 'reference', null, false);
  progress('running the migrated side');
  const other = await capture(migrated, 'migrated', sourceHashes(reference.trace), recorded);
  const ledger = ledgerDifference(reference, other);
  const aligned = reference.trace.detail === 'ops' && other.trace.detail === 'ops';
  const alignment = aligned ? alignTraces(reference.trace, other.trace) : null;
  const findings = alignment === null ? null : new TraceFindings(reference.trace, other.trace, alignment);
  const differing = findings?.pairs.filter(({ identical }) => !identical) ?? [];
  let results: readonly PairResult[] = [];
  if (findings !== null && differing.length > 0) {
    progress(`running ${differing.length} differing ops on the reference's inputs`);
    results = await isolatedPass(reference, other.trace, differing);
  }
  const culprits = inOrder(
    [...(findings?.structural() ?? []), ...results.flatMap(({ culprit }) => (culprit === null ? [] : [culprit]))],
    alignment,
  );
  const unmatched = unmatchedEndPoints(reference.trace, other.trace);
  const faulty = culprits.length > 0 || ledger !== null || unmatched.length > 0;
  const noise = await measureNoise(other, reference.trace, faulty, options);
  const at = { noise: (name: string) => noiseAt(noise, name, other.trace), shadow: () => null };
  const growth = growthOf(
    reference.trace,
    other.trace,
    alignment,
    at,
    faulty ? 'different' : aligned ? 'amplified-rounding' : 'different',
  );
  const judged: TriageVerdict[] = [
    ...growth.map(({ verdict }) => verdict),
    ...culprits.map(({ isolated }) => isolated?.verdict ?? 'different'),
  ];
  if (ledger !== null || unmatched.length > 0) judged.push('different');
  const amplification = amplificationOf(growth);
  const side = ({ trace }: Captured) => ({
    name: trace.name,
    backend: trace.backend,
    ops: trace.ops.length,
    variables: variablesOf(trace).size,
    detail: trace.detail,
  });
  const report: Omit<TriageReport, 'summary'> = {
    format: 'tfparity-triage',
    version: 1,
    verdict: worstOf(judged),
    reference: side(reference),
    migrated: side(other),
    ledger,
    firstDivergence: firstDivergence(reference.trace, other.trace, alignment),
    culprits,
    inherited: results.filter(({ culprit }) => culprit === null).length,
    isolated: tally(results),
    missing: findings?.missing.map(referenceTo) ?? [],
    extra: findings?.extra.map(referenceTo) ?? [],
    parentsThatDiffer: results.flatMap(({ parent }) => (parent === null ? [] : [parent])),
    growth,
    amplification: faulty ? null : amplification,
    variables: results.flatMap(({ variables }) => variables),
    warnings: [...unmatched, ...(findings?.warnings ?? [])],
    seconds: (performance.now() - started) / 1000,
  };
  return { ...report, summary: summarize(report) };
}

function noiseAt(noise: NoiseFloor | null, name: string, migrated: Trace): number | null {
  const point = counterpart(name, migrated.endPoints);
  return (point === undefined ? undefined : noise?.get(point.name)) ?? null;
}

async function measureNoise(
  migrated: Captured,
  reference: Trace,
  faulty: boolean,
  options: TriageOptions,
): Promise<NoiseFloor | null> {
  const { side, trace } = migrated;
  const same = reference.endPoints.every((point) => {
    const other = counterpart(point.name, trace.endPoints);
    return other !== undefined && sameBits(point.digest, other.digest) === true;
  });
  if (side === null || options.noise === false || faulty || same) return null;
  options.onProgress?.('measuring the noise floor');
  return noiseFloor(side, trace, options.noise ?? {});
}
