import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { backends, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  EagerContext,
  getOrCreateLayer,
  getVariable,
  layerVariables,
  Module,
  pushContext,
  regularizationLoss,
  tf1VariableStore,
  trackTf1StyleVariables,
  variable,
  variableScope,
} from '../src/index.js';

const ones = (shape: number[]) => tf.ones(shape);
const sum = (v: tf.Tensor) => tf.sum(v);
const values = (losses: readonly tf.Tensor[]) => losses.map((loss) => loss.dataSync()[0]);

/** The wrapped dense layer of TensorFlow's variable_scope_shim_test. */
class WrappedDense extends tfl.layers.Layer {
  static className = 'WrappedDense';
  private readonly units: number;

  constructor(config: { units: number; name?: string }) {
    super(config as object);
    this.units = config.units;
  }

  override getConfig() {
    return { ...super.getConfig(), units: this.units };
  }

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    let out = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor2D;
    using _outer = variableScope('dense_one');
    const kernel = getVariable('kernel', { shape: [out.shape[1], this.units], initializer: ones, regularizer: mean });
    const bias = getVariable('bias', { shape: [this.units], initializer: (s) => tf.zeros(s) });
    out = tf.add(tf.matMul(out, kernel as tf.Tensor2D), bias);
    using _inner = variableScope('nested_scope');
    const second = getVariable('kernel', { shape: [this.units, this.units], initializer: ones, regularizer: mean });
    return tf.matMul(out, second as tf.Tensor2D);
  }
}

const mean = (v: tf.Tensor) => tf.mul(0.5, tf.mean(tf.square(v)));

