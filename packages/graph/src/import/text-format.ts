// Protobuf's text format, as TensorFlow writes .pbtxt files.
import type { Message, MessageType } from './message.js';

/** A message as text that `google.protobuf.text_format` reads. Fields that nobody here knows are left out. */
export function formatMessage<T extends Message>(type: MessageType<T>, message: T): string {
  const lines: string[] = [];
  write(type as MessageType, message, '', lines);
  return `${lines.join('\n')}\n`;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function write(type: MessageType, message: Message, indent: string, lines: string[]): void {
  for (const field of type.fields) {
    const value = (message as Record<string, unknown>)[field.name];
    const name = snake(field.name);
    const one = (item: unknown): void => {
      if (field.kind === 'message') {
        lines.push(`${indent}${name} {`);
        write(field.message!(), item as Message, `${indent}  `, lines);
        lines.push(`${indent}}`);
      } else lines.push(`${indent}${name}: ${scalar(field.kind, item)}`);
    };
    if (value === undefined) continue;
    if (field.label === 'map') {
      for (const [key, item] of value as Map<string, unknown>) {
        lines.push(`${indent}${name} {`, `${indent}  key: ${quoted(new TextEncoder().encode(key))}`);
        if (field.kind === 'message') {
          lines.push(`${indent}  value {`);
          write(field.message!(), item as Message, `${indent}    `, lines);
          lines.push(`${indent}  }`);
        } else lines.push(`${indent}  value: ${scalar(field.kind, item)}`);
        lines.push(`${indent}}`);
      }
    } else if (field.label === 'repeated') (value as unknown[]).forEach(one);
    else if (field.label === 'optional' || !isDefault(value)) one(value);
  }
}

function isDefault(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === '' || value === 0n || value === false || Object.is(value, 0);
}

function scalar(kind: string, value: unknown): string {
  if (value instanceof Uint8Array) return quoted(value);
  if (typeof value === 'string') return quoted(new TextEncoder().encode(value));
  if (kind === 'float' || kind === 'double') {
    const number = value as number;
    if (Number.isNaN(number)) return 'nan';
    if (!Number.isFinite(number)) return number < 0 ? '-inf' : 'inf';
    return Object.is(number, -0) ? '-0.0' : String(number);
  }
  return String(value);
}

function quoted(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte === 34 || byte === 92) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else text += `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `${text}"`;
}
