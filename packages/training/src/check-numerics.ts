// Ports tf.debugging.check_numerics (kernels/check_numerics_op.cc, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { TrainingError } from './training-error.js';

const KERNEL = 'CheckNumerics';
const BACKENDS = ['tensorflow', 'wasm', 'cpu', 'webgl', 'webgpu'];
let registered = false;

interface Backend {
  readSync(dataId: tf.DataId): Float32Array;
  incRef(dataId: tf.DataId): void;
}

function register(): void {
  if (registered) return;
  registered = true;
  for (const backendName of BACKENDS) {
    if (tf.getKernel(KERNEL, backendName) !== undefined) continue;
    tf.registerKernel({
      kernelName: KERNEL,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const tensor = inputs['tensor'] as tf.TensorInfo;
        const values = (backend as Backend).readSync(tensor.dataId);
        const found = new Set<string>();
        for (const value of values) {
          if (Number.isNaN(value)) found.add('NaN');
          else if (!Number.isFinite(value)) found.add('Inf');
        }
        if (found.size > 0) {
          const message = String((attrs as tf.NamedAttrMap)['message']);
          const kinds = [...found].sort().join(' and ');
          throw new TrainingError('InvalidArgument', `${message} : Tensor had ${kinds} values`, { kinds });
        }
        (backend as Backend).incRef(tensor.dataId);
        return { dataId: tensor.dataId, shape: tensor.shape, dtype: tensor.dtype };
      },
    });
  }
  if (tf.getGradient(KERNEL) === undefined) {
    tf.registerGradient({ kernelName: KERNEL, gradFunc: (dy) => ({ tensor: () => tf.clone(dy as tf.Tensor) }) });
  }
}

/**
 * The tensor itself, when all of its values are finite.
 *
 * @throws {TrainingError} `InvalidArgument` in TensorFlow's words: `<message> : Tensor had Inf and NaN values`
 */
export function checkNumerics(tensor: tf.Tensor, message: string): tf.Tensor {
  register();
  return tf.engine().runKernel<tf.Tensor>(KERNEL, { tensor }, { message });
}
