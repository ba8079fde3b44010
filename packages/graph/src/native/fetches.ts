import { GraphError } from '../graph-error.js';

/** Something with the name that TensorFlow knows it by: a tensor (`a/b:0`) or an op (`a/b`). */
export interface Named {
  readonly name: string;
}

/** What to fetch: a name, something named, or lists and records of them, nested. */
export type Fetches = string | Named | readonly Fetches[] | { readonly [key: string]: Fetches };

/** The values of fetches, in the same structure. An op without an asked-for output gives `null`. */
export type Fetched<F, V> = F extends string | Named
  ? V
  : F extends readonly Fetches[]
    ? { -readonly [K in keyof F]: Fetched<F[K], V> }
    : { -readonly [K in keyof F]: Fetched<F[K], V> };

/** Every name in the fetches, in order. */
export function fetchNames(fetches: Fetches): string[] {
  if (typeof fetches === 'string') return [fetches];
  if (Array.isArray(fetches)) return fetches.flatMap(fetchNames);
  if (fetches === null || typeof fetches !== 'object') {
    throw new GraphError(
      'NotFound',
      `Fetch argument ${String(fetches)} has invalid type; a name, tensor, op, list or record is needed`,
      {},
    );
  }
  if (isNamed(fetches)) return [fetches.name];
  return Object.values(fetches as Record<string, Fetches>).flatMap(fetchNames);
}

/** The values put in the places of the names. */
export function fillFetches<V>(fetches: Fetches, next: () => V): unknown {
  if (typeof fetches === 'string') return next();
  if (Array.isArray(fetches)) return fetches.map((fetch) => fillFetches(fetch as Fetches, next));
  if (isNamed(fetches)) return next();
  return Object.fromEntries(
    Object.entries(fetches as Record<string, Fetches>).map(([key, fetch]) => [key, fillFetches(fetch, next)]),
  );
}

// A record may have a fetch called 'name': what is named has a prototype of its own, or nothing but a string there.
function isNamed(fetches: object): fetches is Named {
  return 'name' in fetches && typeof fetches.name === 'string' && Object.getPrototypeOf(fetches) !== Object.prototype;
}
