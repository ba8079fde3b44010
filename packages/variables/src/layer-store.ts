// Ports tf.compat.v1.keras.utils.get_or_create_layer (tf_keras variable_scope_shim.py, 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { currentContext } from './context.js';
import { valueError } from './errors.js';
import { isLayer } from './module.js';

function sumOfLosses(layer: object): tf.Tensor {
  return tf.tidy(() => {
    const losses = isLayer(layer) ? layer.calculateLosses() : [];
    return losses.length === 0 ? tf.scalar(0) : tf.addN(losses);
  });
}

/**
 * A layer or model that is made once per name and scope of the object whose decorated method is running.
 *
 * Its weights and the sum of its losses count as the object's. In a graph without a shim it is made each time.
 * @throws {VariablesError} `ValueError` in eager code outside a decorated method.
 */
export function getOrCreateLayer<L extends object>(name: string, create: () => L): L {
  const { store, kind, scopes } = currentContext();
  if (store === null || store.kind === 'graph') {
    if (kind === 'graph') return create();
    throw valueError(
      'Tried to call get_or_create_layer in eager mode from a method notdecorated with ' +
        '@tf.compat.v1.keras.utils.track_tf1_style_variables.',
      { name },
    );
  }
  // The key begins with a slash at the root, as in TensorFlow.
  const key = `${scopes.current.name}/${name}`;
  const present = store.layers.get(key);
  if (present !== undefined) return present as L;
  const layer = create();
  store.layers.set(key, layer);
  if (isLayer(layer)) store.regularizers.set(key, () => sumOfLosses(layer));
  return layer;
}
