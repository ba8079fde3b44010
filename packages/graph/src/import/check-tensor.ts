import { dtypeFromEnum } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import type { TensorProto, TensorShapeProto } from './graph-protos.js';

const MOST_DIMENSIONS = 254; // TensorShape::MaxDimensions

/** Checks a shape: at most 254 sizes, none below -1, and a product that can be counted. */
export function checkShape(shape: TensorShapeProto, where: string): void {
  if (shape.dim.length > MOST_DIMENSIONS) throw invalid(where, `a shape of ${shape.dim.length} dimensions`);
  let product = 1;
  for (const { size } of shape.dim) {
    if (size < -1) throw invalid(where, `a shape with a size of ${size}`);
    product *= Math.max(size, 1);
  }
  if (product > Number.MAX_SAFE_INTEGER) throw invalid(where, `a shape of ${product} values`);
}

/** Checks a constant: a dtype that is one, sizes that are known, and as many values as they need or fewer. */
export function checkTensor(tensor: TensorProto, where: string, mostValues: number): void {
  const shape = tensor.tensorShape;
  const sizes = shape?.dim.map((dim) => dim.size) ?? [];
  if (shape !== undefined) checkShape(shape, where);
  if (shape?.unknownRank || sizes.some((size) => size < 0)) throw invalid(where, 'a constant of unknown shape');
  const dtype = dtypeFromEnum(tensor.dtype);
  if (dtype === undefined || tensor.dtype > 100) {
    throw invalid(where, `a constant of DataType ${tensor.dtype}, which holds no values`);
  }
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count > mostValues) {
    throw new GraphError(
      'TooLarge',
      `${where}: a constant of ${count} values; the limit is ${mostValues} (limits.constantValues)`,
      { where, count, limit: mostValues },
    );
  }
  const { tensorContent } = tensor;
  if (tensorContent.length > 0 && dtype.itemSize > 0 && tensorContent.length !== count * dtype.itemSize) {
    throw invalid(where, `a constant of ${count} ${dtype.name} values has ${tensorContent.length} bytes`);
  }
  const listed = Math.max(...valueCounts(tensor));
  if (listed > count * dtype.lanes) throw invalid(where, `a constant of ${count} values lists ${listed}`);
}

function valueCounts(tensor: TensorProto): number[] {
  const { halfVal, floatVal, doubleVal, intVal, stringVal, scomplexVal, int64Val, boolVal } = tensor;
  const { dcomplexVal, uint32Val, uint64Val } = tensor;
  return [
    halfVal,
    floatVal,
    doubleVal,
    intVal,
    stringVal,
    scomplexVal,
    int64Val,
    boolVal,
    dcomplexVal,
    uint32Val,
    uint64Val,
  ].map((values) => values.length);
}

function invalid(where: string, what: string): GraphError {
  return new GraphError('InvalidGraph', `${where}: ${what}`, { where });
}
