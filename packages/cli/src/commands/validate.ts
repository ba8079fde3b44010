import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SensitivityReport, ValidationReport } from '@tfparity/validate';
import { CliError } from '../cli-error.js';
import type { CommandOptions, CommandResult, CommandRun } from '../command.js';
import { textOption } from '../command-options.js';
import type { Outcome } from '../report/report-document.js';
import { writeWhole } from '../result-files.js';
import { type Terminal, verdictLine } from '../terminal.js';
import { writeResults } from '../written-results.js';

/** What a config module exports by default: the first argument of `validateMigration`, or a function that gives it. */
type Config = object | (() => object | Promise<object>);

/** TypeScript where this Node reads none: by tsx, if the user's project has it. */
async function loadTypeScript(file: string): Promise<unknown> {
  for (const from of [file, import.meta.url]) {
    try {
      const api = createRequire(from).resolve('tsx/esm/api');
      const { tsImport } = (await import(pathToFileURL(api).href)) as {
        tsImport(url: string, parent: string): Promise<unknown>;
      };
      return await tsImport(pathToFileURL(file).href, import.meta.url);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
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

async function loadConfig(path: string): Promise<object> {
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
  return value;
}

const OUTCOMES: Readonly<Record<string, Outcome>> = { same: 'same', different: 'different', 'cannot-tell': 'unclear' };

function stepLines(report: ValidationReport): string[] {
  const signs = { passed: '✓', failed: '✗', skipped: '–', error: '?' } as const;
  return report.steps.flatMap(({ id, status, seconds, lines, reason }) => {
    const head = `  ${signs[status]} ${id.padEnd(18)} ${(reason ?? lines[0] ?? '').split('\n')[0]} (${seconds.toFixed(1)} s)`;
    const more =
      status === 'failed' || status === 'error' ? lines.slice(1, 4).map((line) => `      ${line.split('\n')[0]}`) : [];
    return [head, ...more];
  });
}

function faultLines({ faults }: SensitivityReport): string[] {
  return faults.map(({ id, status, steps }) => {
    const by = steps.filter(({ outcome }) => outcome === 'caught').map(({ step }) => step);
    return `  ${status === 'caught' ? '✓' : status === 'missed' ? '✗' : '–'} ${id.padEnd(28)} ${by.length > 0 ? `caught by ${by.join(', ')}` : status}`;
  });
}

/** `tfparity validate CONFIG`: the guide's steps on the two models of a config module. */
export const validate: CommandRun = async ([path], options, terminal): Promise<CommandResult> => {
  const { loadBackend } = await import('@tfparity/backend');
  const backend = textOption(options, 'backend');
  terminal.progress('loading the backend');
  const { message } = await loadBackend(backend === undefined ? {} : { backend });
  const config = await loadConfig(path!);
  const steps = textOption(options, 'steps')
    ?.split(',')
    .map((id) => id.trim());
  const report = await run(config, steps, options, terminal);
  const out = textOption(options, 'out');
  const written = out === undefined ? [] : [`Result: ${writeWhole(out, `${JSON.stringify(report, null, 2)}\n`)}`];
  const title = basename(path!).replace(/(\.config)?\.[cm]?[jt]s$/, '');
  const files = [...written, ...(await writeResults(report, title, options))];
  const outcome = 'verdict' in report ? (OUTCOMES[report.verdict] ?? 'unclear') : sensitivityOutcome(report);
  const details = 'verdict' in report ? stepLines(report) : faultLines(report);
  return {
    outcome,
    data: report,
    lines: [verdictLine(terminal, outcome, report.summary), message, ...details, ...files],
    complaints:
      outcome === 'same'
        ? []
        : [report.summary, ...details.filter((line) => /^ {2}[✗?]/.test(line)).map((line) => line.trim())],
  };
};

function sensitivityOutcome({ passed, baseline }: SensitivityReport): Outcome {
  if (passed) return 'same';
  return baseline.verdict === 'cannot-tell' ? 'unclear' : 'different';
}

/** What is called of `@tfparity/validate`. */
interface Procedures {
  validateMigration(migration: object, options: ProcedureOptions): Promise<ValidationReport>;
  proveSensitivity(migration: object, options: ProcedureOptions): Promise<SensitivityReport>;
}

interface ProcedureOptions {
  readonly steps?: readonly string[];
  readonly onProgress: (progress: {
    readonly title?: string;
    readonly doing?: string;
    readonly fault?: string;
  }) => void;
}

async function run(
  config: object,
  steps: readonly string[] | undefined,
  options: CommandOptions,
  terminal: Terminal,
): Promise<ValidationReport | SensitivityReport> {
  const procedures = (await import('@tfparity/validate')) as unknown as Partial<Procedures>;
  const name = options['sensitivity'] ? 'proveSensitivity' : 'validateMigration';
  const procedure = procedures[name];
  if (procedure === undefined) throw new CliError('NotAvailable', `@tfparity/validate has no ${name} here; update it`);
  const onProgress: ProcedureOptions['onProgress'] = ({ title, doing, fault }) =>
    terminal.progress([fault, title, doing].filter(Boolean).join(': '));
  return procedure(config, { onProgress, ...(steps === undefined ? {} : { steps }) });
}
