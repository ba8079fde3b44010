import { createRequire } from 'node:module';

const isObject = (value: unknown): boolean => value !== null && typeof value === 'object';

/** The functions of `node:util` that Node 23 removed, as they were: tfjs-node 4.22.0 still calls them (tfjs#8609). */
const removed: Record<string, (value: unknown) => boolean> = {
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === 'boolean',
  isBuffer: (value) => Buffer.isBuffer(value),
  isDate: (value) => value instanceof Date,
  isError: (value) => value instanceof Error,
  isFunction: (value) => typeof value === 'function',
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === 'number',
  isObject,
  isPrimitive: (value) => !isObject(value) && typeof value !== 'function',
  isRegExp: (value) => value instanceof RegExp,
  isString: (value) => typeof value === 'string',
  isSymbol: (value) => typeof value === 'symbol',
  isUndefined: (value) => value === undefined,
};

/**
 * Puts back the functions of `node:util` that Node 23 removed and tfjs-node 4.22.0 needs; returns their names.
 * Functions that are there stay as they are, so on Node 20 and 22 nothing changes.
 */
export function restoreNodeUtil(): string[] {
  // The module object itself: an ES import of it could not be added to.
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  const restored = Object.keys(removed).filter((name) => util[name] === undefined);
  for (const name of restored) util[name] = removed[name];
  return restored;
}
