// Ports gradients of ops that move values about (python/ops/array_grad.py, math_grad.py, nn_grad.py, TF 2.21) where tfjs's own differ, or there are none.
import * as tf from '@tensorflow/tfjs-core';
import { TrainingError } from '../training-error.js';
import { sumTo } from './broadcast.js';
import { type GradientFunction, zerosOf } from './forward-op.js';
import type { Cumulative } from './reduction-gradients.js';

type Named = Readonly<Record<string, () => tf.Tensor>>;

/** The sum over the copies, whatever the rank. */
const tile: GradientFunction = ({ inputNames, inputShapes, attrs }, dys) => {
  const dy = dys[0];
  if (dy == null) return undefined;
  const reps = attrs['reps'] as number[];
  const shape = inputShapes[0]!;
  return {
    [inputNames[0]!]: () => {
      const split = shape.flatMap((size, i) => (reps[i] === 1 ? [size] : [reps[i]!, size]));
      const axes: number[] = [];
      let at = 0;
      for (const count of reps) {
        if (count !== 1) axes.push(at++);
        at++;
      }
      return axes.length === 0 ? tf.clone(dy) : tf.sum(tf.reshape(dy, split), axes);
    },
  };
};

/** What the margins mirror comes back to where it was taken from; tfjs's own drops it. */
const mirrorPad: GradientFunction = ({ inputNames, inputShapes, attrs }, dys) => {
  const dy = dys[0];
  if (dy == null) return undefined;
  const paddings = attrs['paddings'] as readonly (readonly [number, number])[];
  const offset = attrs['mode'] === 'reflect' ? 1 : 0;
  const fold = (tensor: tf.Tensor, axis: number): tf.Tensor => {
    const [before, after] = paddings[axis]!;
    const size = inputShapes[0]![axis]!;
    const part = (begin: number, length: number) =>
      tf.slice(
        tensor,
        tensor.shape.map((_, i) => (i === axis ? begin : 0)),
        tensor.shape.map((_, i) => (i === axis ? length : -1)),
      );
    const placed = (begin: number, length: number, from: number) =>
      tf.pad(
        tf.reverse(part(begin, length), axis),
        tensor.shape.map((_, i): [number, number] => (i === axis ? [from, size - from - length] : [0, 0])),
      );
    let sum = part(before, size);
    if (before > 0) sum = tf.add(sum, placed(0, before, offset));
    if (after > 0) sum = tf.add(sum, placed(before + size, after, size - offset - after));
    return sum;
  };
  return { [inputNames[0]!]: () => paddings.reduce((sum, _, axis) => fold(sum, axis), dy) };
};

/** Also of one part, which tfjs's own takes for a tensor that is no list. */
const unstack: GradientFunction = (op, dys) => ({
  [op.inputNames[0]!]: () =>
    tf.stack(
      dys.map((dy, i) => dy ?? zerosOf(op, i)),
      op.attrs['axis'] as number,
    ),
});
const split: GradientFunction = (op, dys) => ({
  [op.inputNames[0]!]: () =>
    tf.concat(
      dys.map((dy, i) => dy ?? zerosOf(op, i)),
      op.attrs['axis'] as number,
    ),
});

/** tfjs's own, summed where the batch was broadcast. */
const matMul: GradientFunction = ({ inputNames, inputShapes, attrs, input }, dys) => {
  const [aName, bName] = inputNames as [string, string];
  const [dy, a, b] = [dys[0], input(aName), input(bName)];
  if (dy == null || a === undefined || b === undefined) return undefined;
  const named = tf.getGradient('BatchMatMul').gradFunc(dy, [a, b], attrs as tf.NamedAttrMap) as unknown as Named;
  return {
    [aName]: () => sumTo(named['a']!(), inputShapes[0]!),
    [bName]: () => sumTo(named['b']!(), inputShapes[1]!),
  };
};

/** To the places that the values came from; `where` and no product, so that what is infinite stays where it belongs. */
const topK: GradientFunction = ({ inputNames, inputShapes, output }, dys) => {
  const [dy, indices] = [dys[0], output(1)];
  if (indices === undefined) return undefined;
  if (dy == null) return {};
  const shape = inputShapes[0]!;
  const size = shape[shape.length - 1]!;
  return {
    [inputNames[0]!]: () => {
      const tiled = tf.tile(tf.expandDims(dy, -1), [...shape.map(() => 1), size]);
      const chosen = tf.cast(tf.oneHot(tf.cast(indices, 'int32'), size), 'bool');
      return tf.sum(tf.where(chosen, tiled, tf.zerosLike(tiled)), -2);
    },
  };
};

