import pc from 'picocolors';
import type { Outcome } from './report/report-document.js';

/** What a command prints with; tests give their own. */
export interface Terminal {
  /** Writes to standard output: the result. */
  out(text: string): void;
  /** Writes to standard error: what is not the result. */
  err(text: string): void;
  /** Says what is being done, on one line that is erased again; nothing where standard error is no terminal. */
  progress(message: string): void;
  /** Lines that fit on one screen. */
  readonly rows: number;
  readonly paint: ReturnType<typeof pc.createColors>;
}

/** Lines of output where the terminal's height is not known. */
const ROWS = 40;

/** The process's own terminal; colours as `NO_COLOR`, `FORCE_COLOR` and the kind of output say. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    progress: (message) => {
      if (!stderr.isTTY) return;
      const fitting = withoutControls(message).slice(0, Math.max(10, (stderr.columns ?? 80) - 2));
      stderr.write(`\r\x1b[2K${fitting === '' ? '' : `${fitting} …`}`);
    },
    rows: Math.max(12, (stdout.isTTY ? stdout.rows : undefined) ?? ROWS),
    paint: pc.createColors(pc.isColorSupported && stdout.isTTY === true),
  };
}

/** The verdict's line, painted by outcome. */
export function verdictLine(terminal: Terminal, outcome: Outcome, text: string): string {
  const { paint } = terminal;
  const colour = { same: paint.green, different: paint.red, unclear: paint.yellow }[outcome];
  const sign = { same: '✓', different: '✗', unclear: '?' }[outcome];
  return colour(`${sign} ${text}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it is about
const VERDICT = /^(\u001b\[\d+m)?([✓✗?] .*?)(\u001b\[39m)?$/s;

/** Text in which nothing steers a terminal: names come out of files, and a file may be anyone's. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '\ufffd');
}

/** A line of a result without what steers a terminal, but with the colour of `verdictLine`. */
export function safeLine(line: string): string {
  const [, colour = '', text, end = ''] = VERDICT.exec(line) ?? [];
  return text === undefined ? withoutControls(line) : `${colour}${withoutControls(text)}${end}`;
}

/** At most one screen of lines: what is cut off is counted. */
export function oneScreen(lines: readonly string[], rows: number): readonly string[] {
  // The prompt and the line of the count need a place too.
  const room = rows - 3;
  if (lines.length <= room) return lines;
  return [...lines.slice(0, room), `… and ${lines.length - room} more lines; --all prints them, --json has everything`];
}

/** Bytes as people read them. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Columns set under one another; those named in `figures` to the right. */
export function columns(rows: readonly (readonly string[])[], figures: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (figures.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
