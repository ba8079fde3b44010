import * as tf from '@tensorflow/tfjs-core';
import { valueError } from './layers-error.js';

/** Where the channels are: Keras's names, as `tf.compat.v1.layers` takes them. */
export type DataFormat = 'channels_last' | 'channels_first';

/** How borders are treated; either case. */
export type Padding = 'valid' | 'same' | 'VALID' | 'SAME' | 'causal';

/** A number for each spatial axis, or one for all of them. */
export type Spatial = number | readonly number[];

/**
 * One number per spatial axis.
 *
 * @throws {LayersError} `ValueError` in Keras's words for another count, or numbers that are not positive integers.
 */
export function spatialSizes(value: Spatial, rank: number, argument: string): number[] {
  const sizes = typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value];
  if (sizes.length !== rank || !sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw valueError(
      `The \`${argument}\` argument must be a tuple of ${rank} integers. Received: ${JSON.stringify(value)}`,
      { argument, value, rank },
    );
  }
  return sizes;
}

/** `'valid'` or `'same'` (`'causal'` where it is allowed), whatever the case it was given in. */
export function paddingOf(padding: string, causal = false): 'valid' | 'same' | 'causal' {
  const lower = String(padding).toLowerCase();
  if (lower === 'valid' || lower === 'same' || (causal && lower === 'causal')) return lower;
  throw valueError(
    'The `padding` argument must be a list/tuple or one of "valid", "same" (or "causal", only for `Conv1D). ' +
      `Received: ${padding}`,
    { padding },
  );
}

/** Whether channels come first, for a data format that is one. */
export function channelsFirst(dataFormat: string): boolean {
  if (dataFormat === 'channels_last' || dataFormat === 'channels_first') return dataFormat === 'channels_first';
  throw valueError(
    `The \`data_format\` argument must be one of "channels_first", "channels_last". Received: ${dataFormat}`,
    { dataFormat },
  );
}

/** The input with its channels last. */
export function toChannelsLast(x: tf.Tensor, first: boolean): tf.Tensor {
  if (!first) return x;
  const spatial = x.shape.slice(2).map((_, i) => i + 2);
  return tf.transpose(x, [0, ...spatial, 1]);
}

/** The output of a channels-last computation with its channels where they were asked for. */
export function fromChannelsLast(x: tf.Tensor, first: boolean): tf.Tensor {
  if (!first) return x;
  const spatial = x.shape.slice(1, -1).map((_, i) => i + 1);
  return tf.transpose(x, [0, x.rank - 1, ...spatial]);
}

/**
 * Checks an input's rank.
 *
 * @throws {LayersError} `ValueError` in Keras's words.
 */
export function checkRank(layer: string, shape: readonly number[], rank: number): void {
  if (shape.length === rank) return;
  const full = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  throw valueError(
    `Input 0 of layer "${layer}" is incompatible with the layer: expected min_ndim=${rank}, found ndim=${shape.length}. ` +
      `Full shape received: ${full}`,
    { layer, shape, rank },
  );
}
