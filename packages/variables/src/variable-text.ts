// Ports how TensorFlow and numpy print a variable: repr of ResourceVariable and numpy.array_repr (numpy 2).
import type * as tf from '@tensorflow/tfjs-core';
import { variableDType } from './variable-facts.js';

const EDGE_ITEMS = 3;
const THRESHOLD = 1000;
const LINE_WIDTH = 75;

/** A float as numpy prints it with precision 8: `2.`, `0.5`, `1.e-07`. */
function floatText(value: number, exponential: boolean): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const shortest = shortestFloat32(value);
  if (exponential) {
    const [mantissa = '', exponent = '0'] = Number(shortest).toExponential().split('e');
    const power = Number(exponent);
    const digits = mantissa.includes('.') ? mantissa : `${mantissa}.`;
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const fixed = Number(shortest).toFixed(8);
  const trimmed = fixed.replace(/0+$/, '');
  return Object.is(value, -0) ? '-0.' : trimmed;
}

/** The shortest decimal that reads back as the same float32. */
function shortestFloat32(value: number): string {
  for (let precision = 1; precision <= 9; precision += 1) {
    const text = value.toPrecision(precision);
    if (Math.fround(Number(text)) === Math.fround(value)) return text;
  }
  return String(value);
}

function elementTexts(values: readonly (number | string)[], dtype: string): string[] {
  if (dtype === 'string') return values.map((value) => `b'${value}'`);
  if (dtype === 'bool') return padded(values.map((value) => (value ? ' True' : 'False')));
  const numbers = values.map(Number);
  if (dtype !== 'float32') return padded(numbers.map(String));
  const sizes = numbers.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const least = Math.min(...sizes);
  const greatest = Math.max(...sizes);
  const exponential = sizes.length > 0 && (greatest >= 1e8 || least < 1e-4 || greatest / least > 1000);
  const texts = numbers.map((value) => floatText(value, exponential));
  const decimals = Math.max(...texts.map((text) => (text.includes('.') ? text.length - text.indexOf('.') : 0)));
  return padded(texts.map((text) => (exponential || !text.includes('.') ? text : padEnd(text, decimals))));
}

/** Pads the fraction with blanks, as numpy does with trim='.'. */
function padEnd(text: string, decimals: number): string {
  return text + ' '.repeat(decimals - (text.length - text.indexOf('.')));
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

/** An array as `numpy.array_repr` prints it; a scalar as a bare number. */
export function formatValues(shape: readonly number[], dtype: string, data: ArrayLike<number | string>): string {
  if (shape.length === 0) {
    const value = data[0] ?? 0;
    if (dtype !== 'float32') return dtype === 'bool' ? (value ? 'True' : 'False') : String(value);
    const text = floatText(
      Number(value),
      Math.abs(Number(value)) >= 1e16 || (value !== 0 && Math.abs(Number(value)) < 1e-4),
    );
    return text.endsWith('.') ? `${text}0` : text;
  }
  const size = shape.reduce((a, b) => a * b, 1);
  const summarize = size > THRESHOLD;
  const positions = size === 0 ? [] : shownPositions(shape, summarize);
  const texts = elementTexts(
    positions.map((i) => data[i] ?? 0),
    dtype,
  );
  let at = 0;
  const body = size === 0 ? '[]' : layOut(shape, summarize, 'array('.length, () => texts[at++] ?? '');
  return `array(${body}, dtype=${dtype === 'string' ? 'object' : dtype})`;
}

/** A variable as TensorFlow prints it: `<tf.Variable 'bias:0' shape=() dtype=float32, numpy=2.0>`. */
export function formatVariable(variable: tf.Variable): string {
  const { shape } = variable;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const data = variable.dataSync() as unknown as ArrayLike<number | string>;
  const dtype = variableDType(variable);
  return `<tf.Variable '${variable.name}:0' shape=(${sizes}) dtype=${dtype}, numpy=${formatValues(shape, variable.dtype, data)}>`;
}