describe.each(backends)('the shim on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  // Numbers of default names go on through a process; each test counts from the beginning.
  let context: Disposable;
  beforeEach(() => {
    context = pushContext(new EagerContext());
  });
  afterEach(() => context[Symbol.dispose]());

  it('keeps get_variable variables as weights and their losses (test_get_variable)', () => {
    const layer = new WrappedDense({ units: 10 });
    expect(layer.weights).toEqual([]);
    expect(layer.losses).toEqual([]);
    const out = layer.apply(tf.ones([1, 5])) as tf.Tensor;
    expect([...out.dataSync()]).toEqual(new Array(10).fill(50));
    expect(layerVariables(layer).map(({ name }) => name)).toEqual([
      'dense_one/bias',
      'dense_one/kernel',
      'dense_one/nested_scope/kernel',
    ]);
    expect(values(layer.calculateLosses())).toEqual([0.5, 0.5]);
    for (const v of layerVariables(layer)) v.assign(tf.fill(v.shape, v.name.includes('bias') ? 0 : 2));
    expect(values(layer.calculateLosses())).toEqual([2, 2]);
    expect([...(layer.apply(tf.ones([1, 5])) as tf.Tensor).dataSync()]).toEqual(new Array(10).fill(200));
    expect(layer.losses).toHaveLength(2);
  });

  it('leaves nothing behind when called again', () => {
    const layer = new WrappedDense({ units: 3 });
    tf.tidy(() => void layer.apply(tf.ones([1, 5])));
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i += 1) tf.tidy(() => void layer.apply(tf.ones([1, 5])));
    expect(tf.memory().numTensors).toBe(before);
    layer.dispose();
    expect(tf.memory().numTensors).toBe(before - 3);
    expect(layer.weights.every((weight) => weight.read().isDisposed)).toBe(true);
  });

  it('lets two models with the same names live, train and be disposed of side by side', async () => {
    const build = () => {
      const input = tfl.input({ shape: [4] });
      const layer = new WrappedDense({ units: 1 });
      const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
      model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'meanSquaredError' });
      return { layer, model };
    };
    const a = build();
    const b = build();
    const names = (layer: tfl.layers.Layer) => layerVariables(layer).map(({ name }) => name);
    expect(names(a.layer)).toEqual(names(b.layer));
    await b.model.fit(tf.ones([2, 4]), tf.zeros([2, 1]), { epochs: 2, verbose: 0 });
    const kernel = (layer: tfl.layers.Layer) => layerVariables(layer)[1]?.dataSync()[0];
    expect(kernel(a.layer)).toBe(1);
    expect(kernel(b.layer)).toBeLessThan(1);
    expect(names(b.layer)).toEqual(names(a.layer));
    a.model.dispose();
    expect(kernel(b.layer)).toBeLessThan(1);
    const c = build();
    expect(names(c.layer)).toEqual(names(b.layer));
    b.model.dispose();
    expect(kernel(c.layer)).toBe(1);
    c.model.dispose();
  });

  it('trains two layers with equal variable names in one model, with their losses', async () => {
    const input = tfl.input({ shape: [2] });
    const first = new WrappedDense({ units: 2, name: 'first' });
    const second = new WrappedDense({ units: 1, name: 'second' });
    const outputs = second.apply(first.apply(input)) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs });
    model.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
    expect(values(model.calculateLosses())).toEqual([0.5, 0.5, 0.5, 0.5]);
    const still = await model.fit(tf.zeros([1, 2]), tf.zeros([1, 1]), { epochs: 1, verbose: 0 });
    expect(still.history['loss']).toEqual([2]);
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    await model.fit(tf.zeros([1, 2]), tf.zeros([1, 1]), { epochs: 1, verbose: 0 });
    // The gradient of 0.5 * mean(v^2) is v / size: every kernel shrinks, by its own size.
    const kernels = model.weights.filter((weight) => weight.originalName.includes('kernel'));
    expect(kernels).toHaveLength(4);
    for (const weight of kernels) {
      const v = weight.read();
      expect(v.dataSync()[0]).toBeCloseTo(1 - 0.1 / v.size, 6);
    }
    first.trainable = false;
    expect(first.trainableWeights).toEqual([]);
    expect(first.weights).toHaveLength(3);
    expect(first.losses).toHaveLength(2);
    model.dispose();
  });

  it('is saved and loaded with a functional model', async () => {
    tf.serialization.registerClass(WrappedDense);
    const input = tfl.input({ shape: [4] });
    const model = tfl.model({
      inputs: input,
      outputs: new WrappedDense({ units: 2 }).apply(new WrappedDense({ units: 3 }).apply(input)) as tfl.SymbolicTensor,
    });
    model.weights.forEach((weight, i) => {
      weight.write(tf.fill(weight.shape as number[], i + 1));
    });
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save({
      save: async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      },
    });
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved as tf.io.ModelArtifacts));
    expect(loaded.weights.map((w) => w.originalName)).toEqual(model.weights.map((w) => w.originalName));
    const x = tf.tensor2d([[1, 2, 3, 4]]);
    expect([...(loaded.predict(x) as tf.Tensor).dataSync()]).toEqual([...(model.predict(x) as tf.Tensor).dataSync()]);
    expect(values(loaded.calculateLosses())).toEqual(values(model.calculateLosses()));
  });

  it('does not count an inner shim twice (test_shim_nesting)', () => {
    class Outer extends tfl.layers.Layer {
      static className = 'OuterOfNested';
      readonly inner = new WrappedDense({ units: 10 });

      @trackTf1StyleVariables
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        using _ = variableScope('outer');
        const scale = getVariable('scale', { shape: [], initializer: ones, regularizer: sum });
        return tf.mul(this.inner.apply(inputs) as tf.Tensor, scale);
      }
    }
    const layer = new Outer({});
    layer.apply(tf.ones([1, 5]));
    layer.apply(tf.ones([1, 5]));
    expect(layerVariables(layer).map(({ name }) => name)).toEqual([
      'outer/dense_one/bias',
      'outer/dense_one/kernel',
      'outer/dense_one/nested_scope/kernel',
      'outer/scale',
    ]);
    expect(values(layer.calculateLosses())).toEqual([1, 0.5, 0.5]);
    expect(regularizationLoss(layer).dataSync()[0]).toBe(2);
  });

  it('works on a Module, whose losses are in the store (test_module_get_variable)', () => {
    class Net extends Module {
      @trackTf1StyleVariables
      forward(x: tf.Tensor): tf.Tensor {
        return tf.mul(x, getVariable('w', { shape: [2], initializer: ones, regularizer: sum }));
      }
    }
    const net = new Net();
    net.forward(tf.ones([2]));
    net.forward(tf.ones([2]));
    expect(net.variables.map(({ name }) => name)).toEqual(['w']);
    expect(net.trainableVariables).toHaveLength(1);
    const store = tf1VariableStore(net);
    expect([...(store?.regularizers.keys() ?? [])]).toEqual(['w:0']);
    expect(store?.regularizers.get('w:0')?.()?.dataSync()[0]).toBe(2);
  });

  it('tracks a model kept in an attribute (test_embedded_keras_model)', () => {
    class Embedding extends tfl.layers.Layer {
      static className = 'EmbeddingModelLayer';
      model: tfl.LayersModel | null = null;

      @trackTf1StyleVariables
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        if (this.model === null) {
          const input = tfl.input({ shape: [5] });
          const kernelRegularizer = tfl.regularizers.l2({ l2: 0.01 });
          const dense = tfl.layers.dense({ units: 10, kernelInitializer: 'ones', kernelRegularizer });
          this.model = tfl.model({ inputs: input, outputs: dense.apply(input) as tfl.SymbolicTensor });
        }
        return this.model.apply(inputs) as tf.Tensor;
      }
    }
    const layer = new Embedding({});
    layer.apply(tf.ones([1, 5]));
    expect(layer.weights.map(({ originalName }) => originalName.split('/').at(-1))).toEqual(['kernel', 'bias']);
    expect(regularizationLoss(layer).dataSync()[0]).toBeCloseTo(0.5, 6);
  });

  it('does not track layers and variables made inside (test_only_track_get_variable)', () => {
    class Untracked extends tfl.layers.Layer {
      static className = 'UntrackedLayer';

      @trackTf1StyleVariables
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        variable(1, { name: 'lost' });
        return tfl.layers.dense({ units: 10 }).apply(inputs) as tf.Tensor;
      }
    }
    const layer = new Untracked({});
    layer.apply(tf.ones([1, 5]));
    expect(layer.weights).toEqual([]);
  });

  it('lists variables in the order of TensorFlow', () => {
    // What TensorFlow 2.21 lists for the same classes.
    const dense = (name: string) => tfl.layers.dense({ units: 1, name });
    class Net extends tfl.layers.Layer {
      static className = 'OrderedLayer';
      readonly first = dense('first');
      readonly record = { k: dense('in_record') };
      readonly list = [dense('in_list')];
      readonly plain = variable(1, { name: 'plain' });
      // Set in the first call only: declared with a value, it would have its place before the store.
      declare late: tfl.layers.Layer | undefined;

      @trackTf1StyleVariables
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        getVariable('w', { shape: [2] });
        const layers = ['zz', 'aa'].map((name) => getOrCreateLayer(name, () => dense(`created_${name}`)));
        getVariable('v', { shape: [2] });
        this.late ??= dense('late');
        const all = [this.first, this.record.k, ...this.list, this.late, ...layers];
        return tf.addN(all.map((layer) => layer.apply(inputs) as tf.Tensor));
      }
    }
    const net = new Net({});
    net.apply(tf.ones([1, 2]));
    const names = layerVariables(net).map(({ name }) =>
      name.replace(/^ordered_layer[^/]*\//, '').replace(/(_\d+)?$/, ''),
    );
    expect(names.filter((name) => !name.includes('/bias'))).toEqual([
      'plain',
      'first/kernel',
      'in_record/kernel',
      'in_list/kernel',
      'v',
      'w',
      'created_aa/kernel',
      'created_zz/kernel',
      'late/kernel',
    ]);
    class Held extends Module {
      readonly b = variable(1, { name: 'b' });
      readonly a = variable(1, { name: 'a' });
      readonly l = [variable(1, { name: 'l0' })];
      readonly d = { z: variable(1, { name: 'dz' }), y: variable(1, { name: 'dy' }) };

      @trackTf1StyleVariables
      forward() {
        getVariable('w', { shape: [1] });
        getVariable('A', { shape: [1] });
      }
    }
    const held = new Held();
    held.forward();
    expect(held.variables.map(({ name }) => name)).toEqual(['a', 'b', 'dy', 'dz', 'l0', 'A', 'w']);
  });
});
