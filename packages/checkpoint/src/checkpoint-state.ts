// The `checkpoint` file: CheckpointState (tensorflow/python/training/checkpoint_state.proto) as text, as
// tensorflow/python/checkpoint/checkpoint_management.py writes it.
import { type FileSet, readExactly } from './byte-source.js';
import { CheckpointError } from './errors.js';

/** What a folder's `checkpoint` file says. */
export interface CheckpointState {
  readonly latest: string;
  readonly all: readonly string[];
}

const MAX_STATE = 16 * 2 ** 20;
const ESCAPES: Record<string, number> = { n: 10, r: 13, t: 9, a: 7, b: 8, f: 12, v: 11 };

function unquote(text: string): string {
  const bytes: number[] = [];
  const raw = new TextEncoder().encode(text);
  for (let i = 0; i < raw.length; i++) {
    if (raw[i] !== 0x5c) {
      bytes.push(raw[i]!);
      continue;
    }
    const rest = String.fromCharCode(...raw.subarray(i + 1, i + 4));
    const octal = /^[0-7]{1,3}/.exec(rest)?.[0];
    const hex = /^x([0-9a-fA-F]{1,2})/.exec(rest);
    if (octal) bytes.push(Number.parseInt(octal, 8) & 0xff);
    else if (hex) bytes.push(Number.parseInt(hex[1]!, 16));
    else bytes.push(ESCAPES[rest[0]!] ?? rest.charCodeAt(0));
    i += octal?.length ?? hex?.[0].length ?? 1;
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

function quote(text: string): string {
  let out = '';
  for (const byte of new TextEncoder().encode(text)) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `"${out}"`;
}

/** The state as text that TensorFlow reads. */
export function formatState(latest: string, all: readonly string[]): string {
  const paths = all.includes(latest) ? all : [...all, latest];
  const lines = paths.map((path) => `all_model_checkpoint_paths: ${quote(path)}\n`);
  return `model_checkpoint_path: ${quote(latest)}\n${lines.join('')}`;
}

/** What the text of a `checkpoint` file says. @throws {CheckpointError} `Corrupt` where it names no checkpoint */
export function parseState(text: string, file: string): CheckpointState {
  let latest: string | undefined;
  const all: string[] = [];
  for (const [, field, double, single] of text.matchAll(
    /^\s*(\w+)\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/gm,
  )) {
    const value = unquote(double ?? single ?? '');
    if (field === 'model_checkpoint_path') latest = value;
    else if (field === 'all_model_checkpoint_paths') all.push(value);
  }
  if (!latest) throw new CheckpointError('Corrupt', 'the checkpoint state names no model_checkpoint_path', { file });
  return { latest, all };
}

/** What the folder's `checkpoint` file says; `undefined` where there is none. */
export async function readState(files: FileSet): Promise<CheckpointState | undefined> {
  const source = await files.open('checkpoint');
  if (!source) return undefined;
  try {
    const file = source.name ?? 'checkpoint';
    if (source.size > MAX_STATE)
      throw new CheckpointError('Corrupt', `${source.size} bytes are no checkpoint state`, { file });
    return parseState(new TextDecoder().decode(await readExactly(source, 0, source.size)), file);
  } finally {
    await source.close?.();
  }
}
