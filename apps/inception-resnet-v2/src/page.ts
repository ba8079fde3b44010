import type { RunResult } from './run-steps.js';

/** The result as one self-contained page. */
export function renderPage(result: RunResult): string {
  return `<!doctype html><title>tfparity</title><pre>${JSON.stringify(result, null, 2)}</pre>`;
}
