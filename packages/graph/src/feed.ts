// What session.run is given (python/client/session.py BaseSession._run, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, type NdArray } from '@tfparity/array';
import type { Graph } from './graph.js';
import { GraphError, isGraphError } from './graph-error.js';
import { dtypeNumber } from './lower/kernel-capture.js';
import { type FeedValue as ConvertibleValue, feedArray } from './native/feed-value.js';
import { describeTensor, type OutputRef, type SymbolicId, symbolOf } from './operation.js';
import { outsideGraphs } from './recording.js';
import { knownShape } from './unknown-sizes.js';

/** A value for a tensor of a graph: a tensor with values, numbers nested as the shape says, or an `NdArray`. */
export type FeedValue = tf.Tensor | tf.TensorLike | NdArray;

/** An array as a tensor of TensorFlow.js, which has fewer dtypes than TensorFlow. */
function tensorOf({ dtype, shape, data }: NdArray): tf.Tensor {
  if (dtype !== 'complex64') {
    return tf.engine().makeTensor((data as Float32Array).slice(), [...shape], dtype as tf.DataType);
  }
  const part = (lane: number): tf.Tensor =>
    tf.tensor(
      Float32Array.from({ length: data.length / 2 }, (_, i) => Number(data[2 * i + lane])),
      [...shape],
    );
  return tf.tidy(() => tf.complex(part(0), part(1)));
}

function refOfKey(graph: Graph, key: tf.Tensor | string): SymbolicId {
  const cannot = 'Cannot interpret feed_dict key as Tensor: ';
  if (typeof key === 'string') {
    try {
      const tensor = graph.getTensorByName(key);
      return tensor.op.symbolicId(tensor.index);
    } catch (error) {
      throw isGraphError(error)
        ? new GraphError('NotFound', `${cannot}${error.message}`, { key }, { cause: error })
        : error;
    }
  }
  const symbol = key instanceof tf.Tensor ? symbolOf(key) : undefined;
  if (symbol?.op.graph === graph) return symbol;
  const what = symbol === undefined ? 'an eager tensor' : describeTensor(symbol);
  throw new GraphError('OtherGraph', `${cannot}Tensor ${what} is not an element of this graph.`);
}

/**
 * The output that a feed is for, the tensor to feed, and whether the tensor was made here and is to be disposed of.
 *
 * @throws {GraphError} `WrongValue` for a shape that does not fit, in TensorFlow's words, and for a value that the dtype
 *   cannot hold: nothing is rounded but floats
 */
export function fedTensor(graph: Graph, key: tf.Tensor | string, value: FeedValue): [OutputRef, tf.Tensor, boolean] {
  const ref = refOfKey(graph, key);
  const info = ref.op.outputInfos[ref.index]!;
  const declared = knownShape(info);
  const dtype = info.dtype as tf.DataType;
  const name = `${ref.op.name}:${ref.index}`;
  if (value instanceof tf.Tensor && symbolOf(value) !== undefined) {
    throw new GraphError(
      'WrongValue',
      'The value of a feed cannot be a symbolic tensor: run it first, and feed its value.',
    );
  }
  const given = outsideGraphs(graph.backendName, () => {
    if (value instanceof tf.Tensor && value.dtype === dtype) return value;
    return tensorOf(feedArray(value as ConvertibleValue, dtypeNumber(dtype), name));
  });
  const fits =
    given.shape.length === declared.length && declared.every((axis, i) => axis === null || axis === given.shape[i]);
  const owned = given !== value;
  if (!fits) {
    const shape = given.shape;
    if (owned) given.dispose();
    throw new GraphError(
      'WrongValue',
      `Cannot feed value of shape ${formatShape(shape)} for Tensor ${name}, which has shape ${formatShape(declared)}`,
      { tensor: name, expected: declared, actual: shape },
    );
  }
  return [ref, given, owned];
}
