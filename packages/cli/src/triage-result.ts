import type { TriageReport } from '@tfparity/validate';
import type { CommandOptions, CommandResult } from './command.js';
import type { Outcome } from './report/report-document.js';
import { type Terminal, verdictLine } from './terminal.js';
import { writeResults } from './written-results.js';

/** Rounding, however much a net amplifies it, is no difference of the programs. */
const OUTCOMES: Readonly<Record<TriageReport['verdict'], Outcome>> = {
  identical: 'same',
  rounding: 'same',
  'amplified-rounding': 'same',
  suspicious: 'unclear',
  different: 'different',
};

/** A triage as a command's result: the culprit first, in at most a screen. */
export async function triageResult(
  report: TriageReport,
  title: string,
  options: CommandOptions,
  terminal: Terminal,
): Promise<CommandResult> {
  const { formatTriage } = await import('@tfparity/validate');
  const outcome = OUTCOMES[report.verdict];
  const [head, ...details] = formatTriage(report).split('\n');
  const culprits = report.culprits.map(({ op, reference, causes }) => {
    const { name } = (op ?? reference)!;
    return `${name}: ${causes.map(({ message }) => message).join('; ')}`;
  });
  return {
    outcome,
    data: report,
    lines: [
      verdictLine(terminal, outcome, head!),
      ...details,
      ...(await writeResults(report, outcome, title, options)),
    ],
    complaints: outcome === 'same' ? [] : culprits.length > 0 ? culprits : [report.summary],
  };
}
