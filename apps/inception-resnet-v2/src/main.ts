#!/usr/bin/env node
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isBackendError, loadBackend } from '@tfparity/backend';
import { chooseLegacy } from './legacy-side.js';
import { type Options, parseOptions, USAGE, UsageError } from './options.js';
import { renderPage } from './page.js';
import { type RunResult, runSteps } from './run-steps.js';
import { CannotTell } from './step.js';
import { STEPS } from './steps/index.js';

const CANNOT_TELL = 2;

/** Writes a file whole or not at all. */
function writeWhole(path: string, text: string): void {
  const target = resolve(path);
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, target);
}

function writeOutputs(result: RunResult, options: Options): void {
  if (options.json !== undefined) writeWhole(options.json, `${JSON.stringify(result, null, 2)}\n`);
  if (options.html !== undefined) {
    writeWhole(options.html, renderPage(result));
    console.log(`Report: ${resolve(options.html)}`);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(
    args,
    STEPS.map(({ id }) => id),
  );
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (options === 'list') {
    for (const { id, title } of STEPS) console.log(`${id.padEnd(32)} ${title}`);
    return 0;
  }
  const backend = await loadBackend(options.backend === undefined ? {} : { backend: options.backend });
  console.log(backend.message);
  using legacy = chooseLegacy(options.legacy, backend);
  console.log(legacy.message);
  const result = await runSteps(STEPS, { backend, legacy }, options);
  writeOutputs(result, options);
  const skipped = result.steps.filter((step) => step.skipped !== undefined).length;
  const failed = result.steps.filter(({ passed }) => !passed);
  console.log(
    failed.length === 0
      ? `All ${result.steps.length} steps passed${skipped === 0 ? '' : ` (${skipped} skipped)`} in ${result.seconds.toFixed(1)} s.`
      : `${failed.length} of ${result.steps.length} steps FAILED: ${failed.map(({ id }) => id).join(', ')}.`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** What a user needs to read of an error: its message; the stack too where it is none of the expected ones. */
function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\n\n${USAGE}`;
  if (error instanceof CannotTell || isBackendError(error)) return error.message;
  return error instanceof Error ? `${error.message}\n(set TFPARITY_DEBUG=1 to see where)` : String(error);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`Could not tell: ${explain(error)}`);
  if (process.env['TFPARITY_DEBUG']) console.error(error);
  process.exitCode = CANNOT_TELL;
}
