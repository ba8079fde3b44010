import * as tf from '@tensorflow/tfjs-core';
import { Graph, Session } from '@tfparity/graph';
import { compareArrays } from '@tfparity/numerics';
import { DeterministicRandomTestTool, type RandomTestMode, uniform } from '@tfparity/random';
import { PUBLISHED_ARRAYS } from '../published.js';
import type { Step, StepContext, StepResult } from '../step.js';

type Arrays = Record<'a' | 'b' | 'c', number[]>;

/** The guide's three random arrays: the code is the same in a graph and outside one. */
function drawArrays(): Record<keyof Arrays, tf.Tensor> {
  const a = tf.mul(uniform([3, 1]), 3);
  const b = tf.mul(uniform([3, 3]), 3);
  const c = tf.mul(uniform([3, 3]), 3);
  return { a, b, c };
}

function flat(tensors: Record<keyof Arrays, tf.Tensor>): Arrays {
  const arrays = Object.entries(tensors).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]);
  tf.dispose(tensors);
  return Object.fromEntries(arrays) as Arrays;
}

function inGraph(mode: RandomTestMode, engine: 'replay' | 'tensorflow'): Arrays {
  return new DeterministicRandomTestTool({ mode }).scope(() => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const arrays = drawArrays();
    using session = new Session(graph, { engine });
    return flat(session.run(arrays));
  });
}

function inEager(mode: RandomTestMode): Arrays {
  return new DeterministicRandomTestTool({ mode }).scope(() => flat(tf.tidy(drawArrays)));
}

/** Printed with 8 digits, so a published value is met when it is the nearest float32's neighbour at most. */
const PRINTED = { rtol: 2e-7, atol: 0 };

function compare(
  tf1: Arrays,
  migrated: Arrays,
  mode: RandomTestMode,
): { lines: string[]; passed: boolean; equal: boolean } {
  const lines: string[] = [];
  let passed = true;
  for (const name of ['a', 'b', 'c'] as const) {
    const array = (values: readonly number[]) => ({
      dtype: 'float32' as const,
      shape: [values.length],
      data: Float32Array.from(values),
    });
    const same = compareArrays(array(migrated[name]), array(tf1[name]), { rtol: 0, atol: 0 }).passed;
    const published = compareArrays(array(tf1[name]), array(PUBLISHED_ARRAYS[mode][name]), PRINTED).passed;
    passed &&= same && published;
    const verdict = `${same ? 'sides identical' : 'SIDES DIFFER'}, ${published ? 'as published' : 'NOT AS PUBLISHED'}`;
    lines.push(`${name}: ${tf1[name].slice(0, 3).join(', ')}${tf1[name].length > 3 ? ', …' : ''} (${verdict})`);
  }
  const equal = tf1.b.every((value, i) => value === tf1.c[i]);
  const expected = mode === 'constant';
  lines.push(equal ? 'b and c are the same numbers' : 'b and c are different numbers');
  return { lines, equal, passed: passed && equal === expected };
}

/** Step 4, first part: the guide's three arrays, drawn in a graph and in eager code under the test tool. */
export function arraysStep(mode: RandomTestMode): Step {
  const id = `4-arrays-${mode.replaceAll('_', '-')}`;
  const title = `Random arrays under the test tool, mode ${mode}`;
  return {
    id,
    title,
    run({ legacy }: StepContext): StepResult & { tf1: Arrays; migrated: Arrays } {
      const tf1 = inGraph(mode, legacy.kind === 'typescript' ? 'replay' : 'tensorflow');
      const migrated = inEager(mode);
      const { lines, passed } = compare(tf1, migrated, mode);
      return { id, title, passed, lines, tf1, migrated };
    },
  };
}
