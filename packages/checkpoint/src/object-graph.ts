// TrackableObjectGraph (tensorflow/core/protobuf/trackable_object_graph.proto): how TF2 names what it saves.
import type { Where } from './errors.js';
import { ProtoReader } from './proto-reader.js';

/** The key under which a TF2 checkpoint keeps its object graph. */
export const OBJECT_GRAPH_KEY = '_CHECKPOINTABLE_OBJECT_GRAPH';

/** One value that an object saves. */
export interface ObjectAttribute {
  readonly name: string;
  /** The variable's own name (`dense/kernel`), where it has one. */
  readonly fullName: string;
  readonly checkpointKey: string;
}

/** One object that was tracked. */
export interface TrackedObject {
  /** By local name, the index of each child. */
  readonly children: ReadonlyMap<string, number>;
  readonly attributes: readonly ObjectAttribute[];
  readonly slots: readonly { readonly variable: number; readonly slot: string; readonly value: number }[];
}

/** The objects of a checkpoint; the first is the root. */
export interface ObjectGraph {
  readonly nodes: readonly TrackedObject[];
}

function within<T>(reader: ProtoReader, body: (field: number) => void, result: () => T): T {
  const outer = reader.enter();
  for (let field = reader.next(); field; field = reader.next()) body(field);
  reader.leave(outer);
  return result();
}

function readNode(reader: ProtoReader): TrackedObject {
  const children = new Map<string, number>();
  const attributes: ObjectAttribute[] = [];
  const slots: { variable: number; slot: string; value: number }[] = [];
  const readField = (field: number): void => {
    if (field === 1) {
      let id = 0;
      let name = '';
      within(
        reader,
        (part) => {
          if (part === 1) id = reader.uint31();
          else if (part === 2) name = reader.string();
          else reader.skip();
        },
        () => children.set(name, id),
      );
    } else if (field === 2) {
      let name = '';
      let fullName = '';
      let checkpointKey = '';
      within(
        reader,
        (part) => {
          if (part === 1) name = reader.string();
          else if (part === 2) fullName = reader.string();
          else if (part === 3) checkpointKey = reader.string();
          else reader.skip();
        },
        () => attributes.push({ name, fullName, checkpointKey }),
      );
    } else if (field === 3) {
      let variable = 0;
      let slot = '';
      let value = 0;
      within(
        reader,
        (part) => {
          if (part === 1) variable = reader.uint31();
          else if (part === 2) slot = reader.string();
          else if (part === 3) value = reader.uint31();
          else reader.skip();
        },
        () => slots.push({ variable, slot, value }),
      );
    } else reader.skip();
  };
  return within(reader, readField, () => ({ children, attributes, slots }));
}

/**
 * The object graph that a record holds, with every reference in bounds.
 *
 * @throws {CheckpointError} `Corrupt`
 */
export function decodeObjectGraph(bytes: Uint8Array, where: Where): ObjectGraph {
  const reader = new ProtoReader(bytes, where);
  const nodes: TrackedObject[] = [];
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 1) nodes.push(readNode(reader));
    else reader.skip();
  }
  for (const node of nodes) {
    for (const id of [...node.children.values(), ...node.slots.flatMap((slot) => [slot.variable, slot.value])]) {
      if (id >= nodes.length) reader.fault(`the object graph has ${nodes.length} objects, and refers to number ${id}`);
    }
  }
  return { nodes };
}
