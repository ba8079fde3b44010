import * as tf from '@tensorflow/tfjs-core';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { RandomOp } from '@tfparity/random/philox';
import { argScope, nets } from '@tfparity/slim';
import { Tf1Layer, trackTf1StyleVariables } from '@tfparity/variables';
import type { TraceSide } from '../src/trace-capture.js';

export interface Outputs {
  [name: string]: tf.Tensor | Record<string, tf.Tensor>;
  logits: tf.Tensor;
  endPoints: Record<string, tf.Tensor>;
}

class InceptionResnetV2 extends Tf1Layer<Outputs> {
  static readonly className = 'InceptionResnetV2';

  @trackTf1StyleVariables({ resetCounts: true })
  override call(images: tf.Tensor, { training = false } = {}): Outputs {
    using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
    return { ...nets.inceptionResnetV2(images as tf.Tensor4D, { numClasses: 1000, isTraining: training }) };
  }
}

/** `ones`: the guide's input. `image`: one image of noise. */
export type Picture = 'ones' | 'image';

function picture(kind: Picture): tf.Tensor {
  if (kind === 'ones') return tf.keep(tf.ones([1, 299, 299, 3]));
  const { data } = new RandomOp('RandomUniform', { seed: 42, seed2: 100000, dtype: 'float32' }).draw({
    shape: [1, 299, 299, 3],
  });
  return tf.keep(tf.tensor(data as Float32Array, [1, 299, 299, 3]));
}

/** Settings of `inception`. */
export interface InceptionOptions {
  readonly name?: string;
  readonly backend?: string;
  readonly training?: boolean;
}

/** The net with TensorFlow's own initial values; every call draws what the first one drew after making its variables. */
export function inception(kind: Picture, { name = 'net', backend, training = false }: InceptionOptions = {}) {
  const layer = new InceptionResnetV2({});
  const images = picture(kind);
  let ledger: DeterministicRandomTestTool['ledger'] = [];
  let begin: number | undefined;
  const call = (trained = training): Outputs => {
    const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
    if (begin !== undefined) tool.operationSeed = begin;
    const outputs = tool.scope(() => layer.apply(images, { training: trained }));
    // Dropout is the one random op of a forward pass.
    begin ??= tool.operationSeed - (trained ? 1 : 0);
    ledger = tool.ledger;
    return outputs;
  };
  tf.tidy(() => void call());
  const side = (run: () => Outputs = () => call(), trained = training): TraceSide => ({
    name: trained ? `${name}, training` : name,
    backend,
    run,
    ledger: () => ledger,
  });
  return { layer, images, call, side };
}
