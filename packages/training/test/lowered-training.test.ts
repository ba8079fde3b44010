import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, isGraphError, lowerGraph, Session } from '@tfparity/graph';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AdadeltaOptimizer,
  AdagradDAOptimizer,
  AdagradOptimizer,
  AdamOptimizer,
  createTrainOp,
  exponentialDecay,
  FtrlOptimizer,
  GradientDescentOptimizer,
  getOrCreateGlobalStep,
  MomentumOptimizer,
  ProximalAdagradOptimizer,
  ProximalGradientDescentOptimizer,
  RMSPropOptimizer,
  type Tf1Optimizer,
} from '../src/index.js';

type Rate = tf.Scalar | (() => tf.Scalar);

const OPTIMIZERS: Readonly<Record<string, (learningRate: Rate) => Tf1Optimizer>> = {
  GradientDescent: (learningRate) => new GradientDescentOptimizer({ learningRate }),
  Momentum: (learningRate) => new MomentumOptimizer({ learningRate, momentum: 0.9 }),
  Nesterov: (learningRate) => new MomentumOptimizer({ learningRate, momentum: 0.9, useNesterov: true }),
  Adam: (learningRate) => new AdamOptimizer({ learningRate }),
  RMSProp: (learningRate) => new RMSPropOptimizer({ learningRate, momentum: 0.9, epsilon: 1 }),
  CenteredRMSProp: (learningRate) => new RMSPropOptimizer({ learningRate, momentum: 0.9, centered: true }),
  Adagrad: (learningRate) => new AdagradOptimizer({ learningRate }),
  AdagradDA: (learningRate) => new AdagradDAOptimizer({ learningRate, globalStep: getOrCreateGlobalStep() }),
  Adadelta: (learningRate) => new AdadeltaOptimizer({ learningRate }),
  Ftrl: (learningRate) => new FtrlOptimizer({ learningRate }),
  ProximalAdagrad: (learningRate) => new ProximalAdagradOptimizer({ learningRate }),
  ProximalGradientDescent: (learningRate) => new ProximalGradientDescentOptimizer({ learningRate }),
};

const STEPS = 5;

/** slim's train step of a small quadratic loss, its rate falling. */
function trainStep(make: (learningRate: Rate) => Tf1Optimizer) {
  const w = getVariable('w', { shape: [3], initializer: (_: readonly number[]) => tf.tensor1d([1, -2, 3]) });
  const globalStep = getOrCreateGlobalStep();
  const rate = exponentialDecay({ learningRate: 0.1, globalStep, decaySteps: 2, decayRate: 0.5, staircase: true });
  const optimizer = make(rate);
  const train = createTrainOp(tf.sum(tf.square(w)), optimizer);
  return { train, state: [w, globalStep, ...optimizer.variables()], init: globalVariablesInitializer() };
}

describe.each(backends.filter((name) => name === 'tensorflow'))(
  "training in TensorFlow's own session, %s",
  (backend) => {
    beforeAll(() => useBackend(backend));

    it.each(Object.entries(OPTIMIZERS))(
      '%s: TensorFlow changes variables in place, to the bits of the replay',
      (_, make) => {
        const graph = new Graph();
        using scope = graph.asDefault();
        expect(scope).toBeDefined();
        const { train, state, init } = trainStep(make);
        const trajectory = (engine: 'replay' | 'tensorflow') => {
          using session = new Session(graph, { engine });
          session.run(init);
          const read = (tensor: tf.Tensor) => {
            const value = session.run(tensor) as tf.Tensor;
            const values = Array.from(value.dataSync());
            value.dispose();
            return values;
          };
          return Array.from({ length: STEPS }, () => [train.loss, ...state].map(read));
        };
        const lowered = trajectory('tensorflow');
        expect(lowered).toEqual(trajectory('replay'));
        expect(lowered.at(-1)![1]).not.toEqual([1, -2, 3]);
        const ops = lowerGraph(graph).graph.nodes.map(({ op }) => op);
        expect(ops.filter((op) => /^Resource.*Apply/.test(op))).toHaveLength(1);
        // The one handle of each variable, and no other: nothing is computed in scratch variables.
        expect(ops.filter((op) => op === 'VarHandleOp')).toHaveLength(state.length);
      },
    );

    it('a constraint, which needs the new value before it is assigned, is refused with the line', () => {
      const graph = new Graph();
      using _ = graph.asDefault();
      const constraint = (value: tf.Tensor) => tf.relu(value);
      const w = getVariable('w', { shape: [3], initializer: (__: readonly number[]) => tf.ones([3]), constraint });
      createTrainOp(tf.sum(tf.square(w)), new GradientDescentOptimizer({ learningRate: 1 }));
      const failure = (() => {
        try {
          return lowerGraph(graph);
        } catch (error) {
          return error;
        }
      })();
      expect(isGraphError(failure) && failure.code).toBe('CannotLower');
      expect(String(failure)).toMatch(/would change the variable 'w' in place.*made at .*lowered-training\.test\.ts/s);
    });
  },
);