const gatherNd: GradientFunction = ({ inputShapes, input }, dys) => {
  const [dy, indices] = [dys[0], input('indices')];
  if (dy == null || indices === undefined) return undefined;
  return { params: () => tf.scatterND(indices, dy, [...inputShapes[0]!]) };
};

const scatterNd: GradientFunction = ({ input }, dys) => {
  const [dy, indices] = [dys[0], input('indices')];
  if (dy == null || indices === undefined) return undefined;
  return { updates: () => tf.gatherND(dy, indices) };
};

interface StridedSlice {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

/** To the elements that the slice took, by their places in row-major order, which depend on all sizes. */
const stridedSlice: GradientFunction = ({ inputNames, inputShapes, attrs }, dys) => {
  const dy = dys[0];
  if (dy == null) return undefined;
  const a = attrs as unknown as StridedSlice;
  const shape = [...inputShapes[0]!];
  const { begin, end, strides } = tf.slice_util.sliceInfo(
    ...([shape, a.begin, a.end, a.strides, a.beginMask, a.endMask, a.ellipsisMask, a.newAxisMask] as const),
    a.shrinkAxisMask,
  );
  let places = [0];
  shape.forEach((size, axis) => {
    const count = Math.max(0, Math.ceil((end[axis]! - begin[axis]!) / strides[axis]!));
    const along = Array.from({ length: count }, (_, i) => begin[axis]! + i * strides[axis]!);
    places = places.flatMap((place) => along.map((index) => place * size + index));
  });
  const total = tf.util.sizeFromShape(shape);
  return {
    [inputNames[0]!]: () => {
      const indices = tf.tensor2d(places, [places.length, 1], 'int32');
      return tf.reshape(tf.scatterND(indices, tf.reshape(dy, [places.length]), [total]), shape);
    },
  };
};

const depthToSpace: GradientFunction = ({ inputNames, inputShapes, attrs }, dys) => {
  const dy = dys[0];
  const block = attrs['blockSize'] as number;
  if (dy == null || attrs['dataFormat'] !== 'NHWC') return undefined;
  const [batch, height, width, depth] = inputShapes[0] as [number, number, number, number];
  return {
    [inputNames[0]!]: () => {
      const blocks = tf.reshape(dy, [batch, height, block, width, block, depth / (block * block)]);
      return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), [batch, height, width, depth]);
    },
  };
};

const cumprod: GradientFunction = ({ inputNames, attrs, input }, dys) => {
  const [dy, x] = [dys[0], input(inputNames[0]!)];
  if (dy == null || x === undefined) return undefined;
  const { axis, exclusive, reverse } = attrs as unknown as Cumulative;
  return {
    [inputNames[0]!]: () => {
      const terms = tf.mul(tf.cumprod(x, axis, exclusive, reverse), dy);
      return tf.divNoNan(tf.cumsum(terms, axis, exclusive, !reverse), x);
    },
  };
};

/** Refuses what comes of a placeholder with unknown sizes: constants of the recorded sizes would be wrong for others. */
const ofKnownSizes: GradientFunction = ({ kernel, isDynamic }) => {
  if (!isDynamic) return undefined;
  throw new TrainingError(
    'NotImplemented',
    `the gradient of ${kernel} needs every size, and a placeholder before it has unknown ones: give it its whole shape`,
    { kernel },
  );
};

/** By kernel. */
export const ARRANGEMENT_GRADIENTS: Readonly<Record<string, GradientFunction>> = {
  Tile: tile,
  MirrorPad: mirrorPad,
  Unpack: unstack,
  SplitV: split,
  BatchMatMul: matMul,
  StridedSlice: ofKnownSizes,
  DepthToSpace: ofKnownSizes,
};

/** A gradient for which tfjs has none: what it is to keep, and the gradient. */
interface UnregisteredGradient {
  readonly kernel: string;
  readonly inputs: readonly string[];
  readonly outputs?: readonly boolean[];
  readonly gradient: GradientFunction;
}

/** Registered unless the program has registered its own. */
export const UNREGISTERED_GRADIENTS: readonly UnregisteredGradient[] = [
  { kernel: 'TopK', inputs: ['x'], outputs: [false, true], gradient: topK },
  { kernel: 'GatherNd', inputs: ['params', 'indices'], gradient: gatherNd },
  { kernel: 'ScatterNd', inputs: ['indices'], gradient: scatterNd },
  { kernel: 'StridedSlice', inputs: ['x'], gradient: stridedSlice },
  { kernel: 'DepthToSpace', inputs: ['x'], gradient: depthToSpace },
  { kernel: 'Cumprod', inputs: ['x'], gradient: cumprod },
];
