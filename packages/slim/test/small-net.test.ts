import * as tf from '@tensorflow/tfjs-core';
import { DeterministicRandomTestTool, initializers } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import {
  GraphKeys,
  GraphRulesContext,
  getCollection,
  globalVariables,
  Module,
  pushContext,
  tf1VariableStore,
  trackTf1StyleVariables,
  variableScope,
} from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import * as slim from '../src/index.js';

/** A net in the manner of slim's vgg and mobilenet: nothing in the package knows it. */
function smallNet(inputs: tf.Tensor, isTraining: boolean): slim.NetResult {
  return variableScope('small', (sc) => {
    const endPointsCollection = `${sc.name}_end_points`;
    const scope = slim.argScope([slim.conv2d, slim.separableConv2d, slim.fullyConnected, slim.maxPool2d], {
      outputsCollections: endPointsCollection,
    });
    try {
      let net = slim.repeat(inputs, 2, slim.conv2d, 4, [3, 3], { scope: 'conv1' });
      net = slim.maxPool2d(net, [2, 2], { scope: 'pool1' });
      net = slim.separableConv2d(net, null, [3, 3], { depthMultiplier: 1, scope: 'depthwise' });
      net = slim.separableConv2d(net, 6, [3, 3], { stride: 2, scope: 'separable', normalizerFn: slim.batchNorm });
      net = slim.flatten(net);
      net = slim.stack(net, slim.fullyConnected, [5, 4], { scope: 'fc' });
      net = slim.dropout(net, { isTraining, scope: 'dropout' });
      const logits = slim.fullyConnected(net, 3, { activationFn: null, scope: 'logits' });
      const endPoints = Object.fromEntries(
        slim.convertCollectionToDict(endPointsCollection, { clearCollection: true }),
      );
      return { logits, endPoints };
    } finally {
      scope[Symbol.dispose]();
    }
  });
}

const smallNetArgScope = () =>
  slim.argScope(
    [slim.conv2d, slim.fullyConnected, slim.separableConv2d],
    {
      weightsRegularizer: slim.l2Regularizer(0.0005),
      weightsInitializer: initializers.truncatedNormal({ stddev: 0.1 }),
    },
    () => slim.argScope([slim.conv2d], { padding: 'SAME' }, (scope) => scope),
  );

const VARIABLES = [
  'small/conv1/conv1_1/weights',
  'small/conv1/conv1_1/biases',
  'small/conv1/conv1_2/weights',
  'small/conv1/conv1_2/biases',
  'small/depthwise/depthwise_weights',
  'small/depthwise/biases',
  'small/separable/depthwise_weights',
  'small/separable/pointwise_weights',
  'small/separable/BatchNorm/beta',
  'small/separable/BatchNorm/moving_mean',
  'small/separable/BatchNorm/moving_variance',
  'small/fc/fc_1/weights',
  'small/fc/fc_1/biases',
  'small/fc/fc_2/weights',
  'small/fc/fc_2/biases',
  'small/logits/weights',
  'small/logits/biases',
];

class SmallNet extends Module {
  readonly call = trackTf1StyleVariables(function (this: SmallNet, inputs: tf.Tensor, isTraining: boolean) {
    return slim.argScope(smallNetArgScope(), () => smallNet(inputs, isTraining));
  });
}

/** tfjs-backend-wasm 4.22 has no Conv2DBackpropFilter. */
const hasConvolutionGradients = (backend: string) => backend !== 'wasm';

const tool = () => new DeterministicRandomTestTool({ mode: 'num_random_ops' });
const input = () =>
  tf.tensor(
    Float32Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => (i % 13) / 6 - 1),
    [2, 8, 8, 3],
  );

describe.each(backends)('another slim net on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('makes its variables once, by their names, and computes the same in a shim and by graph rules', () => {
    const net = new SmallNet();
    const first = tool().scope(() => net.call(input(), true));
    const store = tf1VariableStore(net);
    expect([...(store?.variables.keys() ?? [])]).toEqual(VARIABLES);
    expect(store?.regularizers.size).toBe(8);

    const context = new GraphRulesContext();
    const opened = pushContext(context);
    const graph = tool().scope(() => slim.argScope(smallNetArgScope(), () => smallNet(input(), true)));
    expect(globalVariables().map(({ name }) => name)).toEqual(VARIABLES);
    expect(slim.getModelVariables().length).toBe(VARIABLES.length);
    expect(slim.getVariablesByName('biases').length).toBe(6);
    expect(getCollection(GraphKeys.REGULARIZATION_LOSSES).length).toBe(8);
    expect(getCollection(GraphKeys.UPDATE_OPS).length).toBe(2);
    opened[Symbol.dispose]();
    expect([...first.logits.dataSync()]).toEqual([...graph.logits.dataSync()]);
  });

  it('collects its end points under the names of their scopes, in order', () => {
    const { endPoints } = tool().scope(() => new SmallNet().call(input(), false));
    expect(Object.keys(endPoints)).toEqual([
      'small/conv1/conv1_1',
      'small/conv1/conv1_2',
      'small/pool1',
      'small/depthwise',
      'small/separable',
      'small/fc/fc_1',
      'small/fc/fc_2',
      'small/logits',
    ]);
    // What is collected outlives the layers' own tidying.
    expect(endPoints['small/pool1']?.shape).toEqual([2, 4, 4, 4]);
    expect(endPoints['small/pool1']?.dataSync().length).toBe(128);
  });
});

describe.each(backends.filter(hasConvolutionGradients))('gradients of another slim net on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('has gradients for every variable that is trained', () => {
    const net = new SmallNet();
    tool().scope(() => net.call(input(), true));
    const variables = [...(tf1VariableStore(net)?.variables.values() ?? [])].filter((v) => v.trainable);
    const loss = () => tf.mean(tf.square(net.call(input(), true).logits)) as tf.Scalar;
    const { grads } = tool().scope(() => tf.variableGrads(loss, variables));
    expect(Object.keys(grads).length).toBe(variables.length);
    for (const gradient of Object.values(grads)) expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
  });
});
