import type { Culprit, TriageReport, TriageVerdict } from './triage-report.js';

const ORDER: readonly TriageVerdict[] = ['identical', 'rounding', 'amplified-rounding', 'suspicious', 'different'];

/** The worst of several verdicts; `identical` of none. */
export function worstOf(verdicts: readonly TriageVerdict[]): TriageVerdict {
  return ORDER[Math.max(0, ...verdicts.map((verdict) => ORDER.indexOf(verdict)))]!;
}

/** A culprit in one line: `net/Conv2d_1a_3x3/BatchNorm/FusedBatchNormV3: epsilon: 0.001 in the reference, 0.002 here`. */
export function describeCulprit({ op, reference, causes }: Culprit): string {
  return `${(op ?? reference)!.name}: ${causes.map(({ message }) => message).join('; ')}`;
}

const times = (factor: number) => `${Number(factor.toPrecision(2)).toLocaleString('en-US')} times`;

function grew({ amplification }: Pick<TriageReport, 'amplification'>): string {
  if (amplification === null) return '';
  const [most] = amplification.at;
  const where =
    most === undefined
      ? ''
      : `, most of it ${most.from === null ? 'up to' : `between ${most.from} and`} ${most.to} (${times(most.factor)})`;
  return ` It grew to ${times(amplification.factor)} the unit roundoff${where}.`;
}

/** The finding in a sentence or two. */
export function summarize(report: Omit<TriageReport, 'summary'>): string {
  const { verdict, ledger, culprits, isolated, growth } = report;
  if (ledger !== null) return `The random ops differ before any number is compared: ${ledger.message}.`;
  const [first] = culprits;
  if (first !== undefined) {
    const more = culprits.length > 1 ? ` ${culprits.length - 1} more may be culprits too.` : '';
    return `${describeCulprit(first)}.${more} ${report.inherited} ops differ only because their inputs do.`;
  }
  const alone = isolated.rounding + isolated.identical;
  const agree =
    alone === 0
      ? 'no op could be run again, so that the size of the difference alone says so'
      : report.reference.detail === 'ops'
        ? `${alone} differing ops agree within the bounds of their own arithmetic on the reference's inputs`
        : `${alone} ops agree with double precision within the bounds of their own arithmetic`;
  switch (verdict) {
    case 'identical':
      return 'Both sides compute the same bits.';
    case 'rounding':
      return `The difference is rounding: ${agree}.`;
    case 'amplified-rounding':
      return `The difference is rounding that the net amplifies: ${agree}.${grew(report)}`;
    case 'suspicious':
      return 'The difference is larger than rounding explains, though no op is plainly at fault.';
    default: {
      const where = growth.find((point) => point.verdict === 'different');
      return `The sides differ${where === undefined ? '' : ` from ${where.name} on`}, and no single op is to blame.`;
    }
  }
}
