import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { backends, useBackend } from '../src/index.js';

describe.each(backends)('%s', (backend) => {
  it('computes', async () => {
    await useBackend(backend);
    expect(tf.getBackend()).toBe(backend);
    expect(Array.from(tf.add([1, 2], [3, 4]).dataSync())).toEqual([4, 6]);
  });
});
