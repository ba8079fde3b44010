import { CliError } from '../cli-error.js';
import { arrayDocument, isArrayComparison, isTreeComparison, treeDocument } from './comparison-sections.js';
import { isSensitivity } from './fault-figure.js';
import { inventoryDocument, isInventoryDiff } from './inventory-sections.js';
import { isRecord, type Loose } from './loose.js';
import { pageOf } from './page.js';
import type { ReportDocument } from './report-document.js';
import { isRun, runDocument } from './run-sections.js';
import { isTriage, triageDocument } from './triage-sections.js';
import { isValidation, sensitivityDocument, validationDocument } from './validation-sections.js';

/** How a report is made. */
export interface ReportOptions {
  /** What was checked; stands above the verdict. */
  readonly title?: string;
}

/** The kinds of result, each with what tells it apart; the first that fits decides. */
const KINDS: readonly {
  readonly is: (result: Loose) => boolean;
  readonly to: (result: Loose, title: string) => ReportDocument;
}[] = [
  { is: isSensitivity, to: sensitivityDocument },
  { is: isTriage, to: triageDocument },
  { is: isValidation, to: validationDocument },
  { is: isRun, to: runDocument },
  { is: isTreeComparison, to: treeDocument },
  { is: isArrayComparison, to: arrayDocument },
  { is: isInventoryDiff, to: inventoryDocument },
];

/**
 * A result as one self-contained HTML page, the verdict first: no script, no request, readable without colour and by
 * screen readers, in light and dark, on a phone and on a desktop.
 *
 * @param result  what `validateMigration`, `proveSensitivity`, `triage`, `compareTrees`, `compareArrays` or `diffInventories`
 * returned, or a run of steps (`{steps: [{id, title, passed, …}]}`); also after a way through JSON
 * @throws {CliError} `UnknownFormat` for anything else
 */
export function renderReport(result: unknown, options: ReportOptions = {}): string {
  const kind = isRecord(result) ? KINDS.find(({ is }) => is(result)) : undefined;
  if (kind === undefined || !isRecord(result)) {
    const found = isRecord(result)
      ? `an object with ${Object.keys(result).slice(0, 8).join(', ') || 'no fields'}`
      : typeof result;
    throw new CliError(
      'UnknownFormat',
      `a report is made from a validation, a run of steps, a triage, a comparison or an inventory diff; this is ${found}`,
    );
  }
  return pageOf(kind.to(result, options.title ?? 'tfparity report'));
}
