import { spawn } from 'node:child_process';

/** How a child process ended. */
export interface ProcessResult {
  /** Exit code; -1 where it was killed or could not be started. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Why there is no exit code: `'timeout'`, `'stalled'`, a signal, or the error of starting it. */
  readonly killed?: string;
}

/** Bounds and surroundings of a child process. */
export interface ProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Milliseconds after which it is ended. */
  timeout: number;
  /** Asked every second; once it returns true the process is ended as stalled. */
  stalled?: (elapsed: number) => boolean;
}

const KEPT = 64 * 1024;

/**
 * Runs a program to its end and returns what it printed (the last 64 KiB of each stream); never throws.
 * Its whole process group is ended with it.
 */
export function runProcess(command: string, args: readonly string[], options: ProcessOptions): Promise<ProcessResult> {
  return new Promise((resolve) => {
    const posix = process.platform !== 'win32';
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: posix,
      // npm and npx are scripts on Windows, which only a shell runs.
      shell: !posix,
    });
    let stdout = '';
    let stderr = '';
    let killed: string | undefined;
    const end = (reason: string) => {
      killed ??= reason;
      try {
        if (posix && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        else child.kill('SIGKILL');
      } catch {
        // It ended by itself in the meantime.
      }
    };
    const started = Date.now();
    const watch = setInterval(() => {
      const elapsed = Date.now() - started;
      if (elapsed > options.timeout) end('timeout');
      else if (options.stalled?.(elapsed)) end('stalled');
    }, 1000);
    child.stdout.on('data', (chunk: Buffer) => {
      stdout = (stdout + chunk).slice(-KEPT);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk).slice(-KEPT);
    });
    const finish = (code: number) => {
      clearInterval(watch);
      resolve({ code, stdout, stderr, ...(killed === undefined ? {} : { killed }) });
    };
    child.on('error', (error) => {
      killed ??= error.message;
      finish(-1);
    });
    child.on('close', (code, signal) => {
      if (signal) killed ??= signal;
      finish(killed ? -1 : (code ?? -1));
    });
  });
}

/** The line of a program's output that says most about its failure: the last that names an error, else the last. */
export function failureLine(result: ProcessResult): string {
  if (result.killed === 'timeout') return 'it did not end in time';
  if (result.killed === 'stalled') return 'no data arrived';
  const lines = `${result.stdout}\n${result.stderr}`
    .split('\n')
    .map((line) => line.trim())
    // Node prints where an error was thrown around the error itself; npm prints its own warnings around all.
    .filter((line) => line !== '' && !/^(npm warn|at |Emitted |throw |Node\.js v|[\^}{])/.test(line));
  const telling =
    lines.findLast((line) => /^(\w*Error|ERROR|error|fatal|gyp ERR! stack Error)\b.*:/.test(line)) ??
    lines.findLast((line) => /error|fail|not found|cannot|no such/i.test(line));
  return telling ?? lines.at(-1) ?? result.killed ?? `exit code ${result.code}`;
}
