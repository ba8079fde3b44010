import { InventoryError } from './errors.js';
import { type Inventory, type InventoryEntry, isIterable, toEntry } from './inventory.js';

/**
 * A source that lists its own variables. An object that has this method needs nothing else to be captured, so that other
 * packages (graphs, file readers) can join without being known here.
 */
export interface InventorySource {
  captureInventory(): Inventory | Iterable<unknown>;
}

/** Anything `captureInventory` understands; see there. */
export type InventoryInput = object | string;

type Loose = Readonly<Record<string, unknown>>;

/** One way of finding the variables of a source; `undefined` where the source is of another kind. */
type Reader = (source: Loose) => { readonly kind: string; readonly items: Iterable<unknown> } | undefined;

/** A field that holds a list, or a method without arguments that returns one. */
function listOf(source: Loose, field: string): Iterable<unknown> | undefined {
  const held = source[field];
  const value = typeof held === 'function' && held.length === 0 ? (held as () => unknown).call(source) : held;
  return isIterable(value) ? value : undefined;
}

/** Weights with the trainable flag that the layer or model gives them by listing them among its trainable ones. */
function layerWeights(source: Loose): Iterable<unknown> | undefined {
  const weights = listOf(source, 'weights');
  if (weights === undefined) return undefined;
  const trainable = listOf(source, 'trainableWeights');
  if (trainable === undefined) return weights;
  const chosen = new Set(trainable);
  return Array.from(weights, (weight) => {
    const { trainable: _, ...entry } = toEntry(weight, 'a weight');
    return { ...entry, trainable: chosen.has(weight) };
  });
}

/** The weights manifest of a tfjs model.json, or of its `weightsManifest` alone. */
function manifestWeights(manifest: Iterable<unknown>): unknown[] | undefined {
  const groups = [...manifest];
  const lists = groups.map((group) =>
    typeof group === 'object' && group !== null ? listOf(group as Loose, 'weights') : undefined,
  );
  return groups.length > 0 && lists.every((list) => list !== undefined)
    ? lists.flatMap((list) => [...list!])
    : undefined;
}

/** `{name: {shape, dtype}}`, as safetensors headers and parsed npz files have it; `__metadata__` is no tensor. */
function record(source: Loose): Iterable<unknown> | undefined {
  const pairs = Object.entries(source).filter(([name]) => name !== '__metadata__');
  // Without one tensor there is nothing to know a record by; only a header that says so is an empty one.
  if (pairs.length === 0 && !Object.hasOwn(source, '__metadata__')) return undefined;
  const shaped = pairs.every(([, v]) => typeof v === 'object' && v !== null && 'shape' in v && isIterable(v.shape));
  return shaped ? pairs.map(([name, v]) => ({ ...pick(v as Loose), name })) : undefined;
}

/** The items of a `Map` from names. */
function named(map: ReadonlyMap<unknown, unknown>): Loose[] {
  return [...map].map(([name, value]) => {
    if (typeof value === 'object' && value !== null) return { ...pick(value as Loose), name };
    const found = value === null ? 'null' : typeof value;
    const message = `${String(name)}: ${found} is no variable; a Map gives each name its {shape, dtype}`;
    throw new InventoryError('InvalidEntry', message, { name, found });
  });
}

const pick = ({ shape, dtype, trainable, collections }: Loose): Loose => ({ shape, dtype, trainable, collections });

const READERS: readonly Reader[] = [
  (s) => {
    if (typeof s['captureInventory'] !== 'function') return undefined;
    const own = (s as unknown as InventorySource).captureInventory();
    if (isIterable(own)) return { kind: 'source', items: own };
    if (typeof own !== 'object' || own === null || !isIterable(own.entries)) {
      throw new InventoryError(
        'UnknownSource',
        `captureInventory() of the source returned ${own === null ? 'null' : typeof own}; it returns an inventory or a list of entries`,
      );
    }
    return { kind: String(own.source ?? 'source'), items: own.entries };
  },
  (s) => {
    return s instanceof Map ? { kind: 'map', items: named(s) } : undefined;
  },
  (s) => (isIterable(s) ? { kind: 'variables', items: manifestWeights(s) ?? s } : undefined),
  (s) => {
    const manifest = listOf(s, 'weightsManifest');
    const items = manifest && manifestWeights(manifest);
    return items && { kind: 'model.json', items };
  },
  (s) => found(typeof s['source'] === 'string' ? s['source'] : 'checkpoint', entriesOf(s)),
  (s) => found('model', layerWeights(s)),
  (s) => found('variables', listOf(s, 'variables') ?? listOf(s, 'globalVariables')),
  (s) => found('weights', listOf(s, 'weightSpecs')),
  (s) => found('record', record(s)),
];

function found(kind: string, items: Iterable<unknown> | undefined): ReturnType<Reader> {
  return items && { kind, items };
}

/** `entries` as a list, a `Map`, or a record by name. */
function entriesOf(source: Loose): Iterable<unknown> | undefined {
  const held = source['entries'];
  const value = typeof held === 'function' && held.length === 0 ? (held as () => unknown).call(source) : held;
  if (value instanceof Map) return named(value);
  if (isIterable(value)) return value;
  return typeof value === 'object' && value !== null ? record(value as Loose) : undefined;
}

/**
 * The variables of a source, in its order, with `:0` taken off the names.
 *
 * A source is one of: a list of variables (`{name, shape, dtype?, trainable?}`: `tf.Variable`s, layer weights, plain data); a
 * layer or model (`weights`, with `trainableWeights`); a graph (`variables` or `globalVariables`, a list or a method); a
 * checkpoint (`entries`); an inventory; a tfjs `model.json` or its weights manifest; a record or `Map` from names to
 * `{shape, dtype}` (safetensors header, npz); JSON text of any of these; or an object with a method `captureInventory`.
 *
 * @throws {InventoryError} `UnknownSource` for anything else, an object without anything in it too; `InvalidEntry` for an item
 * without name or shape
 */
export function captureInventory(source: InventoryInput): Inventory {
  const value = typeof source === 'string' ? parse(source) : source;
  if (typeof value === 'object' && value !== null) {
    for (const reader of READERS) {
      const read = reader(value as Loose);
      if (read === undefined) continue;
      const entries: InventoryEntry[] = [];
      for (const item of read.items) entries.push(toEntry(item, `${read.kind}[${entries.length}]`));
      return { source: read.kind, entries };
    }
  }
  throw new InventoryError(
    'UnknownSource',
    `no variables found in ${value === null ? 'null' : typeof value === 'object' ? `an object with ${Object.keys(value).slice(0, 8).join(', ')}` : typeof value}; give a list of variables, a layer, model, graph, checkpoint, model.json or an object with captureInventory()`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InventoryError(
      'UnknownSource',
      'the text is not JSON; give the contents of the file, not its path',
      {},
      { cause },
    );
  }
}
