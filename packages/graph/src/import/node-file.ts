import { GraphError } from '../graph-error.js';

type NodeModules = {
  'node:fs': typeof import('node:fs');
  'node:os': typeof import('node:os');
  'node:path': typeof import('node:path');
  'node:child_process': typeof import('node:child_process');
  'node:module': typeof import('node:module');
  'node:v8': typeof import('node:v8');
};

/**
 * One of Node's own modules, looked up when it is needed, so that the package loads in a browser too.
 *
 * @throws {GraphError} `Unavailable` outside Node
 */
export function nodeModule<K extends keyof NodeModules>(name: K): NodeModules[K] {
  const found = globalThis.process?.getBuiltinModule?.(name as 'node:fs');
  if (found === undefined) {
    throw new GraphError('Unavailable', `this needs ${name}: Node 20.16 or newer; elsewhere, pass the file's bytes`, {
      module: name,
    });
  }
  return found as unknown as NodeModules[K];
}

/** The bytes of a file, or the bytes themselves; at most `limit` of them. */
export function readBytes(source: string | Uint8Array, limit: number): Uint8Array {
  if (typeof source !== 'string') return checkSize(source, source.length, limit, 'the graph');
  const { readFileSync, statSync } = nodeModule('node:fs');
  let size: number;
  try {
    size = statSync(source).size;
  } catch (cause) {
    throw new GraphError('NotFound', `${source}: no such file; needed is a graph's file`, { file: source }, { cause });
  }
  checkSize(undefined, size, limit, source);
  return readFileSync(source);
}

function checkSize<T>(value: T, size: number, limit: number, what: string): T {
  if (size <= limit) return value;
  throw new GraphError('TooLarge', `${what} has ${size} bytes; the limit is ${limit} (limits.bytes)`, { size, limit });
}
