// A small net in slim's manner, with the parts that migrations go wrong in: branches, residual, batch norm, pools, dropout.
import * as tf from '@tensorflow/tfjs-core';
import * as slim from '@tfparity/slim';
import { Tf1Layer, trackTf1StyleVariables, variableScope } from '@tfparity/variables';

/** What the net gives. */
export interface NetOutputs {
  [name: string]: tf.Tensor | Record<string, tf.Tensor>;
  logits: tf.Tensor;
  endPoints: Record<string, tf.Tensor>;
}

/** The forward pass, as TF1 code and migrated code have it. */
export function net(
  inputs: tf.Tensor,
  { training }: { training: boolean },
  order: (branches: tf.Tensor[]) => tf.Tensor[] = (branches) => branches,
): NetOutputs {
  const normalizerParams = { decay: 0.9, epsilon: 0.001, scale: true, isTraining: training };
  using _ = slim.argScope([slim.conv2d], {
    normalizerFn: slim.batchNorm,
    normalizerParams,
    weightsRegularizer: slim.l2Regularizer(0.0005),
  });
  const endPoints: Record<string, tf.Tensor> = {};
  return variableScope('net', () => {
    let x: tf.Tensor = slim.conv2d(inputs, 8, 3, { stride: 2, padding: 'SAME', scope: 'Conv_1' });
    endPoints['Conv_1'] = x;
    x = slim.avgPool2d(x, 3, { stride: 1, padding: 'SAME', scope: 'Pool_1' });
    x = variableScope('Block', () => {
      const a = variableScope('Branch_0', () => slim.conv2d(x, 4, 1, { scope: 'Conv_1x1' }));
      const b = variableScope('Branch_1', () => slim.conv2d(x, 4, 3, { scope: 'Conv_3x3' }));
      const up = slim.conv2d(tf.concat(order([a, b]), 3), 8, 1, {
        normalizerFn: null,
        activationFn: null,
        scope: 'Up',
      });
      return tf.relu(tf.add(x, tf.mul(up, 0.17)));
    });
    endPoints['Block'] = x;
    x = slim.conv2d(x, 6, 3, { padding: 'VALID', scope: 'Conv_2' });
    x = slim.flatten(slim.avgPool2d(x, x.shape.slice(1, 3), { padding: 'VALID', scope: 'AvgPool' }));
    x = slim.dropout(x, { keepProb: 0.8, isTraining: training, scope: 'Dropout' });
    const logits = slim.fullyConnected(x, 5, { activationFn: null, scope: 'Logits' });
    endPoints['Predictions'] = tf.softmax(logits);
    return { logits, endPoints };
  });
}

/** TF1 code, which a graph is built of. */
export const tf1 = {
  trace: (inputs: unknown, options: { training: boolean }) => net(inputs as tf.Tensor, options),
};

/** The same forward pass in a layer. */
export class Net extends Tf1Layer<NetOutputs> {
  static readonly className = 'Net';

  @trackTf1StyleVariables({ resetCounts: true })
  override call(inputs: tf.Tensor, { training = false } = {}): NetOutputs {
    return this.forward(inputs, training);
  }

  /** What a faulty migration overrides. */
  protected forward(inputs: tf.Tensor, training: boolean): NetOutputs {
    return net(inputs, { training });
  }
}
