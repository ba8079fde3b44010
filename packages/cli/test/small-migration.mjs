// Two ways of writing one dense layer; `different` adds a bias that the legacy side has not.
import * as tf from '@tensorflow/tfjs-core';
import { getVariable, variableScope } from '@tfparity/variables';

const model = (bias) => (inputs) =>
  variableScope('net', () => {
    const kernel = getVariable('kernel', { shape: [4, 3] });
    return tf.relu(tf.add(tf.matMul(inputs, kernel), bias));
  });

const inputs = { dtype: 'float32', shape: [2, 4], data: Float32Array.from([1, 2, 3, 4, -1, 0.5, 0.25, -2]) };

export default () => ({
  legacy: { trace: model(0) },
  migrated: model(process.env.TFPARITY_TEST_BIAS ? Number(process.env.TFPARITY_TEST_BIAS) : 0),
  inputs,
});
