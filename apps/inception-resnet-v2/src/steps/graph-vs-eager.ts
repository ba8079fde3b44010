import * as tf from '@tensorflow/tfjs-core';
import { toNdArray } from '@tfparity/array';
import { graphFunction, type OptimizerOptions } from '@tfparity/graph';
import { type Difference, differenceOf } from '../compare-runs.js';
import { type InceptionOutputs, InceptionResnetV2 } from '../inception-resnet-v2.js';
import { images, variablesOf } from '../model-run.js';
import type { Step, StepContext, StepResult } from '../step.js';

const id = '5-graph-vs-eager';
const title = 'The migrated layer eager, and as a graph with optimization off and on';

/** How far optimized end points may be from eager ones, by the largest logit: rounding that grew, not another value. */
const RTOL = 1e-3;

/** One way to run the graph. */
interface GraphRun {
  readonly optimization: string;
  /** How often the optimizer rewrote something. */
  readonly rewrites: number;
  readonly logits: Difference;
  /** The worst of all end points. */
  readonly worst: Difference;
}

/** What the step adds to a result. */
interface GraphVsEagerResult extends StepResult {
  readonly runs: readonly GraphRun[];
}

const MODES: readonly { readonly optimization: string; readonly optimizer: OptimizerOptions | boolean }[] = [
  { optimization: 'off', optimizer: false },
  { optimization: 'batchNormFolding', optimizer: { batchNormFolding: true } },
  { optimization: 'all', optimizer: true },
];

/** The guide's last check: what a difference between graph and eager code comes from, the code or its optimization. */
export const graphVsEager: Step = {
  id,
  title,
  run(context: StepContext): GraphVsEagerResult {
    const settings = { training: false };
    const x = images(settings);
    const layer = new InceptionResnetV2(1000);
    const call = (input: tf.Tensor): InceptionOutputs => layer.apply(input, settings);
    context.progress('eager');
    const eager = tf.tidy(() => call(x));
    const runs = MODES.map(({ optimization, optimizer }) => {
      context.progress(`as a graph, optimization ${optimization}`);
      return graphRun(call, x, eager, { optimization, optimizer });
    });
    const spread = Math.max(...Array.from(eager.logits.dataSync(), Math.abs));
    const passed = runs.every(({ optimization, worst }) =>
      optimization === 'off' ? worst.bitIdentical : worst.maxAbsoluteDifference <= RTOL * Math.max(1, spread),
    );
    tf.dispose([eager, x, variablesOf(layer)]);
    const lines = runs.map(
      ({ optimization, rewrites, worst, logits }) =>
        `optimization ${optimization} (${rewrites} rewrites): ${worst.bitIdentical ? 'every end point has the bits of eager code' : `logits within ${logits.maxAbsoluteDifference.toExponential(2)}, end points within ${worst.maxAbsoluteDifference.toExponential(2)}`}`,
    );
    return { id, title, passed, lines, runs };
  },
};

function graphRun(
  call: (input: tf.Tensor) => InceptionOutputs,
  x: tf.Tensor,
  eager: InceptionOutputs,
  { optimization, optimizer }: (typeof MODES)[number],
): GraphRun {
  using traced = graphFunction(call, { optimizer });
  const got = traced(x);
  const difference = (actual: tf.Tensor, expected: tf.Tensor) => differenceOf(toNdArray(actual), toNdArray(expected));
  const all = Object.entries(got.endPoints).map(([name, actual]) => difference(actual, eager.endPoints[name]!));
  const logits = difference(got.logits, eager.logits);
  tf.dispose(got);
  const worst = {
    maxAbsoluteDifference: Math.max(...all.map((each) => each.maxAbsoluteDifference)),
    bitIdentical: logits.bitIdentical && all.every((each) => each.bitIdentical),
  };
  return { optimization, rewrites: traced.optimizerReport?.changes.length ?? 0, logits, worst };
}
