import { readFileSync } from 'node:fs';
import { isTfparityError } from '@tfparity/array';
import { cac } from 'cac';
import { type CommandDefinition, type CommandOptions, type CommandResult, EXIT_CODES } from './command.js';
import { COMMANDS } from './command-list.js';
import { oneScreen, safeLine, type Terminal, withoutControls } from './terminal.js';

const COULD_NOT_TELL = 2;

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

interface Call {
  readonly definition: CommandDefinition;
  readonly args: readonly string[];
  readonly options: CommandOptions;
}

/**
 * Stands before every option's value while cac reads the line: it would make numbers of digits (a seed has more than a
 * number holds, a file may be called 007) and a flag of a value such as -5.
 */
const AS_TYPED = '\u0001';

const withoutMark = (value: unknown): string => String(value).replace(AS_TYPED, '');

const valued = (flags: string): { type: ((value: unknown) => string)[] } | undefined =>
  flags.includes('<') ? { type: [withoutMark] } : undefined;

/** The line with every option's value marked. */
function markValues(argv: readonly string[]): string[] {
  const options = COMMANDS.find(({ usage }) => usage.split(' ')[0] === argv[0])?.options ?? [];
  const flags = new Set(options.filter(([text]) => text.includes('<')).map(([text]) => text.split(' ')[0]!));
  return argv.map((word, i) => {
    const [flag, ...value] = word.split('=');
    if (value.length > 0 && flags.has(flag!)) return `${flag}=${AS_TYPED}${value.join('=')}`;
    const isValue = flags.has(argv[i - 1] ?? '') && !/^--[a-z]/.test(word);
    return isValue ? `${AS_TYPED}${word}` : word;
  });
}

/** What was asked for; `undefined` where help or the version was printed. */
function parse(argv: readonly string[]): Call | undefined {
  const cli = cac('tfparity');
  let call: Call | undefined;
  for (const definition of COMMANDS) {
    const command = cli.command(definition.usage, definition.description);
    for (const [flags, description] of definition.options) command.option(flags, description, valued(flags));
    command.option('--json', 'Print the result as JSON');
    command.option('--all', 'Print every line, not one screen of them');
    for (const example of definition.examples) command.example(`  tfparity ${example}`);
    command.action((...given: unknown[]) => {
      const options = given.pop() as CommandOptions;
      call = { definition, args: given.map(String), options };
    });
  }
  cli.usage('<command> [options]');
  cli.help((sections) => [
    ...sections.filter(({ title }) => !title?.startsWith('For more info')),
    { title: 'Exit codes', body: '  0  same, or done\n  1  different\n  2  could not tell' },
  ]);
  cli.version(version());
  const parsed = cli.parse(['node', 'tfparity', ...markValues(argv)], { run: false });
  if (parsed.options['help'] || parsed.options['version']) return undefined;
  if (cli.matchedCommand === undefined) {
    if (argv.length === 0) {
      cli.outputHelp();
      return undefined;
    }
    const names = COMMANDS.map(({ usage }) => usage.split(' ')[0]).join(', ');
    throw new Error(`there is no command '${parsed.args[0] ?? argv[0]}'; commands are ${names}`);
  }
  cli.runMatchedCommand();
  return call;
}

function print(result: CommandResult, options: CommandOptions, terminal: Terminal): void {
  if (options['json']) terminal.out(JSON.stringify(result.data, jsonValue, 2));
  else {
    const lines = options['all'] ? result.lines : oneScreen(result.lines, terminal.rows);
    for (const line of lines) terminal.out(safeLine(line));
  }
  if (process.env['GITHUB_ACTIONS'] !== 'true') return;
  const escaped = (text: string): string => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  for (const complaint of (result.complaints ?? []).slice(0, 10))
    terminal.err(`::error title=tfparity::${withoutControls(escaped(complaint))}`);
}

/** What JSON has no word for, as text. */
function jsonValue(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>);
  return value;
}

/** What a person needs to read of an error: what, not where in the code. */
function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return isTfparityError(error) ? `${message} (${error.code})` : message;
}

/**
 * Runs one command line and returns its exit code: 0 same or done, 1 different, 2 could not tell. Prints the result to
 * `terminal.out`, as JSON under `--json`, and errors as one message to `terminal.err`; never throws.
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const call = parse(argv);
    if (call === undefined) return 0;
    const run = await call.definition.load();
    const result = await run(call.args, call.options, terminal);
    terminal.progress('');
    print(result, call.options, terminal);
    return EXIT_CODES[result.outcome];
  } catch (error) {
    terminal.progress('');
    if (argv.includes('--json')) {
      const code = isTfparityError(error) ? error.code : undefined;
      terminal.out(JSON.stringify({ error: { ...(code ? { code } : {}), message: explain(error) } }, null, 2));
    }
    terminal.err(`Could not tell: ${withoutControls(explain(error))}`);
    if (process.env['TFPARITY_DEBUG']) terminal.err(String((error as Error)?.stack ?? error));
    return COULD_NOT_TELL;
  }
}
