// Protobuf messages as plain objects, by tables of fields. Unknown fields are kept and written back; proto3's rules.
import { malformed } from './malformed.js';
import { WireReader, WireWriter } from './wire.js';

/** What every decoded message has: the fields nobody here knows, byte for byte, to be written back. */
export interface Message {
  unknown?: Uint8Array[];
}

/** How one field lies in bytes. */
export interface FieldSpec {
  readonly id: number;
  /** `size` is an int64 that must be a safe integer. Enums are `int32`. */
  readonly kind: 'string' | 'bytes' | 'int64' | 'int32' | 'size' | 'bool' | 'float' | 'double' | 'fixed64' | 'message';
  /** `optional` fields have presence: members of a oneof. */
  readonly label: 'singular' | 'optional' | 'repeated' | 'map';
  /** The oneof that the field belongs to: setting it clears the others. */
  readonly oneof?: string;
  /** The type of a message field, or of a map's message values. */
  readonly message?: () => MessageType;
}

interface NamedField extends FieldSpec {
  readonly name: string;
}

/** A message type: its name in TensorFlow and its fields. */
export interface MessageType<T extends Message = Message> {
  readonly name: string;
  readonly fields: readonly NamedField[];
  readonly byId: ReadonlyMap<number, NamedField>;
  /** The fields that every message has: all but messages and members of oneofs. */
  readonly present: readonly NamedField[];
  /** Never set; carries the type. */
  readonly type?: T;
}

type Values = Record<string, unknown> & Message;

const NO_BYTES = new Uint8Array(0);

// As deep as protobuf's own readers go.
const DEEPEST = 100;

/** Makes a message type from its table of fields. */
export function defineMessage<T extends Message>(
  name: string,
  table: Record<Exclude<keyof T, 'unknown'>, FieldSpec>,
): MessageType<T> {
  const fields = Object.entries<FieldSpec>(table).map(([field, spec]) => ({ name: field, ...spec }));
  const present = fields.filter((field) => defaultOf(field) !== undefined);
  return { name, fields, present, byId: new Map(fields.map((field) => [field.id, field])) };
}

/** A message with every field at its default, and the given ones set. */
export function createMessage<T extends Message>(type: MessageType<T>, init: Partial<T> = {}): T {
  const message: Values = {};
  for (const field of type.present) message[field.name] = defaultOf(field);
  return Object.assign(message, init) as T;
}

/**
 * Reads one message, all of `bytes`; `bytes` fields are views of them.
 *
 * @throws {GraphError} `Malformed` with the message's name and a byte offset
 */
export function decodeMessage<T extends Message>(type: MessageType<T>, bytes: Uint8Array): T {
  const message = createMessage(type);
  merge(type, message as Values, bytes, 0);
  return message;
}

/** Writes a message as TensorFlow reads it: fields in order of number, maps in order of key, then unknown fields. */
export function encodeMessage<T extends Message>(type: MessageType<T>, message: T): Uint8Array {
  const writer = new WireWriter();
  writeMessage(writer, type as MessageType, message);
  return writer.finish();
}

function writeMessage(writer: WireWriter, type: MessageType, message: Message): void {
  for (const field of type.fields) writeField(writer, field, (message as Values)[field.name]);
  for (const raw of message.unknown ?? []) writer.raw(raw);
}

function defaultOf(field: NamedField): unknown {
  if (field.label === 'repeated') return [];
  if (field.label === 'map') return new Map();
  if (field.label === 'optional') return undefined;
  return defaultScalar(field.kind);
}

function defaultScalar(kind: FieldSpec['kind']): unknown {
  switch (kind) {
    case 'string':
      return '';
    case 'bytes':
      return NO_BYTES;
    case 'bool':
      return false;
    case 'int64':
    case 'fixed64':
      return 0n;
    case 'message':
      return undefined;
    default:
      return 0;
  }
}

function merge(type: MessageType, message: Values, bytes: Uint8Array, depth: number): void {
  if (depth > DEEPEST) throw malformed(`${type.name} is nested deeper than ${DEEPEST} messages`, 0);
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const start = reader.position;
    const { id, wire } = reader.key();
    const field = type.byId.get(id);
    if (field === undefined) {
      reader.skip(wire);
      message.unknown ??= [];
      message.unknown.push(bytes.subarray(start, reader.position));
    } else {
      readField(type, message, field, reader, wire, depth);
    }
  }
}

