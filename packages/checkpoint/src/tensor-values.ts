// The values of a TensorProto (tensorflow/core/framework/tensor.proto) as V1 checkpoints hold them: lists of numbers, packed.
import { DTYPES, type DType, dataLength, type NdArray, type NumericData, type Shape } from '@tfparity/array';
import { corrupt } from './errors.js';
import { type ProtoReader, WIRE } from './proto-reader.js';
import { arrayOver } from './store.js';

// The field of TensorProto that holds each dtype's values, and how each number is encoded there.
const FIELDS: Record<DType, { field: number; width: 0 | 4 | 8 }> = {
  float32: { field: 5, width: 4 },
  float64: { field: 6, width: 8 },
  int32: { field: 7, width: 0 },
  uint8: { field: 7, width: 0 },
  int16: { field: 7, width: 0 },
  int8: { field: 7, width: 0 },
  uint16: { field: 7, width: 0 },
  qint8: { field: 7, width: 0 },
  quint8: { field: 7, width: 0 },
  qint16: { field: 7, width: 0 },
  quint16: { field: 7, width: 0 },
  qint32: { field: 7, width: 0 },
  string: { field: 8, width: 0 },
  complex64: { field: 9, width: 4 },
  int64: { field: 10, width: 0 },
  bool: { field: 11, width: 0 },
  complex128: { field: 12, width: 8 },
  float16: { field: 13, width: 0 },
  bfloat16: { field: 13, width: 0 },
  uint32: { field: 16, width: 0 },
  uint64: { field: 17, width: 0 },
};

const TENSOR_CONTENT = 4;

/** The most bytes that a tensor of so many numbers takes in a record: what bounds a packed block. */
export function mostEncodedBytes(dtype: DType, numbers: number): number {
  return numbers * (FIELDS[dtype].width || 10);
}

/**
 * The array in the TensorProto that the reader is in. Numbers of fixed width that lie aligned are not copied.
 *
 * @throws {CheckpointError} `Corrupt` for too few or too many values, or one that its dtype cannot hold
 */
export function readTensorValues(reader: ProtoReader, dtype: DType, shape: Shape): NdArray {
  const { field: wanted, width } = FIELDS[dtype];
  const count = dataLength(dtype, shape);
  if (dtype === 'string') return readStrings(reader, shape, count);
  const values = new ValueSink(dtype, shape, count, width);
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === TENSOR_CONTENT) values.addBytes(reader.slice(), reader);
    else if (field !== wanted) reader.skip();
    else if (reader.wire === WIRE.bytes && width) values.addBytes(reader.slice(), reader);
    else if (reader.wire === WIRE.bytes) {
      const outer = reader.enter();
      values.addVarints(reader);
      reader.leave(outer);
    } else if (width === 4) values.addBytes(fixedBytes(reader, 4), reader);
    else if (width === 8) values.addBytes(fixedBytes(reader, 8), reader);
    else values.addVarint(reader);
  }
  return values.finish(reader);
}

function fixedBytes(reader: ProtoReader, width: number): Uint8Array {
  const from = reader.position;
  reader.skip();
  if (reader.position - from !== width) reader.fault(`a number is not ${width} bytes wide`);
  return reader.bytes.subarray(from, reader.position);
}

function readStrings(reader: ProtoReader, shape: Shape, count: number): NdArray {
  const strings: Uint8Array[] = [];
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === FIELDS.string.field) strings.push(reader.slice().slice());
    else reader.skip();
  }
  if (strings.length !== count) throw wrongCount(reader, strings.length, count);
  return { dtype: 'string', shape: [...shape], data: strings };
}

const wrongCount = (reader: ProtoReader, found: number, needed: number): Error =>
  corrupt(`its record holds ${found} values, its shape needs ${needed}`, reader.where, { found, needed });

class ValueSink {
  private data: NumericData | undefined;
  private filled = 0;

  constructor(
    private readonly dtype: DType,
    private readonly shape: Shape,
    private readonly count: number,
    private readonly width: number,
  ) {}

  addBytes(bytes: Uint8Array, reader: ProtoReader): void {
    const { data: Data } = DTYPES[this.dtype];
    const size = Data!.BYTES_PER_ELEMENT;
    const numbers = bytes.length / size;
    if (!Number.isInteger(numbers) || this.filled + numbers > this.count) {
      throw wrongCount(reader, this.filled + Math.ceil(numbers), this.count);
    }
    if (this.filled === 0 && numbers === this.count && bytes.byteOffset % size === 0) {
      this.data = arrayOver(this.dtype, this.shape, bytes).data;
    } else {
      const target = this.target(reader);
      new Uint8Array(target.buffer, target.byteOffset).set(bytes, this.filled * size);
    }
    this.filled += numbers;
  }

  addVarint(reader: ProtoReader): void {
    this.store(reader, this.target(reader), this.filled++);
  }

  addVarints(reader: ProtoReader): void {
    const data = this.target(reader);
    let at = this.filled;
    while (reader.position < reader.end) this.store(reader, data, at++);
    this.filled = at;
  }

  finish(reader: ProtoReader): NdArray {
    if (this.filled !== this.count) throw wrongCount(reader, this.filled, this.count);
    return { dtype: this.dtype, shape: [...this.shape], data: this.target(reader) };
  }

  /** The memory for the values, made when the first come: a record bounds what it may claim. */
  private target(reader: ProtoReader): NumericData {
    if (!this.data) {
      const least = this.count * (this.width || 1);
      if (least > reader.bytes.length) throw wrongCount(reader, this.filled, this.count);
      this.data = new DTYPES[this.dtype].data!(this.count);
    }
    return this.data;
  }

  private store(reader: ProtoReader, data: NumericData, at: number): void {
    if (at >= this.count) throw wrongCount(reader, at + 1, this.count);
    const first = reader.bytes[reader.position]!;
    if (
      first < 0x80 &&
      reader.position < reader.end &&
      !(data instanceof BigInt64Array || data instanceof BigUint64Array)
    ) {
      reader.position++;
      data[at] = first;
      if (data[at] !== first || (this.dtype === 'bool' && first > 1)) reader.fault(`${first} is no ${this.dtype}`);
      return;
    }
    const { wire } = reader;
    reader.wire = WIRE.varint;
    const bits = reader.uint64();
    reader.wire = wire;
    if (data instanceof BigUint64Array) {
      data[at] = bits;
      return;
    }
    const value = BigInt.asIntN(64, bits);
    if (data instanceof BigInt64Array) data[at] = value;
    else {
      data[at] = Number(value);
      if (data[at] !== Number(value) || this.dtype === 'bool') reader.fault(`${value} is no ${this.dtype}`);
    }
  }
}
