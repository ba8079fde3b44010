import { basename } from 'node:path';
import type { CommandRun } from '../command.js';
import { textOption } from '../command-options.js';
import { renderReport } from '../report/index.js';
import { readJson, writeWhole } from '../result-files.js';
import { verdictLine } from '../terminal.js';

/** `tfparity report RESULT.json`: a page of a result. */
export const report: CommandRun = ([result], options, terminal) => {
  const title = textOption(options, 'title') ?? basename(result!, '.json');
  const page = renderReport(readJson(result!), { title });
  const out = textOption(options, 'out') ?? `${result!.replace(/\.json$/, '')}.html`;
  const file = writeWhole(out, page);
  return {
    outcome: 'same',
    data: { file, bytes: page.length },
    lines: [verdictLine(terminal, 'same', `page written: ${file}`)],
  };
};
