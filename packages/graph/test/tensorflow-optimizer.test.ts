import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { normal, setSeed } from '@tfparity/random';
import { backends, describeGolden, goldenPath, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  assignAdd,
  controlDependencies,
  Graph,
  type GrapplerOptions,
  globalVariablesInitializer,
  identity,
  importMetaGraph,
  placeholder,
  Session,
  type SessionOptions,
} from '../src/index.js';
import { encodeConfigProto } from '../src/native/grappler-options.js';

const native = backends.includes('tensorflow') ? describe : describe.skip;
const ramp = (shape: number[], by: number): tf.Tensor =>
  tf.tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(by * 31.7 + i * 1.37)),
    shape,
  );

/** A net whose gradients TensorFlow's optimizer moves: on CPU it folds constants and reorders products. */
function gradients(): { graph: Graph; fetches: tf.Tensor[]; feeds: [tf.Tensor, tf.Tensor][]; eager: tf.TypedArray[] } {
  const net = (x: tf.Tensor, w: tf.Tensor, g: tf.Tensor) => {
    const h = tf.relu(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'));
    const { mean, variance } = tf.moments(h, [0, 1, 2]);
    const n = tf.batchNorm(h, mean as tf.Tensor1D, variance as tf.Tensor1D, g as tf.Tensor1D, g as tf.Tensor1D, 0.001);
    return tf.mean(tf.square(tf.softmax(tf.reshape(n, [2, -1])))) as tf.Scalar;
  };
  const values = [ramp([2, 9, 9, 3], 1), ramp([3, 3, 3, 4], 2), ramp([4], 3)];
  const graph = new Graph();
  const { inputs, fetches } = graph.asDefault(() => {
    const inputs = values.map(({ shape }, i) => placeholder('float32', shape, `in${i}`) as tf.Tensor);
    const { value, grads } = tf.valueAndGrads(net as never)(inputs);
    return { inputs, fetches: [value, ...grads] };
  });
  const { value, grads } = tf.valueAndGrads(net as never)(values);
  const feeds = inputs.map((input, i): [tf.Tensor, tf.Tensor] => [input, values[i]!]);
  return { graph, fetches, feeds, eager: [value, ...grads].map((tensor) => tensor.dataSync()) };
}

/** How many values of each fetch are other bits than eager code's. */
function moved({ graph, fetches, feeds, eager }: ReturnType<typeof gradients>, optimizer: SessionOptions['optimizer']) {
  using session = new Session(graph, { engine: 'tensorflow', optimizer });
  return session.run(fetches, feeds).map((tensor, i) => {
    const values = tensor.dataSync();
    tensor.dispose();
    return values.filter((v, j) => !Object.is(v, eager[i]![j])).length;
  });
}

native("TensorFlow's graph optimizer, on and off (backend tensorflow)", () => {
  beforeAll(() => useBackend('tensorflow'));

  it('moves the last bits of gradients, by two of its passes, and with it off they are those of eager code', () => {
    const net = gradients();
    const count = (optimizer: SessionOptions['optimizer']): number =>
      moved(net, optimizer).reduce((sum, each) => sum + each);
    expect(count(true)).toBeGreaterThan(0);
    expect(count(undefined)).toBe(count(true));
    expect(count(false)).toBe(0);
    expect(count({ disableMetaOptimizer: true })).toBe(0);
    expect(count({ constantFolding: false, arithmeticOptimization: false })).toBe(0);
    const each = count({ remapping: false });
    expect(each).toBeGreaterThan(0);
    const noFolding = count({ constantFolding: false });
    const noArithmetic = count({ arithmeticOptimization: false });
    expect(Math.min(noFolding, noArithmetic)).toBeGreaterThan(0);
    expect(Math.max(noFolding, noArithmetic)).toBeLessThan(each);
  });

  it('turns a division into a product by constant folding alone', () => {
    const x = ramp([50], 5);
    const graph = new Graph();
    const y = graph.asDefault(() => tf.relu(tf.div(tf.exp(placeholder('float32', [50], 'x')), 3)));
    const eager = [tf.relu(tf.div(tf.exp(x), 3)).dataSync()];
    const net = { graph, fetches: [y], feeds: [[graph.getTensorByName('x:0'), x]] as [tf.Tensor, tf.Tensor][], eager };
    expect(moved(net, true)[0]).toBeGreaterThan(0);
    expect(moved(net, { arithmeticOptimization: false })[0]).toBeGreaterThan(0);
    for (const optimizer of [false, { constantFolding: false }] as const) expect(moved(net, optimizer)).toEqual([0]);
  });

  describe.each([
    ['off', false],
    ['by passes', { constantFolding: false }],
  ] as [string, boolean | GrapplerOptions][])('%s', (_, optimizer) => {
    it('keeps variables, their order of assignment, and control dependencies', () => {
      const graph = new Graph();
      using _ = graph.asDefault();
      const v = getVariable('v', { shape: [2], initializer: (shape) => tf.ones([...shape]) });
      const init = globalVariablesInitializer();
      const x = placeholder('float32', [2], 'x');
      const step = assignAdd(v, tf.mul(tf.exp(x), tf.add(v, 1)));
      const after = controlDependencies([step], () => tf.neg(identity(v as unknown as tf.Tensor)));
      using session = new Session(graph, { engine: 'tensorflow', optimizer });
      expect(() => session.run(v)).toThrow(/uninitialized|does not exist|could not find/i);
      session.run(init);
      const zero = { 'x:0': [0, 0] };
      expect(session.runArrays(after, zero).data).toEqual(Float32Array.of(-3, -3));
      expect(session.runArrays(v).data).toEqual(Float32Array.of(3, 3));
      // Another kind of run: by passes, the session is loaded anew and the variable goes with it.
      expect(session.runArrays([tf.square(v), after], zero)[1].data).toEqual(Float32Array.of(-7, -7));
      expect(session.runArrays({ v, again: after }, zero).again.data).toEqual(Float32Array.of(-15, -15));
      expect(session.runArrays(v).data).toEqual(Float32Array.of(15, 15));
      session.assign({ v: [1, 2] });
      expect(session.variables().get('v:0')!.data).toEqual(Float32Array.of(1, 2));
    });

    it('draws the numbers of the replay engine, run after run, or says that it cannot', () => {
      const graph = new Graph();
      const { draw, shifted } = graph.asDefault(() => {
        setSeed(7);
        const draw = tf.exp(normal([3]));
        return { draw, shifted: tf.exp(tf.add(draw, normal([3]))) };
      });
      using replay = new Session(graph);
      using session = new Session(graph, { engine: 'tensorflow', optimizer });
      for (let run = 0; run < 3; run++) {
        const expected = replay.runArrays([draw, shifted]);
        for (const [i, array] of session.runArrays([draw, shifted]).entries()) {
          const off = Math.max(
            ...Array.from(array.data as Float32Array, (v, j) => Math.abs(v - Number(expected[i]!.data[j]))),
          );
          expect(off).toBeLessThan(1e-5);
        }
      }
      if (optimizer === false) {
        const next = replay.runArrays(draw);
        expect(session.runArrays(draw)).toEqual(next);
      } else expect(() => session.runArrays(draw)).toThrow(/would start afresh/);
    });

    describeGolden('checkpoints/tf1_graph.ckpt-3.meta', () => {
      it('runs a graph of TF1 with reference variables', () => {
        const read = (options: SessionOptions) => {
          using session = new Session(importMetaGraph(goldenPath('checkpoints/tf1_graph.ckpt-3.meta')), options);
          session.restore(goldenPath('checkpoints/tf1_graph.ckpt-3'));
          return session.runArrays(['net/conv/relu:0', 'net/logits:0', 'net/logits'], { 'x:0': ramp([2, 8, 8, 3], 4) });
        };
        const [relu, logits] = read({});
        const [otherRelu, otherLogits, op] = read({ optimizer });
        expect(otherRelu).toEqual(relu);
        expect(otherLogits!.data).toHaveLength(logits!.data.length);
        for (const [i, v] of (otherLogits!.data as Float32Array).entries())
          expect(v).toBeCloseTo(Number(logits!.data[i]), 4);
        expect(op).toBeNull();
      });
    });
  });

  it('carries options as TensorFlow writes them', () => {
    // tf.compat.v1.ConfigProto(graph_options=dict(rewrite_options=dict(constant_folding=2, disable_meta_optimizer=True,
    // min_graph_nodes=-1, arithmetic_optimization=1))).SerializeToString(), in order of number
    const bytes = encodeConfigProto({
      constantFolding: false,
      arithmeticOptimization: true,
      minGraphNodes: -1,
      disableMetaOptimizer: true,
    });
    expect(Buffer.from(bytes).toString('hex')).toBe('52155213180238018801ffffffffffffffffff01980101');
  });

  it('refuses options that are not TensorFlow’s, and values that are not theirs', () => {
    const graph = new Graph();
    const session = (optimizer: object) => () => new Session(graph, { engine: 'tensorflow', optimizer });
    expect(session({ commonSubexpressions: true })).toThrow(/no optimizer option 'commonSubexpressions'.*remapping/);
    expect(session({ remapping: 'off' })).toThrow(/true or false is needed/);
    expect(session({ minGraphNodes: 1.5 })).toThrow(/whole number/);
  });
});
