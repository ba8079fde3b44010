import { bytesOf, DTYPES, isDType, type NdArray, ndArray } from '@tfparity/array';
import type { ArrayDigest, InputOrigin, Trace, TraceEndPoint, TraceInput, TraceOp } from './trace.js';
import { ValidateError } from './validate-error.js';

/** A trace as JSON keeps it: numbers that are not finite as text, values as base64 of their bytes. */
export interface SerializedTrace extends Readonly<Record<string, unknown>> {
  readonly format: 'tfparity-trace';
  readonly version: 1;
}

/** `btoa` takes text, which must not be built from too many arguments at once. */
function base64Of(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 0x6000)
    parts.push(btoa(String.fromCharCode(...bytes.subarray(i, i + 0x6000))));
  return parts.join('');
}

function serializedArray(array: NdArray): object {
  const { dtype, shape } = array;
  return Array.isArray(array.data)
    ? { dtype, shape, strings: array.data.map(base64Of) }
    : { dtype, shape, data: base64Of(bytesOf(array)) };
}

const isArray = (value: unknown): value is NdArray =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data' in value;

/** A value with everything that JSON would lose written as text. */
function plain(value: unknown, name = ''): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (name === 'value' && isArray(value)) return serializedArray(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, (x) => plain(x));
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, key)]));
}

/** A trace as plain data, which `JSON.stringify` keeps and `parseTrace` reads. */
export function serializeTrace(trace: Trace): SerializedTrace {
  return { format: 'tfparity-trace', version: 1, ...(plain(trace) as object) };
}

type Fields = Readonly<Record<string, unknown>>;

function wrong(where: string, needed: string): ValidateError {
  const message = `${where} of the trace is not ${needed}; a trace is written with serializeTrace`;
  return new ValidateError('InvalidArgument', message, { where });
}

function fields(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw wrong(where, 'an object');
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(where, 'a list');
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw wrong(where, 'text');
}

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function number(value: unknown, where: string): number {
  const parsed = typeof value === 'string' ? SPECIAL[value] : value;
  if (typeof parsed === 'number') return parsed;
  throw wrong(where, 'a number');
}

function index(value: unknown, where: string, least = 0): number {
  const parsed = number(value, where);
  if (Number.isSafeInteger(parsed) && parsed >= least) return parsed;
  throw wrong(where, `a whole number from ${least}`);
}

const shape = (value: unknown, where: string) => list(value, where).map((size) => index(size, where));

function digest(value: unknown, where: string): ArrayDigest {
  const d = fields(value, where);
  const at = (name: string) => number(d[name], `${where}.${name}`);
  return {
    dtype: text(d['dtype'], `${where}.dtype`),
    shape: shape(d['shape'], `${where}.shape`),
    hash: d['hash'] === null ? null : text(d['hash'], `${where}.hash`),
    ...(d['sha256'] === undefined ? {} : { sha256: text(d['sha256'], `${where}.sha256`) }),
    finite: at('finite'),
    nan: at('nan'),
    infinite: at('infinite'),
    min: at('min'),
    max: at('max'),
    mean: at('mean'),
    rms: at('rms'),
    stride: index(d['stride'], `${where}.stride`, 1),
    samples: Float64Array.from(list(d['samples'], `${where}.samples`), (x) => number(x, `${where}.samples`)),
  };
}

function bytes(value: unknown, where: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text(value, where)), (character) => character.charCodeAt(0));
  } catch {
    throw wrong(where, 'base64');
  }
}

function array(value: unknown, where: string): NdArray {
  const a = fields(value, where);
  const dtype = a['dtype'];
  if (!isDType(dtype)) throw wrong(`${where}.dtype`, 'a dtype');
  const dims = shape(a['shape'], `${where}.shape`);
  const { data: Data } = DTYPES[dtype];
  if (Data === undefined) {
    const strings = list(a['strings'], `${where}.strings`).map((item) => bytes(item, `${where}.strings`));
    return ndArray(dtype, dims, strings);
  }
  const raw = bytes(a['data'], `${where}.data`);
  if (raw.length % Data.BYTES_PER_ELEMENT !== 0) throw wrong(`${where}.data`, `whole ${dtype} values`);
  return ndArray(dtype, dims, new Data(raw.buffer as ArrayBuffer, 0, raw.length / Data.BYTES_PER_ELEMENT));
}

const keptValue = ({ value }: Fields, where: string): { value?: NdArray } =>
  value === undefined ? {} : { value: array(value, `${where}.value`) };

function origin(value: unknown, before: number, where: string): InputOrigin {
  const { kind, name, op, output } = fields(value, where);
  if (kind === 'constant' || kind === 'input') return { kind };
  if (kind === 'variable') return { kind, name: text(name, `${where}.name`) };
  if (kind !== 'op') throw wrong(`${where}.kind`, 'op, variable, constant or input');
  const from = index(op, `${where}.op`);
  if (from >= before) throw wrong(`${where}.op`, 'an op before it');
  return { kind, op: from, output: index(output, `${where}.output`) };
}

function input(value: unknown, before: number, where: string): TraceInput {
  const i = fields(value, where);
  return {
    name: text(i['name'], `${where}.name`),
    origin: origin(i['origin'], before, `${where}.origin`),
    digest: digest(i['digest'], `${where}.digest`),
    ...keptValue(i, where),
  };
}

function op(value: unknown, at: number): TraceOp {
  const where = `ops[${at}]`;
  const o = fields(value, where);
  return {
    index: at,
    name: text(o['name'], `${where}.name`),
    kernel: text(o['kernel'], `${where}.kernel`),
    scope: text(o['scope'], `${where}.scope`),
    shapes: list(o['shapes'], `${where}.shapes`).map((dims) => shape(dims, `${where}.shapes`)),
    attrs: fields(o['attrs'], `${where}.attrs`),
    inputs: list(o['inputs'], `${where}.inputs`).map((item, i) => input(item, at, `${where}.inputs[${i}]`)),
    outputs: list(o['outputs'], `${where}.outputs`).map((item, i) => digest(item, `${where}.outputs[${i}]`)),
  };
}

function endPoint(value: unknown, ops: number, at: number): TraceEndPoint {
  const where = `endPoints[${at}]`;
  const p = fields(value, where);
  const made = index(p['op'], `${where}.op`, -1);
  if (made >= ops) throw wrong(`${where}.op`, 'an op of the trace');
  return {
    name: text(p['name'], `${where}.name`),
    op: made,
    digest: digest(p['digest'], `${where}.digest`),
    ...keptValue(p, where),
  };
}

/** Whether a value is what `serializeTrace` gives, by its first words. */
export function isSerializedTrace(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as Fields)['format'] === 'tfparity-trace';
}

/**
 * The trace that `serializeTrace` wrote.
 *
 * @throws {ValidateError} `InvalidArgument` for anything else, naming the place
 */
export function parseTrace(value: unknown): Trace {
  const trace = fields(value, 'the whole');
  if (!isSerializedTrace(trace) || trace['version'] !== 1) throw wrong('format', 'tfparity-trace, version 1');
  const ops = list(trace['ops'], 'ops').map(op);
  const { detail, backend } = trace;
  if (detail !== 'ops' && detail !== 'end-points') throw wrong('detail', 'ops or end-points');
  return {
    name: text(trace['name'], 'name'),
    backend: backend === null ? null : text(backend, 'backend'),
    detail,
    ops,
    endPoints: list(trace['endPoints'], 'endPoints').map((point, at) => endPoint(point, ops.length, at)),
  };
}
