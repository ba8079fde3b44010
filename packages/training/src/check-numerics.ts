// Ports tf.debugging.check_numerics (kernels/check_numerics_op.cc, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import type { NodeBackend } from './native-update.js';
import { TrainingError } from './training-error.js';

const KERNEL = 'CheckNumerics';
const BACKENDS = ['tensorflow', 'wasm', 'cpu', 'webgl', 'webgpu'];
let registered = false;

interface Backend {
  readSync(dataId: tf.DataId): Float32Array;
  incRef(dataId: tf.DataId): void;
}

/** TensorFlow's own op, which a graph that is lowered keeps: to read the values would stop the lowering. */
function checkNatively(backend: NodeBackend, tensor: tf.TensorInfo, attrs: tf.NamedAttrMap): tf.TensorInfo {
  const { binding } = backend;
  const attributes = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'message', type: binding.TF_ATTR_STRING, value: attrs['message'] },
  ];
  try {
    return backend.executeSingleOutput('CheckNumerics', attributes, [tensor]);
  } catch (error) {
    const found = /.* : Tensor had (.*) values/.exec(error instanceof Error ? error.message : '');
    if (found === null) throw error;
    throw new TrainingError(
      'InvalidArgument',
      found[0].replace(/^Message: /, ''),
      { kinds: found[1] },
      { cause: error },
    );
  }
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
        if (backendName === 'tensorflow')
          return checkNatively(backend as NodeBackend, tensor, attrs as tf.NamedAttrMap);
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
