import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Migration, SensitivityReport, ValidationOptions, ValidationReport } from '@tfparity/validate';
import { CliError } from '../cli-error.js';
import type { CommandOptions, CommandResult, CommandRun } from '../command.js';
import { textOption } from '../command-options.js';
import type { Outcome } from '../report/report-document.js';
import { writeWhole } from '../result-files.js';
import { type Terminal, verdictLine } from '../terminal.js';
import { writeResults } from '../written-results.js';

/** What a config module exports by default: the first argument of `validateMigration`, or a function that gives it. */
type Config = object | (() => object | Promise<object>);

/**
 * TypeScript where this Node reads none: by tsx, if the user's project has it. Registered for the process, since tsx's other
 * way in loads a second copy of every module, and with it a second registry of variables.
 */
async function loadTypeScript(file: string): Promise<unknown> {
  for (const from of [file, import.meta.url]) {
    let api: string;
    try {
      // `require` finds the CommonJS build, which cannot register what ES modules need; the other lies beside it.
      api = createRequire(from)
        .resolve('tsx/esm/api')
        .replace(/\.cjs$/, '.mjs');
    } catch {
      continue;
    }
    const { register } = (await import(pathToFileURL(api).href)) as { register(): () => Promise<void> };
    const unregister = register();
    try {
      return await import(pathToFileURL(file).href);
    } finally {
      await unregister();
    }
  }
  throw new CliError(
    'NotAvailable',
    `Node ${process.versions.node} does not read TypeScript: install tsx, or give ${basename(file)} as .mjs`,
  );
}

/** Node 22.18 and later run TypeScript by themselves. */
function readsTypeScript(): boolean {
  return Boolean((process.features as { readonly typescript?: unknown }).typescript);
}

/** The migration that a config module exports. @throws {CliError} */
export async function loadConfig(path: string): Promise<Migration> {
  const file = resolve(path);
  if (!existsSync(file)) throw new CliError('NotFound', `${path} does not exist`, { file });
  const typed = /\.[cm]?ts$/.test(file) && !readsTypeScript();
  const module: unknown = typed ? await loadTypeScript(file) : await import(pathToFileURL(file).href);
  let config = (module as { readonly default?: Config | { readonly default?: Config } }).default;
  if (typeof config === 'object' && 'default' in config) config = config.default;
  const value: unknown = typeof config === 'function' ? await config() : config;
  if (typeof value !== 'object' || value === null) {
    throw new CliError(
      'Usage',
      `${path} must export by default {legacy, migrated, inputs, …}, or a function that returns it`,
    );
  }
  // What it lacks, the procedure says.
  return value as Migration;
}

const OUTCOMES = { same: 'same', different: 'different', 'cannot-tell': 'unclear' } as const;

/** What the terminal shows, and what failed, a line each. */
interface Shown {
  readonly outcome: Outcome;
  readonly lines: readonly string[];
  readonly complaints: readonly string[];
}

async function showValidation(report: ValidationReport): Promise<Shown> {
  const { formatValidation } = await import('@tfparity/validate');
  const failed = report.steps.filter(({ status }) => status === 'failed' || status === 'error');
  return {
    outcome: OUTCOMES[report.verdict],
    lines: formatValidation(report).split('\n'),
    complaints: failed.map(({ id, lines }) => `${id}: ${lines[0] ?? 'failed'}`),
  };
}

async function showSensitivity(report: SensitivityReport): Promise<Shown> {
  const { formatSensitivity } = await import('@tfparity/validate');
  const unproven = report.baseline.verdict === 'cannot-tell' ? 'unclear' : 'different';
  const missed = report.faults.filter(({ status }) => status === 'missed');
  return {
    outcome: report.passed ? 'same' : unproven,
    lines: formatSensitivity(report).split('\n'),
    complaints: missed.map(({ id, where }) => `no step catches ${id}${where === '' ? '' : ` at ${where}`}`),
  };
}

/** Runs what was asked for; `steps` are checked by the procedure, which knows them. */
async function run(migration: Migration, options: CommandOptions, terminal: Terminal) {
  const { proveSensitivity, validateMigration } = await import('@tfparity/validate');
  const steps = textOption(options, 'steps')
    ?.split(',')
    .map((id) => id.trim()) as ValidationOptions['steps'];
  if (options['sensitivity']) {
    const onProgress = ({ fault, index, count }: { fault: string; index: number; count: number }) =>
      terminal.progress(`fault ${index + 1} of ${count}: ${fault}`);
    const report = await proveSensitivity(migration, { steps, onProgress });
    return { report, shown: await showSensitivity(report) };
  }
  const onProgress: ValidationOptions['onProgress'] = ({ title, index, count, doing }) =>
    terminal.progress(`step ${index + 1} of ${count}: ${title}${doing === '' ? '' : `, ${doing}`}`);
  const report = await validateMigration(migration, { steps, onProgress });
  return { report, shown: await showValidation(report) };
}

/** `tfparity validate CONFIG`: the guide's steps on the two models of a config module. */
export const validate: CommandRun = async ([path], options, terminal): Promise<CommandResult> => {
  const { loadBackend } = await import('@tfparity/backend');
  const backend = textOption(options, 'backend');
  terminal.progress('loading the backend');
  await loadBackend(backend === undefined ? {} : { backend });
  const migration = await loadConfig(path!);
  const { report, shown } = await run(migration, options, terminal);
  const out = textOption(options, 'out');
  const written = out === undefined ? [] : [`Result: ${writeWhole(out, `${JSON.stringify(report, null, 2)}\n`)}`];
  const title = basename(path!).replace(/(\.config)?\.[cm]?[jt]s$/, '');
  const files = [...written, ...(await writeResults(report, shown.outcome, title, options))];
  const [head, ...details] = shown.lines;
  return { ...shown, data: report, lines: [verdictLine(terminal, shown.outcome, head!), ...details, ...files] };
};
