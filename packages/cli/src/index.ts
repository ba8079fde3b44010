export { CliError, type CliErrorCode, isCliError } from './cli-error.js';
export { runCli } from './run-cli.js';
export { processTerminal, type Terminal } from './terminal.js';
