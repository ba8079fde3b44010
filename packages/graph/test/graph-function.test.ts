import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { DeterministicRandomTestTool, normal, setSeed } from '@tfparity/random';
import { batchNorm } from '@tfparity/slim';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable, Tf1Layer, trackTf1StyleVariables } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { Graph, graphFunction, isGraphError } from '../src/index.js';

const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());
const codeOf = (call: () => unknown): unknown => {
  try {
    call();
  } catch (error) {
    return isGraphError(error) ? error.code : error;
  }
  return 'nothing';
};

const cases = backends.flatMap((backend) =>
  (backend === 'tensorflow' ? ['replay', 'tensorflow'] : ['replay']).map((engine) => [backend, engine] as const),
);

describe.each(cases)('graphFunction on %s, engine %s', (backend, engineName) => {
  beforeAll(() => useBackend(backend));
  const engine = engineName as 'replay' | 'tensorflow';

  it('gives what the body gives, traced once per dtypes, shapes and plain arguments', () => {
    const traced: unknown[] = [];
    const body = (x: tf.Tensor, { by, power }: { by: number; power?: string }) => {
      traced.push([x.dtype, x.shape, by, power]);
      const y = tf.mul(tf.exp(tf.cast(x, 'float32')), by);
      return { y, parts: [power === 'two' ? tf.square(y) : y], by };
    };
    using f = graphFunction(body, { engine });
    for (const [x, options] of [
      [tf.tensor1d([1, 2]), { by: 2 }],
      [tf.tensor1d([3, 4]), { by: 2 }],
      [tf.tensor1d([3, 4, 5]), { by: 2 }],
      [tf.tensor1d([3, 4], 'int32'), { by: 2 }],
      [tf.tensor1d([3, 4]), { by: 3 }],
      [tf.tensor1d([3, 4]), { by: 3, power: 'two' }],
      [tf.tensor1d([7, 8]), { by: 3, power: 'two' }],
    ] as const) {
      const got = f(x, options);
      const count = traced.length;
      const expected = body(x, options);
      traced.length = count;
      expect(values(got.y)).toEqual(values(expected.y));
      expect(values(got.parts[0]!)).toEqual(values(expected.parts[0]!));
      expect(got.by).toBe(options.by);
    }
    expect(traced).toEqual([
      ['float32', [2], 2, undefined],
      ['float32', [3], 2, undefined],
      ['int32', [2], 2, undefined],
      ['float32', [2], 3, undefined],
      ['float32', [2], 3, 'two'],
    ]);
    expect(f.tracingCount).toBe(5);
  });

  it('reads variables when it is called, and assigns them in the order of the body', () => {
    const v = tf.variable(tf.scalar(1));
    using f = graphFunction(
      (x: tf.Tensor) => {
        v.assign(tf.add(v, x));
        const middle = tf.mul(v, 10);
        v.assign(tf.mul(v, 2));
        return { middle, after: tf.add(v, 0) };
      },
      { engine },
    );
    const step = () => Object.values(f(tf.scalar(1))).map((tensor) => values(tensor)[0]);
    expect([step(), values(v)]).toEqual([[20, 4], [4]]);
    v.assign(tf.scalar(9));
    expect([step(), values(v)]).toEqual([[100, 20], [20]]);
    expect(f.tracingCount).toBe(1);
    const wrong = () => {
      v.assign(tf.zeros([2]));
      return tf.scalar(0);
    };
    expect(() => graphFunction(wrong, { engine })()).toThrow(/Cannot assign value to variable/);
    v.assign(tf.scalar(5));
    expect(values(v)).toEqual([5]);
    v.dispose();
  });

  it('lets the first trace make variables, and no other', () => {
    let made: tf.Variable | undefined;
    using once = graphFunction(
      (x: tf.Tensor) => {
        made ??= tf.variable(tf.add(tf.ones([]), 2));
        return tf.mul(x, made);
      },
      { engine },
    );
    expect(values(once(tf.scalar(2)))).toEqual([6]);
    expect(values(once(tf.tensor1d([1, 2])))).toEqual([3, 6]);
    expect(values(made!)).toEqual([3]);
    made!.dispose();
    const all: tf.Variable[] = [];
    using each = graphFunction(
      (x: tf.Tensor) => {
        all.push(tf.variable(tf.scalar(1)));
        return tf.mul(x, all.at(-1)!);
      },
      { engine },
    );
    expect(values(each(tf.scalar(2)))).toEqual([2]);
    expect(() => each(tf.tensor1d([1]))).toThrow(
      'tf.function only supports singleton tf.Variables created on the first call.',
    );
    expect(codeOf(() => each(tf.tensor1d([1])))).toBe('VariableCreated');
    tf.dispose(all);
  });

  it('may make its variables after a first call that failed', () => {
    let fail = true;
    using f = graphFunction((x: tf.Tensor) => {
      const v = getVariable('late', { shape: [2], initializer: (shape) => tf.ones([...shape]) });
      if (fail) throw new Error('not yet');
      return tf.add(v, x);
    });
    const x = tf.tensor1d([1, 2]);
    expect(() => f(x)).toThrow('not yet');
    expect(f.tracingCount).toBe(0);
    fail = false;
    expect(Array.from(f(x).dataSync())).toEqual([2, 3]);
    expect(f.tracingCount).toBe(1);
  });

  it('keeps the state of its random ops from call to call, each trace its own', () => {
    setSeed(3);
    using f = graphFunction((x: tf.Tensor) => tf.add(x, normal(x.shape, { seed: 5 })), { engine });
    const [first, second] = [values(f(tf.zeros([3]))), values(f(tf.zeros([3])))];
    expect(second).not.toEqual(first);
    using again = graphFunction((x: tf.Tensor) => tf.add(x, normal(x.shape, { seed: 5 })), { engine });
    expect([values(again(tf.zeros([3]))), values(again(tf.zeros([3])))]).toEqual([first, second]);
    expect(values(f(tf.zeros([1])))[0]).toBe(first[0]);
  });

  it('needs no new trace for sizes that its signature leaves open, and refuses what does not fit', () => {
    using f = graphFunction((x: tf.Tensor) => tf.reshape(tf.mul(x, 2), [-1, 1, 2]), {
      engine,
      inputSignature: [{ shape: [null, 2], dtype: 'float32' }],
    });
    for (const rows of [1, 2, 5]) expect(f(tf.ones([rows, 2])).shape).toEqual([rows, 1, 2]);
    expect(f.tracingCount).toBe(1);
    expect(() => f(tf.ones([2, 3]))).toThrow(
      'Can not cast TensorSpec(shape=(2, 3), dtype=tf.float32, name=None) to ' +
        'TensorSpec(shape=(None, 2), dtype=tf.float32, name=None)',
    );
    expect(codeOf(() => f(tf.ones([2, 2], 'int32')))).toBe('WrongValue');
  });

  it('computes the same gradients and the same layer as eager code', () => {
    class Net extends Tf1Layer<tf.Tensor> {
      static readonly className = 'Net';
      @trackTf1StyleVariables
      override call(x: tf.Tensor, { training = false } = {}): tf.Tensor {
        const w = getVariable('w', { shape: [3, 3, 1, 2] });
        const y = tf.conv2d(x as tf.Tensor4D, w as unknown as tf.Tensor4D, 1, 'same');
        return batchNorm(y, { isTraining: training, decay: 0.5, updatesCollections: null, scope: 'bn' });
      }
    }
    const x = tf.tensor4d(
      Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      [2, 4, 4, 1],
    );
    const run = (graph: boolean) =>
      new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() => {
        const net = new Net({});
        const call = (input: tf.Tensor, training: boolean) => net.apply(input, { training }) as tf.Tensor;
        const loss = (input: tf.Tensor) => tf.grad((i: tf.Tensor) => tf.sum(tf.square(call(i, false))))(input);
        const functions = graph ? [graphFunction(call, { engine }), graphFunction(loss, { engine })] : [call, loss];
        const [forward, gradient] = functions as [typeof call, typeof loss];
        const got = [forward(x, true), forward(x, true), forward(x, false), gradient(x)].map(values);
        const variables = net.weights.map((weight) => values(weight.read()));
        for (const weight of net.weights) weight.read().dispose();
        return { got, variables };
      });
    const [eager, traced] = [run(false), run(true)];
    if (engine === 'replay') expect(traced).toEqual(eager);
    else {
      // TensorFlow's graph optimizer is on there, and rounds elsewhere.
      const flat = (result: typeof eager) => [...result.got, ...result.variables].flat();
      flat(traced).forEach((value, i) => {
        expect(value).toBeCloseTo(flat(eager)[i]!, 4);
      });
    }
  });

  it('is a part of the graph or function that it is called in', () => {
    using inner = graphFunction((x: tf.Tensor) => tf.exp(x), { engine });
    using outer = graphFunction((x: tf.Tensor) => tf.mul(inner(x), 2), { engine });
    expect(values(outer(tf.zeros([2])))).toEqual([2, 2]);
    expect([inner.tracingCount, outer.tracingCount]).toEqual([0, 1]);
    const graph = new Graph();
    graph.asDefault(() => inner(tf.zeros([2])));
    expect(graph.operations.map((op) => op.type)).toEqual(['Const', 'Exp']);
  });

  it('leaks nothing, and is not called after it was disposed of', () => {
    const x = tf.ones([2]);
    const v = tf.variable(tf.ones([2]));
    const before = tf.memory().numTensors;
    const f = graphFunction(
      (input: tf.Tensor) => {
        v.assign(tf.add(v, input));
        return [tf.exp(input), v];
      },
      { engine },
    );
    tf.dispose(f(x));
    const warm = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) tf.dispose(f(x));
    expect(tf.memory().numTensors).toBe(warm);
    f.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(values(v)).toEqual([22, 22]);
    expect(codeOf(() => f(x))).toBe('Closed');
    tf.dispose([x, v]);
  });

  it('optimizes only where it is asked to', () => {
    using f = graphFunction((x: tf.Tensor) => tf.div(x, 3), engine === 'replay' ? { optimizer: true } : { engine });
    const x = tf.tensor1d([1, 2, 4, 5, 7]);
    values(f(x)).forEach((value, i) => {
      expect(value).toBeCloseTo([1, 2, 4, 5, 7][i]! / 3, 5);
    });
    expect(f.optimizerReport?.counts.constantFolding).toBe(engine === 'replay' ? 1 : undefined);
    expect(codeOf(() => graphFunction((async () => tf.scalar(1)) as never)())).toBe('WrongValue');
  });
});
