import { renderReport } from 'tfparity/report';
import type { RunResult } from './run-steps.js';

/** The result as one self-contained page. */
export function renderPage(result: RunResult): string {
  return renderReport(result);
}
