// A small net in slim's manner with the parts that Inception-ResNet-v2 has: branches, a residual block, batch norm, pools.
import * as tf from '@tensorflow/tfjs-core';
import { DeterministicRandomTestTool } from '@tfparity/random';
import * as slim from '@tfparity/slim';
import { Tf1Layer, trackTf1StyleVariables, variableScope } from '@tfparity/variables';
import type { TraceSide } from '../src/trace-capture.js';

interface Outputs {
  [name: string]: tf.Tensor | Record<string, tf.Tensor>;
  logits: tf.Tensor;
  endPoints: Record<string, tf.Tensor>;
}

/** The forward pass; `keepProb` 1 for one that draws nothing. */
export function net(images: tf.Tensor, training: boolean, keepProb = 0.8): Outputs {
  const params = { decay: 0.9, epsilon: 0.001, scale: true, isTraining: training };
  using _ = slim.argScope([slim.conv2d], { normalizerFn: slim.batchNorm, normalizerParams: params });
  const endPoints: Record<string, tf.Tensor> = {};
  const note = (name: string, x: tf.Tensor) => {
    endPoints[name] = x;
    return x;
  };
  return variableScope('net', () => {
    let x = note('Conv_1', slim.conv2d(images, 8, 3, { stride: 2, padding: 'VALID', scope: 'Conv_1' }));
    x = note('Pool_1', slim.maxPool2d(x, 3, { stride: 2, padding: 'VALID', scope: 'Pool_1' }));
    x = slim.repeat(x, 2, (input: tf.Tensor) => block(input), {});
    note('Blocks', x);
    x = slim.avgPool2d(x, x.shape.slice(1, 3), { padding: 'VALID', scope: 'AvgPool' });
    x = slim.dropout(slim.flatten(x), { keepProb, isTraining: training, scope: 'Dropout' });
    const logits = note('Logits', slim.fullyConnected(x, 5, { activationFn: null, scope: 'Logits' }));
    note('Predictions', tf.softmax(logits));
    return { logits, endPoints };
  });
}

function block(input: tf.Tensor): tf.Tensor {
  return variableScope(null, { defaultName: 'Block' }, () => {
    const a = variableScope('Branch_0', () => slim.conv2d(input, 4, 1, { scope: 'Conv_1x1' }));
    const b = variableScope('Branch_1', () =>
      slim.conv2d(slim.conv2d(input, 4, 1, { scope: 'Conv_a' }), 4, 3, { scope: 'Conv_b' }),
    );
    const mixed = tf.concat([a, b], 3);
    const up = slim.conv2d(mixed, 8, 1, { normalizerFn: null, activationFn: null, scope: 'Up' });
    return tf.relu(tf.add(input, tf.mul(up, 0.17)));
  });
}

class SmallNet extends Tf1Layer<Outputs> {
  static readonly className = 'SmallNet';

  @trackTf1StyleVariables({ resetCounts: true })
  override call(images: tf.Tensor, { training = false } = {}): Outputs {
    return net(images, training);
  }
}

/** A new net with the test tool's initial values, that can be run again and again. */
export function smallNet({ training = false, seed = 42, backend = undefined as string | undefined } = {}) {
  const layer = new SmallNet({});
  const images = tf.keep(tf.randomUniform([2, 19, 19, 3], 0, 1, 'float32', 7));
  const tool = () => new DeterministicRandomTestTool({ mode: 'num_random_ops', seed });
  let last = tool();
  const call = (body: () => Outputs = () => layer.apply(images, { training }) as unknown as Outputs) => {
    last = tool();
    return last.scope(body);
  };
  tf.tidy(() => void call());
  const side: TraceSide = { run: () => call(), backend, ledger: () => last.ledger };
  return { layer, side, images, call };
}
