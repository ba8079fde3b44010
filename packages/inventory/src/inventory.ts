import { InventoryError } from './errors.js';

/** One variable of a model; plain data. */
export interface InventoryEntry {
  /** The name without TensorFlow's output number `:0`. */
  readonly name: string;
  /** Sizes of the axes, -1 for one that is not known. */
  readonly shape: readonly number[];
  /** TensorFlow's name of the dtype; absent where the source does not say. */
  readonly dtype?: string;
  /** Absent where the source does not say, as in a checkpoint. */
  readonly trainable?: boolean;
  readonly collections?: readonly string[];
}

/** A model's variables in the order in which they were made; plain data, which JSON keeps. */
export interface Inventory {
  /** What was listed: `variables`, `model`, `checkpoint`, `graph`, `json`, … */
  readonly source: string;
  readonly entries: readonly InventoryEntry[];
}

/** A variable name without its output number: `conv/weights:0` is `conv/weights`. */
export function normalizeName(name: string): string {
  return name.replace(/:\d+$/, '');
}

/**
 * An entry made from anything that has a name and a shape (a variable, a layer weight, a checkpoint entry, JSON).
 *
 * @throws {InventoryError} `InvalidEntry`, naming what is missing
 */
export function toEntry(value: unknown, where: string): InventoryEntry {
  const item = inner(value);
  const { name, shape, dtype, trainable, collections } = item;
  if (typeof name !== 'string' || name === '') {
    throw new InventoryError('InvalidEntry', `${where} has no name; an entry needs {name, shape}`, { where });
  }
  return {
    name: normalizeName(name),
    shape: toShape(shape, name),
    ...(dtype === undefined || dtype === null ? {} : { dtype: dtypeName(dtype) }),
    ...(typeof trainable === 'boolean' ? { trainable } : {}),
    ...(isIterable(collections) ? { collections: Array.from(collections, String) } : {}),
  };
}

interface Loose {
  readonly [field: string]: unknown;
}

/** A tf.layers weight keeps its name on the outside and, in some versions, its shape on the variable that it wraps. */
function inner(value: unknown): Loose {
  if (typeof value !== 'object' || value === null) return {};
  const outer = value as Loose;
  if (outer['shape'] !== undefined || typeof outer['val'] !== 'object' || outer['val'] === null) return outer;
  const held = outer['val'] as Loose;
  return { name: outer['name'], shape: held['shape'], dtype: outer['dtype'], trainable: outer['trainable'] };
}

function toShape(shape: unknown, name: string): number[] {
  const given = isIterable(shape) ? Array.from(shape) : undefined;
  // An unknown axis is null in tf.layers and -1 in protobufs; a text or boolean would become a number unseen.
  const axes = given?.map((axis) => (axis === null ? -1 : axis));
  if (axes === undefined || !axes.every(isAxis)) {
    const found = given === undefined ? String(shape) : `(${given.map(String).join(', ')})`;
    throw new InventoryError(
      'InvalidEntry',
      `${name}: ${found} is not a shape; give a list of whole numbers, null or -1 for an unknown axis`,
      {
        name,
        shape,
      },
    );
  }
  return axes;
}

function isAxis(axis: unknown): axis is number {
  return typeof axis === 'number' && Number.isInteger(axis) && axis >= -1;
}

function dtypeName(dtype: unknown): string {
  const name = typeof dtype === 'object' && dtype !== null && 'name' in dtype ? String(dtype.name) : String(dtype);
  return name.replace(/_ref$/, '');
}

/** Whether a value can be iterated over, strings excepted. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