function readField(
  type: MessageType,
  message: Values,
  field: NamedField,
  reader: WireReader,
  wire: number,
  depth: number,
): void {
  if (field.label === 'map') {
    expectWire(type, field, wire, 2, reader);
    const [key, value] = readEntry(field, reader.block(), depth + 1);
    (message[field.name] as Map<string, unknown>).set(key, value);
    return;
  }
  if (field.label === 'repeated') {
    const list = message[field.name] as unknown[];
    if (wire === 2 && wireOf(field.kind) !== 2) {
      const packed = new WireReader(reader.block());
      while (!packed.done) list.push(readScalar(field.kind, packed));
      return;
    }
    expectWire(type, field, wire, wireOf(field.kind), reader);
    list.push(readValue(field, reader, undefined, depth));
    return;
  }
  expectWire(type, field, wire, wireOf(field.kind), reader);
  if (field.oneof !== undefined) {
    for (const other of type.fields) {
      // Deleting makes an object slow, and nearly always there is nothing to delete.
      if (other.oneof === field.oneof && other !== field && message[other.name] !== undefined) {
        delete message[other.name];
      }
    }
  }
  message[field.name] = readValue(field, reader, message[field.name], depth);
}

function expectWire(type: MessageType, field: NamedField, wire: number, needed: number, reader: WireReader): void {
  if (wire === needed) return;
  throw malformed(`${type.name}.${field.name} has wire type ${wire}, not ${needed}`, reader.position);
}

function readEntry(field: NamedField, bytes: Uint8Array, depth: number): [string, unknown] {
  const reader = new WireReader(bytes);
  let key = '';
  let value: unknown = field.kind === 'message' ? createMessage(field.message!()) : defaultScalar(field.kind);
  while (!reader.done) {
    const { id, wire } = reader.key();
    if (id === 1 && wire === 2) key = reader.string();
    else if (id === 2 && wire === wireOf(field.kind)) value = readValue(field, reader, value, depth);
    else reader.skip(wire);
  }
  return [key, value];
}

function readValue(field: NamedField, reader: WireReader, old: unknown, depth: number): unknown {
  if (field.kind !== 'message') return readScalar(field.kind, reader);
  const type = field.message!();
  const value = (old as Values | undefined) ?? (createMessage(type) as Values);
  merge(type, value, reader.block(), depth + 1);
  return value;
}

function readScalar(kind: FieldSpec['kind'], reader: WireReader): unknown {
  if (kind === 'size') {
    const start = reader.position;
    const value = Number(reader.int64());
    if (!Number.isSafeInteger(value)) throw malformed(`a size of ${value}`, start);
    return value;
  }
  return kind === 'bytes' ? reader.block() : reader[kind as Exclude<FieldSpec['kind'], 'bytes' | 'size' | 'message'>]();
}

function wireOf(kind: FieldSpec['kind']): number {
  if (kind === 'string' || kind === 'bytes' || kind === 'message') return 2;
  if (kind === 'float') return 5;
  return kind === 'double' || kind === 'fixed64' ? 1 : 0;
}

function writeField(writer: WireWriter, field: NamedField, value: unknown): void {
  if (value === undefined) return;
  if (field.label === 'map') {
    for (const [key, item] of [...(value as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
      writer.key(field.id, 2);
      writer.nested(() => {
        writeKeyed(writer, 1, 'string', key);
        writeKeyed(writer, 2, field.kind, item, field);
      });
    }
  } else if (field.label === 'repeated') {
    writeRepeated(writer, field, value as unknown[]);
  } else if (field.label === 'optional' || !isDefault(field.kind, value)) {
    writeKeyed(writer, field.id, field.kind, value, field);
  }
}

function writeRepeated(writer: WireWriter, field: NamedField, list: readonly unknown[]): void {
  if (list.length === 0) return;
  if (wireOf(field.kind) === 2) {
    for (const item of list) writeKeyed(writer, field.id, field.kind, item, field);
    return;
  }
  writer.key(field.id, 2);
  writer.nested(() => {
    for (const item of list) writeScalar(writer, field.kind, item);
  });
}

function isDefault(kind: FieldSpec['kind'], value: unknown): boolean {
  if (kind === 'bytes') return (value as Uint8Array).length === 0;
  return kind !== 'message' && Object.is(value, defaultScalar(kind));
}

function writeKeyed(writer: WireWriter, id: number, kind: FieldSpec['kind'], value: unknown, field?: NamedField): void {
  writer.key(id, wireOf(kind));
  if (kind === 'message') writer.nested(() => writeMessage(writer, field!.message!(), value as Message));
  else writeScalar(writer, kind, value);
}

function writeScalar(writer: WireWriter, kind: FieldSpec['kind'], value: unknown): void {
  if (kind === 'string') writer.string(value as string);
  else if (kind === 'bytes') writer.block(value as Uint8Array);
  else if (kind === 'float') writer.float(value as number);
  else if (kind === 'double') writer.double(value as number);
  else if (kind === 'fixed64') writer.fixed64(value as bigint);
  else if (kind === 'bool') writer.count(value ? 1 : 0);
  else if (typeof value === 'number' && value >= 0 && value < 2 ** 31) writer.count(value);
  else writer.varint(BigInt(value as number | bigint));
}
