import type * as tf from '@tensorflow/tfjs-core';
import type { FeedValue } from './feed.js';

/** What a run is given: values by tensor or by tensor name. */
export type Feeds =
  | ReadonlyMap<tf.Tensor | string, FeedValue>
  | readonly (readonly [tf.Tensor | string, FeedValue])[]
  | Readonly<Record<string, FeedValue>>;
