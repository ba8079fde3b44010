import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { backends, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  addToCollection,
  assign,
  type CallOptions,
  EagerContext,
  getCollection,
  getOrCreateLayer,
  getVariable,
  layerVariables,
  Module,
  makeTemplate,
  pushContext,
  Tf1Layer,
  tf1VariableStore,
  trackTf1StyleVariables,
  variableScope,
} from '../src/index.js';

const ones = (shape: number[]) => tf.ones(shape);
const sum = (v: tf.Tensor) => tf.sum(v);
const values = (losses: readonly tf.Tensor[]) => losses.map((loss) => loss.dataSync()[0]);

const _mean = (v: tf.Tensor) => tf.mul(0.5, tf.mean(tf.square(v)));

describe.each(backends)('calls of the shim on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  // Numbers of default names go on through a process; each test counts from the beginning.
  let context: Disposable;
  beforeEach(() => {
    context = pushContext(new EagerContext());
  });
  afterEach(() => context[Symbol.dispose]());

  it('passes training on, and gives nested results', () => {
    class Net extends Tf1Layer<{ logits: tf.Tensor; endPoints: Record<string, tf.Tensor> }> {
      static className = 'NestedResultNet';

      @trackTf1StyleVariables
      override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: CallOptions = {}) {
        const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
        const w = getVariable(training ? 'train' : 'infer', { shape: [2], initializer: ones, regularizer: sum });
        const logits = tf.mul(x, w);
        return { logits, endPoints: { logits } };
      }
    }
    const net = new Net({});
    const { logits, endPoints } = net.apply(tf.ones([1, 2]), { training: true });
    expect(endPoints['logits']).toBe(logits);
    net.apply(tf.ones([1, 2]));
    expect(net.variables.map(({ name }) => name)).toEqual(['infer', 'train']);
    expect(net.trainableVariables).toHaveLength(2);
    expect(net.regularizationLoss().dataSync()[0]).toBe(4);
    const input = tfl.input({ shape: [2] });
    expect(() => new Net({}).apply(input)).toThrow(/returned an object from call\(\); in a functional model/);
  });

  it('infers shapes without assigning, for unknown dimensions too', () => {
    class Counting extends tfl.layers.Layer {
      static className = 'CountingLayer';

      @trackTf1StyleVariables
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
        const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
        const count = getVariable('count', { shape: [], initializer: (s) => tf.zeros(s), trainable: false });
        assign(count, tf.add(count, 1));
        count.assign(tf.add(count, 1));
        return [tf.maxPool(x, 2, 2, 'valid'), tf.mean(x, [1, 2])];
      }
    }
    const layer = new Counting({});
    const input = tfl.input({ shape: [null, 8, 3] });
    const outputs = layer.apply(input) as tfl.SymbolicTensor[];
    expect(outputs.map(({ shape }) => shape)).toEqual([
      [null, null, 4, 3],
      [null, 3],
    ]);
    const [count] = layerVariables(layer);
    expect(count?.dataSync()[0]).toBe(0);
    layer.apply(tf.ones([1, 4, 8, 3]));
    expect(count?.dataSync()[0]).toBe(2);
  });

  it('wraps plain methods, and refuses another this (test_incorrect_decoration)', () => {
    class Wrapped extends Module {
      forward = trackTf1StyleVariables(function (this: Wrapped, x: tf.Tensor) {
        return tf.mul(x, getVariable('w', { shape: [2], initializer: ones }));
      });
    }
    const net = new Wrapped();
    net.forward(tf.ones([2]));
    expect(net.variables).toHaveLength(1);
    const loose = trackTf1StyleVariables(function (this: object) {
      return getVariable('w', { shape: [2] });
    });
    expect(() => loose.call({})).toThrow(/which does not extend Module, Layer, or Model\."$/);
  });

  it('wraps a layer, and methods of a Tf1Layer, for functional models too', () => {
    class Plain extends tfl.layers.Layer {
      static className = 'PlainToBeWrapped';

      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor2D;
        return tf.matMul(x, getVariable('w', { shape: [2, 5], initializer: ones }) as tf.Tensor2D);
      }
    }
    class Wrapped extends Tf1Layer<tf.Tensor> {
      static className = 'WrappedTf1Layer';
      override call = trackTf1StyleVariables(Plain.prototype.call) as (inputs: tf.Tensor | tf.Tensor[]) => tf.Tensor;
    }
    const input = tfl.input({ shape: [2] });
    const plain = trackTf1StyleVariables(new Plain({}));
    expect((plain.apply(input) as tfl.SymbolicTensor).shape).toEqual([null, 5]);
    expect(layerVariables(plain).map(({ name }) => name)).toEqual(['w']);
    const wrapped = new Wrapped({});
    expect(wrapped.apply(input).shape).toEqual([null, 5]);
    expect(wrapped.variables.map(({ name }) => name)).toEqual(['w']);
  });

  it('keeps losses of a call that throws, and closes what it opened', () => {
    class Failing extends Module {
      @trackTf1StyleVariables
      forward(fail: boolean): void {
        using _ = variableScope('s');
        getVariable('w', { shape: [2], initializer: ones, regularizer: sum });
        if (fail) throw new Error('from the forward pass');
      }
    }
    const net = new Failing();
    expect(() => net.forward(true)).toThrow('from the forward pass');
    net.forward(false);
    expect(net.variables.map(({ name }) => name)).toEqual(['s/w']);
    expect(tf1VariableStore(net)?.regularizers.size).toBe(1);
  });

  it('gives TF1 rules within each call with {strict: true}', () => {
    class Strict extends Module {
      @trackTf1StyleVariables({ strict: true })
      forward(twice: boolean, reuse = false): tf.Variable[] {
        const made = [variableScope('a', () => getVariable('w', { shape: [2] }))];
        if (twice) made.push(variableScope('a', { reuse }, () => getVariable('w', { shape: [2] })));
        variableScope(null, { defaultName: 'd' }, () => getVariable('w', { shape: [2] }));
        return made;
      }
    }
    const net = new Strict();
    net.forward(false);
    net.forward(false);
    expect(net.variables.map(({ name }) => name)).toEqual(['a/w', 'd/w']);
    expect(() => net.forward(true)).toThrow(/^Variable a\/w already exists, disallowed\./);
    const [one, two] = net.forward(true, true);
    expect(one).toBe(two);
    const lost = new (class extends Module {
      @trackTf1StyleVariables({ strict: true })
      forward() {
        return variableScope('a', { reuse: true }, () => getVariable('w', { shape: [2] }));
      }
    })();
    expect(() => lost.forward()).toThrow(/^Variable a\/w does not exist/);
  });

  it('numbers default names at the root on from call to call, or anew with {resetCounts: true}', () => {
    const unnamed = () =>
      variableScope(null, { defaultName: 'dense' }, () => getVariable('kernel', { shape: [1] }).name);
    class Net extends Module {
      @trackTf1StyleVariables
      onwards() {
        return unnamed();
      }

      @trackTf1StyleVariables({ resetCounts: true })
      anew() {
        return [unnamed(), unnamed()];
      }
    }
    const net = new Net();
    expect([net.onwards(), net.onwards()]).toEqual(['dense/kernel', 'dense_1/kernel']);
    expect([net.anew(), net.anew()]).toEqual([
      ['dense/kernel', 'dense_1/kernel'],
      ['dense/kernel', 'dense_1/kernel'],
    ]);
    expect(net.onwards()).toBe('dense_2/kernel');
  });

  it('gives each outermost call its own collections', () => {
    class Net extends Module {
      readonly inner: Net | null;

      constructor(inner: Net | null) {
        super();
        this.inner = inner;
      }

      @trackTf1StyleVariables
      forward(x: number): unknown[] {
        addToCollection('end_points', x);
        this.inner?.forward(x + 1);
        return getCollection('end_points');
      }
    }
    const net = new Net(new Net(null));
    net.forward(1);
    expect(net.forward(1)).toEqual([1, 2]);
    expect(getCollection('end_points')).toEqual([]);
  });

  it('moves averages while a model trains, and not while it predicts', async () => {
    class Averaging extends tfl.layers.Layer {
      static className = 'AveragingLayer';

      @trackTf1StyleVariables
      override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
        const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
        using _ = variableScope('norm');
        const beta = getVariable('beta', { shape: [2], initializer: ones });
        const average = getVariable('average', { shape: [2], initializer: (s) => tf.zeros(s), trainable: false });
        if (kwargs.training) assign(average, tf.add(tf.mul(average, 0.5), tf.mul(tf.mean(x, 0), 0.5)));
        return tf.add(tf.sub(x, average), beta);
      }
    }
    const input = tfl.input({ shape: [2] });
    const layer = new Averaging({});
    const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const average = () => [...(layerVariables(layer)[1]?.dataSync() ?? [])];
    (model.predict(tf.ones([2, 2])) as tf.Tensor).dispose();
    expect(average()).toEqual([0, 0]);
    const [x, y] = [tf.fill([2, 2], 4), tf.zeros([2, 2])];
    await model.fit(x, y, { epochs: 1, batchSize: 2, verbose: 0 });
    const before = tf.memory().numTensors;
    await model.fit(x, y, { epochs: 2, batchSize: 2, verbose: 0 });
    expect(tf.memory().numTensors).toBe(before);
    expect(average()).toEqual([3.5, 3.5]);
    expect(model.trainableWeights).toHaveLength(1);
    model.dispose();
  });

  it('shares the variables of a template between calls (test_compat_v1_make_template_in_shim_eager)', () => {
    class Net extends Module {
      template = makeTemplate('foo', (x: tf.Tensor) => {
        using _ = variableScope('scale_by_y');
        return tf.mul(x, getVariable('y', { shape: [], initializer: ones, regularizer: sum }));
      });

      @trackTf1StyleVariables
      forward(x: tf.Tensor): tf.Tensor {
        return this.template(this.template(x));
      }
    }
    const net = new Net();
    for (let i = 0; i < 3; i += 1) net.forward(tf.ones([2]));
    expect(net.variables.map(({ name }) => name)).toEqual(['foo/scale_by_y/y']);
    expect(tf1VariableStore(net)?.regularizers.size).toBe(1);
  });

  it('makes the layers of getOrCreateLayer once per scope', () => {
    let made = 0;
    class Net extends tfl.layers.Layer {
      static className = 'GetOrCreateNet';

      @trackTf1StyleVariables
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const make = () => {
          made += 1;
          return tfl.layers.dense({
            units: 1,
            kernelInitializer: 'ones',
            kernelRegularizer: tfl.regularizers.l2({ l2: 0.01 }),
          });
        };
        using _ = variableScope('scope');
        return getOrCreateLayer('dense', make).apply(inputs) as tf.Tensor;
      }
    }
    const net = new Net({});
    net.apply(tf.ones([1, 3]));
    net.apply(tf.ones([1, 3]));
    expect(made).toBe(1);
    expect(net.weights).toHaveLength(2);
    expect(values(net.calculateLosses())[0]).toBeCloseTo(0.03, 6);
    expect(() => getOrCreateLayer('m', () => ({}))).toThrow(/^Tried to call get_or_create_layer in eager mode/);
  });
});
