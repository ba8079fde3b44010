import { createRequire } from 'node:module';

const isObject = (value: unknown): boolean => value !== null && typeof value === 'object';

/** The functions of `node:util` that Node 23 removed, as they were: tfjs-node 4.22.0 still calls them (tfjs#8609). */
const removed: Record<string, (value: unknown) => boolean> = {
  isArray: (value) => Array.isArray(value),
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

/** From this version on Node prints a deprecation warning when one that it still has is called. */
const WARNS_FROM = 22;

/**
 * Puts back the functions of `node:util` that Node 23 removed and tfjs-node 4.22.0 needs; returns the names it set.
 * Those that are there stay as they are, except where Node would print a warning at each program's first call: such
 * ones are replaced by quiet ones that do the same. On Node 20 nothing changes.
 */
export function restoreNodeUtil(): string[] {
  // The module object itself: an ES import of it could not be added to.
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  const warns = Number.parseInt(process.versions.node, 10) >= WARNS_FROM;
  const set = Object.keys(removed).filter(
    (name) => util[name] === undefined || (warns && util[name] !== removed[name]),
  );
  for (const name of set) util[name] = removed[name];
  return set;
}
