import * as tf from '@tensorflow/tfjs-core';
import { ensureKernel, type KernelBody, makeOutput, readValues } from './kernel-registration.js';
import { runNativeOp } from './native-op.js';
import { checkFloatOperand } from './operand.js';

const KERNEL = 'L2Loss';

const native: KernelBody = ({ t }, _attributes, backend) =>
  runNativeOp(backend, KERNEL, { T: { type: 'float32' } }, [t!], 1)[0]!;

const portable: KernelBody = ({ t }, _attributes, backend) => {
  const values = readValues(backend, t!);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return makeOutput(backend, [], Float32Array.of(sum / 2));
};

/**
 * Half the sum of squares of a tensor, as TensorFlow's op `L2Loss` gives it (`tf.nn.l2_loss`): a scalar.
 *
 * On `tensorflow` it is TensorFlow's own kernel; elsewhere the sum is kept in double precision and rounded once.
 * @throws {LayersError} `TypeError` for what is not a float32 tensor.
 */
export function l2Loss(t: tf.Tensor): tf.Scalar {
  checkFloatOperand(KERNEL, 't', t);
  ensureKernel(KERNEL, native, portable, {
    kernelName: KERNEL,
    inputsToSave: ['t'],
    gradFunc: (dy, saved) => ({ t: () => tf.mul(dy as tf.Tensor, saved[0]!) }),
  });
  return tf.engine().runKernel<tf.Scalar>(KERNEL, { t });
}
