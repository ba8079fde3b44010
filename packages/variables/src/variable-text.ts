// Ports how TensorFlow and numpy print a variable: repr of ResourceVariable and numpy.array_repr (numpy 2).
import type * as tf from '@tensorflow/tfjs-core';
import { variableDType } from './variable-facts.js';

const EDGE_ITEMS = 3;
const THRESHOLD = 1000;
const LINE_WIDTH = 75;
const PRECISION = 8;

/** The shortest decimal that reads back as the same float32. */
function shortestFloat32(value: number): number {
  for (let precision = 1; precision <= 9; precision += 1) {
    const candidate = Number(value.toPrecision(precision));
    if (Math.fround(candidate) === Math.fround(value)) return candidate;
  }
  return value;
}

function specialText(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** `1.` and `2.5` as `1. ` and `2.5`: fractions of one length, padded with blanks. */
function fixedTexts(values: readonly number[]): string[] {
  const texts = values.map((value) => {
    if (!Number.isFinite(value)) return specialText(value);
    if (Object.is(value, -0)) return '-0.';
    return shortestFloat32(value).toFixed(PRECISION).replace(/0+$/, '');
  });
  const fractions = texts.map((text) => (text.includes('.') ? text.length - text.indexOf('.') : 0));
  const longest = Math.max(0, ...fractions);
  return texts.map((text, i) => (fractions[i] === 0 ? text : text + ' '.repeat(longest - (fractions[i] ?? 0))));
}

/** `1.00e-07`: mantissas of one length, padded with zeros. */
function exponentialTexts(values: readonly number[]): string[] {
  const shortest = values.map(shortestFloat32);
  const digits = shortest.map((value) =>
    Number.isFinite(value) ? (value.toExponential().split('e')[0]?.split('.')[1]?.length ?? 0) : 0,
  );
  const longest = Math.min(PRECISION, Math.max(0, ...digits));
  return shortest.map((value) => {
    if (!Number.isFinite(value)) return specialText(value);
    const [mantissa = '', exponent = '0'] = value.toExponential(longest).split('e');
    const power = Number(exponent);
    const point = mantissa.includes('.') ? mantissa : `${mantissa}.`;
    return `${Object.is(value, -0) ? '-' : ''}${point}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  });
}

function elementTexts(values: readonly (number | string)[], dtype: string): string[] {
  if (dtype === 'string') return values.map((value) => `b'${value}'`);
  if (dtype === 'bool') return padded(values.map((value) => (value ? 'True' : 'False')));
  const numbers = values.map(Number);
  if (dtype !== 'float32') return padded(numbers.map(String));
  const sizes = numbers.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const least = Math.min(...sizes);
  const greatest = Math.max(...sizes);
  const exponential = sizes.length > 0 && (greatest >= 1e8 || least < 1e-4 || greatest / least > 1000);
  return padded(exponential ? exponentialTexts(numbers) : fixedTexts(numbers));
}

function padded(texts: readonly string[]): string[] {
  const width = Math.max(0, ...texts.map((text) => text.length));
  return texts.map((text) => text.padStart(width));
}

/** The indices of an axis that are shown; -1 stands for the dots. */
function shown(size: number, summarize: boolean): number[] {
  const all = Array.from({ length: size }, (_, i) => i);
  return summarize && size > 2 * EDGE_ITEMS ? [...all.slice(0, EDGE_ITEMS), -1, ...all.slice(-EDGE_ITEMS)] : all;
}

/** Flat positions that are shown, in order. */
function shownPositions(shape: readonly number[], summarize: boolean, offset = 0): number[] {
  const [size, ...rest] = shape;
  if (size === undefined) return [offset];
  const stride = rest.reduce((a, b) => a * b, 1);
  return shown(size, summarize).flatMap((i) => (i < 0 ? [] : shownPositions(rest, summarize, offset + i * stride)));
}

function layOut(shape: readonly number[], summarize: boolean, indent: number, next: () => string): string {
  const [size = 0, ...rest] = shape;
  const items = shown(size, summarize).map((i) => {
    if (i < 0) return '...';
    return rest.length === 0 ? next() : layOut(rest, summarize, indent + 1, next);
  });
  if (rest.length > 0) return `[${items.join(`,${'\n'.repeat(rest.length)}${' '.repeat(indent + 1)}`)}]`;
  const lines: string[] = [];
  let line = '';
  for (const item of items) {
    if (line !== '' && indent + 1 + line.length + item.length + 2 > LINE_WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? item : ` ${item}`;
    line += ',';
  }
  lines.push(line.replace(/,$/, ''));
  return `[${lines.join(`\n${' '.repeat(indent + 1)}`)}]`;
}

function scalarText(value: number | string, dtype: string): string {
  if (dtype === 'bool') return value ? 'True' : 'False';
  if (dtype !== 'float32') return String(value);
  const number = Number(value);
  if (!Number.isFinite(number)) return specialText(number);
  const size = Math.abs(number);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    return number.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return Number.isInteger(number) ? number.toFixed(1) : String(number);
}

/** An array as `numpy.array_repr` prints it; a scalar as Python prints the number. */
export function formatValues(shape: readonly number[], dtype: string, data: ArrayLike<number | string>): string {
  if (shape.length === 0) return scalarText(data[0] ?? 0, dtype);
  const size = shape.reduce((a, b) => a * b, 1);
  const summarize = size > THRESHOLD;
  const positions = size === 0 ? [] : shownPositions(shape, summarize);
  const texts = elementTexts(
    positions.map((i) => data[i] ?? 0),
    dtype,
  );
  let at = 0;
  const body = size === 0 ? '[]' : layOut(shape, summarize, 'array('.length, () => texts[at++] ?? '');
  const facts: string[] = [];
  if (summarize) facts.push(`shape=(${shape.length === 1 ? `${shape[0]},` : shape.join(', ')})`);
  if (dtype !== 'bool') facts.push(`dtype=${dtype === 'string' ? 'object' : dtype}`);
  if (facts.length === 0) return `array(${body})`;
  const tail = `${facts.join(', ')})`;
  const last = `array(${body}`.split('\n').at(-1)?.length ?? 0;
  const gap = last + tail.length + 2 > LINE_WIDTH ? `,\n${' '.repeat('array('.length)}` : ', ';
  return `array(${body}${gap}${tail}`;
}

/** A variable as TensorFlow prints it: `<tf.Variable 'bias:0' shape=() dtype=float32, numpy=2.0>`. */
export function formatVariable(variable: tf.Variable): string {
  const { shape } = variable;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const data = variable.dataSync() as unknown as ArrayLike<number | string>;
  const values = formatValues(shape, variable.dtype, data);
  const start = values.includes('\n') ? '\n' : '';
  return `<tf.Variable '${variable.name}:0' shape=(${sizes}) dtype=${variableDType(variable)}, numpy=${start}${values}>`;
}
