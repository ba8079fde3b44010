import type { Outcome } from './report/report-document.js';
import type { Terminal } from './terminal.js';

/** What a command returns: its result as data, and as lines for people. */
export interface CommandResult {
  /** Decides the exit code: 0 same (or done), 1 different, 2 could not tell. */
  readonly outcome: Outcome;
  /** What `--json` prints. */
  readonly data: unknown;
  readonly lines: readonly string[];
  /** One line for each thing that differs, for annotations. */
  readonly complaints?: readonly string[];
}

/** Options as they were typed, by their name in camel case. */
export type CommandOptions = Readonly<Record<string, unknown>>;

/** A command's work, in a module of its own that is loaded when the command is called. */
export type CommandRun = (
  args: readonly string[],
  options: CommandOptions,
  terminal: Terminal,
) => Promise<CommandResult> | CommandResult;

/** A command as `--help` shows it. */
export interface CommandDefinition {
  /** Name and arguments: `diff <a> <b>`. */
  readonly usage: string;
  readonly description: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
  readonly examples: readonly string[];
  load(): Promise<CommandRun>;
}

/** Exit codes by outcome. */
export const EXIT_CODES: Readonly<Record<Outcome, number>> = { same: 0, different: 1, unclear: 2 };
