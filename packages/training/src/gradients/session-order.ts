// What Grappler (TF 2.21) makes of AddN: common_subgraph_elimination.cc sorts inputs, memory_optimizer.cc accumulates at the peak.
import * as tf from '@tensorflow/tfjs-core';
import type { GraphTensor } from '@tfparity/graph';
import type { SumTensors } from './backprop.js';

/**
 * The order in which a TF1 session sums contributions, which is not the order of the graph: its graph optimizer sorts the
 * inputs of commutative ops by name, and the first sum of three or more, which is open while memory is at its peak, it
 * makes a temporary variable, to which the branches are added from the last to the first.
 *
 * @param gated  whether each op's gradients wait for each other (slim's train step); then no sum is rewritten
 */
export function sessionOrder(gated = false): SumTensors {
  let atPeak = !gated;
  return (tensors, nameOf) => {
    const name = (tensor: tf.Tensor) => ('op' in tensor ? (tensor as GraphTensor).op.name : nameOf(tensor));
    if (tensors.length < 3) return tf.addN(tensors);
    if (!atPeak) return tf.addN([...tensors].sort((a, b) => (name(a) < name(b) ? -1 : 1)));
    atPeak = false;
    const [first, ...rest] = tensors;
    return tf.addN([first!, ...rest.reverse()]);
  };
}
