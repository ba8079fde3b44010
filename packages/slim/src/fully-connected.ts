// Ports fully_connected and its partials of tf_slim/layers/layers.py (tf_slim git 1287b1ef).
import * as tf from '@tensorflow/tfjs-core';
import { Dense } from '@tfparity/layers';
import { variableScope } from '@tfparity/variables';
import { addArgScope } from './arg-scope.js';
import { kernelOptions, RENAME, withDefaults } from './convolution.js';
import { finish, WEIGHT_KEYWORDS, type WeightArguments } from './layer-arguments.js';
import { layerVariableGetter } from './model-variables.js';
import { addVariableToCollections, tidyEager } from './named-outputs.js';
import { valueError } from './slim-error.js';

/** A densely connected layer of slim. */
export type FullyConnectedFunction = (inputs: tf.Tensor, numOutputs: number, args?: WeightArguments) => tf.Tensor;

/** Dense layer, then normalization or biases, then activation. Variables `weights`, `biases`. */
export const fullyConnected: FullyConnectedFunction = addArgScope(
  (x: tf.Tensor, numOutputs: number, given: WeightArguments = {}) => {
    if (!Number.isInteger(numOutputs)) {
      const kind =
        typeof numOutputs === 'number' ? 'float' : typeof numOutputs === 'string' ? 'str' : typeof numOutputs;
      throw valueError(`num_outputs type should be one of [<class 'int'>], got <class '${kind}'>.`, { numOutputs });
    }
    const args = withDefaults(given);
    const { scope = null, reuse, variablesCollections } = args;
    const options = { defaultName: 'fully_connected', reuse, customGetter: layerVariableGetter(RENAME) };
    return tidyEager(() =>
      variableScope(scope, options, (sc) => {
        const layer = new Dense({ ...kernelOptions(args), units: numOutputs, name: sc.name, scope: sc });
        const outputs = layer.apply(x);
        addVariableToCollections(layer.kernel, variablesCollections, 'weights');
        if (layer.bias !== null) addVariableToCollections(layer.bias, variablesCollections, 'biases');
        return finish(outputs, sc.name, args);
      }),
    );
  },
  { name: 'fully_connected', positional: ['inputs', 'numOutputs'], keywords: WEIGHT_KEYWORDS },
);

const partial =
  (activationFn: WeightArguments['activationFn']): FullyConnectedFunction =>
  (inputs, numOutputs, args) =>
    fullyConnected(inputs, numOutputs, { activationFn, ...args });

/** `fullyConnected` without activation. An `argScope` is set for `fullyConnected`, not for this. */
export const linear: FullyConnectedFunction = partial(null);

/** `fullyConnected` with relu. */
export const relu: FullyConnectedFunction = partial((x) => tf.relu(x));

/** `fullyConnected` with relu6. */
export const relu6: FullyConnectedFunction = partial((x) => tf.relu6(x));

/** `fullyConnected` with elu. */
export const elu: FullyConnectedFunction = partial((x) => tf.elu(x));
