// A net of ten named layers, whose parts the cases change, on data that is drawn from seeds.
import * as tf from '@tensorflow/tfjs-core';
import { RandomOp } from '@tfparity/random/philox';

function noise(shape, place, scale = 1) {
  const { data } = new RandomOp('RandomStandardNormal', { seed: 42, seed2: place, dtype: 'float32' }).draw({ shape });
  return tf.tensor(
    data.map((x) => x * scale),
    shape,
  );
}

/** What a migration is right in. */
const RIGHT = { epsilon: 0.001, order: (branches) => branches, kernel: (w) => w, scale: 0.17, pool: tf.maxPool };

/** The end points of one run, by name. */
export function run(changes = {}, iteration = 0) {
  const { epsilon, order, kernel, scale, pool } = { ...RIGHT, ...changes };
  return tf.tidy(() => {
    const points = {};
    const note = (name, tensor) => {
      points[name] = tensor;
      return tensor;
    };
    const conv = (name, x, place, size, channels, pad = 'same', change = (w) => w) => {
      const w = change(noise([size, size, x.shape[3], channels], place, 1 / Math.sqrt(size * size * x.shape[3])));
      const y = tf.conv2d(x, w, 1, pad);
      const { mean, variance } = tf.moments(y, [0, 1, 2]);
      return note(name, tf.relu(tf.batchNorm(y, mean, variance, null, null, name === 'conv_2' ? epsilon : 0.001)));
    };
    let x = conv('conv_1', noise([2, 24, 24, 3], 1000 + iteration), 1, 3, 8);
    x = note('pool_1', pool(x, 2, 2, 'valid'));
    x = conv('conv_2', x, 2, 3, 8, 'same', kernel);
    const branches = [conv('branch_0', x, 3, 1, 4), conv('branch_1', x, 4, 3, 4)];
    const mixed = note('mixed', tf.concat(order(branches), 3));
    const up = conv('up', mixed, 5, 1, 8);
    x = note('block', tf.relu(tf.add(x, tf.mul(up, scale))));
    const features = note('features', tf.mean(x, [1, 2]));
    note('logits', tf.matMul(features, noise([8, 5], 6)));
    note('predictions', tf.softmax(points.logits));
    return points;
  });
}
