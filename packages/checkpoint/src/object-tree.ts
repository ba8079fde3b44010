// How TF2 names what a tree of objects saves: tensorflow/python/checkpoint/{save_util,trackable_view}.py and
// tensorflow/python/trackable/trackable_utils.py; the children of a tf.layers model as Keras tracks them.
import { type ArrayLike, type NdArray, toNdArray } from '@tfparity/array';
import { CheckpointError } from './errors.js';
import { OBJECT_GRAPH_KEY } from './object-graph.js';
import { ProtoWriter } from './proto-writer.js';
import type { NamedArray } from './store.js';

/** A weight of a tf.layers layer, as `layer.weights` lists it; or anything that is read when its turn to be written comes. */
export interface LayerWeight {
  readonly name: string;
  readonly originalName?: string;
  read(): ArrayLike | Promise<ArrayLike>;
}

/** A tf.layers layer or model, structurally: an object of any class (a plain object is a tree) with these. */
export interface LayerLike {
  readonly weights: readonly LayerWeight[];
  readonly layers?: readonly LayerLike[];
}

/** One value that an optimizer keeps for a variable. */
export interface OptimizerSlot {
  /** The variable or weight itself, as the tree holds it. */
  readonly variable: ArrayLike | LayerWeight;
  /** TensorFlow's key of the slot: `m`, `v`, `momentum`, `rms`, … */
  readonly slot: string;
  readonly value: ArrayLike | LayerWeight;
}

/** An optimizer in a tree of objects: its own variables by name (`iter`, `beta1_power`), and slots of the tree's variables. */
export class OptimizerState {
  constructor(
    readonly variables: Readonly<Record<string, ObjectTree>>,
    readonly slots: readonly OptimizerSlot[] = [],
  ) {}
}

/** What can be saved by objects. */
export type ObjectTree =
  | OptimizerState
  | ArrayLike
  | LayerWeight
  | LayerLike
  | readonly ObjectTree[]
  | ReadonlyMap<string, ObjectTree>
  | { readonly [name: string]: ObjectTree };

interface Node {
  readonly path: string;
  readonly children: { name: string; id: number }[];
  readonly slots?: { variable: number; slot: string; id: number }[];
  key?: string;
  fullName?: string;
}

// Layers that stand within a layer, and what Keras calls them.
const INNER: Readonly<Record<string, string>> = {
  cell: 'cell',
  layer: 'layer',
  forwardLayer: 'forward_layer',
  backwardLayer: 'backward_layer',
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isWeight = (value: object): value is LayerWeight => 'read' in value && typeof value.read === 'function';
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};
/** A record may have a key `weights`, as slim's scopes do: a layer is of a class. */
const isLayer = (value: object): value is LayerLike =>
  !isPlain(value) &&
  'weights' in value &&
  Array.isArray(value.weights) &&
  value.weights.every((weight: unknown) => isObject(weight) && isWeight(weight));
const isArrayLike = (value: object): value is ArrayLike =>
  'dtype' in value && 'shape' in value && ('data' in value || 'dataSync' in value);

/** A name within a path: TensorFlow escapes what would read as a separator. */
export function escapeLocalName(name: string): string {
  return name.replaceAll('.', '..').replaceAll('/', '.S');
}

function layerChildren(layer: LayerLike): [string, ObjectTree][] {
  if (layer.layers) {
    let weighted = 0;
    return layer.layers.flatMap((child, i): [string, ObjectTree][] => {
      const own: [string, ObjectTree] = [`layer-${i}`, child];
      // Keras reaches a layer that has weights by a second name, and restores by either: the first one names the key.
      return child.weights.length ? [[`layer_with_weights-${weighted++}`, child], own] : [own];
    });
  }
  const inner = Object.entries(INNER).flatMap(([property, name]): [string, LayerLike][] => {
    const value = (layer as unknown as Record<string, unknown>)[property];
    return isObject(value) && isLayer(value) ? [[name, value]] : [];
  });
  const held = new Set(inner.flatMap(([, child]) => child.weights));
  const own = layer.weights.filter((weight) => !held.has(weight));
  return [
    ...inner,
    ...own.map((weight): [string, ObjectTree] => [lastPart(weight.originalName ?? weight.name), weight]),
  ];
}

const lastPart = (name: string): string => name.replace(/:\d+$/, '').split('/').at(-1)!;

function childrenOf(value: object, path: string): [string, ObjectTree][] {
  if (value instanceof OptimizerState) return Object.entries(value.variables);
  if (isLayer(value)) return layerChildren(value);
  if (Array.isArray(value)) return value.map((child, i): [string, ObjectTree] => [String(i), child]);
  if (value instanceof Map) return [...value];
  if (isPlain(value)) return Object.entries(value);
  throw new CheckpointError(
    'InvalidArgument',
    `${path || 'the root'} is a ${value.constructor?.name ?? 'value'}: only layers, variables, arrays and trees of them can be saved`,
    { tensor: path },
  );
}

