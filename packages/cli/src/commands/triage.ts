import { basename } from 'node:path';
import type { MigrationTriageOptions } from '@tfparity/validate';
import type { CommandResult, CommandRun } from '../command.js';
import { textOption } from '../command-options.js';
import { writeWhole } from '../result-files.js';
import { triageResult } from '../triage-result.js';
import { loadConfig } from './validate.js';

/** `tfparity triage CONFIG`: which op makes the two models of a config module differ, and whether it is rounding. */
export const triage: CommandRun = async ([path], options, terminal): Promise<CommandResult> => {
  const { loadBackend } = await import('@tfparity/backend');
  const backend = textOption(options, 'backend');
  terminal.progress('loading the backend');
  await loadBackend(backend === undefined ? {} : { backend });
  const migration = await loadConfig(path!);
  const { triageMigration } = await import('@tfparity/validate');
  const step = textOption(options, 'step') as MigrationTriageOptions['step'];
  const report = await triageMigration(migration, {
    ...(step === undefined ? {} : { step }),
    shadow: options['shadow'] === true,
    onProgress: (what) => terminal.progress(what),
  });
  const title = basename(path!).replace(/(\.config)?\.[cm]?[jt]s$/, '');
  const out = textOption(options, 'out');
  const written = out === undefined ? [] : [`Result: ${writeWhole(out, `${JSON.stringify(report, null, 2)}\n`)}`];
  const result = await triageResult(report, title, options, terminal);
  return { ...result, lines: [...result.lines, ...written] };
};
