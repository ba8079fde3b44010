import { createRequire } from 'node:module';
import type { CommandRun } from '../command.js';
import { textOption } from '../command-options.js';
import { verdictLine } from '../terminal.js';

const PACKAGES = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-backend-wasm',
];

/** Versions of what is installed beside the user's program, or beside tfparity. */
function versions(): Record<string, string> {
  const found: Record<string, string> = {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
  for (const name of PACKAGES) {
    for (const from of [`${process.cwd()}/package.json`, import.meta.url]) {
      try {
        found[name] ??= (createRequire(from)(`${name}/package.json`) as { version: string }).version;
      } catch {
        // Not installed there; it is listed as missing.
      }
    }
    found[name] ??= 'not installed';
  }
  return found;
}

/** `tfparity doctor`: the backend that works here, and why others do not. */
export const doctor: CommandRun = async (_, options, terminal) => {
  const { isBackendError, loadBackend } = await import('@tfparity/backend');
  const installed = versions();
  const backend = textOption(options, 'backend');
  const list = Object.entries(installed).map(([name, version]) => `  ${name.padEnd(32)} ${version}`);
  terminal.progress('trying the backends, each in a process of its own');
  try {
    const { name, library, rejected, message } = await loadBackend(backend === undefined ? {} : { backend });
    const data = { works: true, backend: name, library: library ?? null, rejected, versions: installed };
    return { outcome: 'same', data, lines: [verdictLine(terminal, 'same', message), ...list] };
  } catch (error) {
    if (!isBackendError(error)) throw error;
    const data = { works: false, error: error.toJSON(), versions: installed };
    return { outcome: 'unclear', data, lines: [verdictLine(terminal, 'unclear', error.message), ...list] };
  }
};