/** The values of a tree by checkpoint key, and the record of its object graph; values are read when their turn comes. */
export async function* objectRecords(root: ObjectTree, saveCounter: number): AsyncGenerator<NamedArray> {
  const nodes: Node[] = [{ path: '', children: [] }];
  const ids = new Map<object, number>();
  const values: SavedValue[] = [];
  const optimizers: { id: number; state: OptimizerState }[] = [];
  const queue: { value: ObjectTree; id: number }[] = [{ value: root, id: 0 }];
  if (isObject(root)) ids.set(root, 0);
  // Breadth first, as TensorFlow does: the shortest path names an object that several paths reach.
  for (let item = queue.shift(); item; item = queue.shift()) {
    const node = nodes[item.id]!;
    const { value } = item;
    if (!isObject(value)) {
      throw new CheckpointError('InvalidArgument', `${node.path || 'the root'} is ${value}, not a value to save`, {
        tensor: node.path,
      });
    }
    if (isWeight(value) || isArrayLike(value)) {
      values.push(saveValue(node, value));
      continue;
    }
    if (value instanceof OptimizerState) optimizers.push({ id: item.id, state: value });
    const children = childrenOf(value, node.path);
    if (item.id === 0 && !children.some(([name]) => name === 'save_counter')) {
      children.push(['save_counter', counter(saveCounter)]);
    }
    for (const [name, child] of children) {
      let id = isObject(child) ? ids.get(child) : undefined;
      if (id === undefined) {
        const prefix = node.path ? `${node.path}/` : '';
        id = nodes.push({ path: prefix + escapeLocalName(name), children: [] }) - 1;
        if (isObject(child)) ids.set(child, id);
        queue.push({ value: child, id });
      }
      node.children.push({ name, id });
    }
  }
  for (const { id, state } of optimizers) values.push(...saveSlots(state.slots, id, nodes, ids));
  for (const { key, value } of values) {
    yield { ...toNdArray(isWeight(value) ? await value.read() : value), name: key };
  }
  yield { name: OBJECT_GRAPH_KEY, dtype: 'string', shape: [], data: [encodeGraph(nodes)] };
}

interface SavedValue {
  readonly key: string;
  readonly value: LayerWeight | ArrayLike;
}

function saveValue(node: Node, value: LayerWeight | ArrayLike): SavedValue {
  node.key = `${node.path}/.ATTRIBUTES/VARIABLE_VALUE`;
  node.fullName = 'name' in value && typeof value.name === 'string' ? value.name.replace(/:\d+$/, '') : '';
  return { key: node.key, value };
}

/** Slots are objects of their own, which nothing but their optimizer's list reaches: serialize_slot_variables. */
function saveSlots(
  slots: readonly OptimizerSlot[],
  owner: number,
  nodes: Node[],
  ids: Map<object, number>,
): SavedValue[] {
  const optimizer = nodes[owner]!;
  const listed: NonNullable<Node['slots']> = [];
  const taken = new Set<string>();
  const saved = slots.map(({ variable, slot, value }) => {
    const original = ids.get(variable);
    const path = original === undefined ? undefined : nodes[original]!.path;
    const place = `${path}/.OPTIMIZER_SLOT/${optimizer.path}/${escapeLocalName(slot)}`;
    if (original === undefined || nodes[original]!.key === undefined) {
      throw new CheckpointError(
        'InvalidArgument',
        `the slot '${slot}' of ${optimizer.path || 'the root'} is for a variable that the tree does not hold`,
        { tensor: optimizer.path },
      );
    }
    if (taken.has(place)) {
      throw new CheckpointError('Conflict', 'two slots have this place', { tensor: place });
    }
    taken.add(place);
    const node: Node = { path: place, children: [] };
    listed.push({ variable: original, slot, id: nodes.push(node) - 1 });
    return saveValue(node, value);
  });
  nodes[owner] = { ...optimizer, slots: listed };
  return saved;
}

function counter(count: number): NdArray & { name: string } {
  return { name: 'save_counter', dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(count)) };
}

function encodeGraph(nodes: readonly Node[]): Uint8Array {
  const graph = new ProtoWriter();
  for (const { children, slots = [], key, fullName } of nodes) {
    const node = new ProtoWriter();
    for (const { name, id } of children) node.message(1, new ProtoWriter().uint(1, id).string(2, name));
    if (key !== undefined) {
      node.message(
        2,
        new ProtoWriter()
          .string(1, 'VARIABLE_VALUE')
          .string(2, fullName ?? '')
          .string(3, key),
      );
    }
    for (const { variable, slot, id } of slots) {
      node.message(3, new ProtoWriter().uint(1, variable).string(2, slot).uint(3, id));
    }
    graph.message(1, node);
  }
  return graph.finish();
}
