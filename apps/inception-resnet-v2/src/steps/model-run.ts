import { compareRuns, type RunComparison } from '../compare-runs.js';
import { goldenRun } from '../golden.js';
import { type RunSettings, runMigrated } from '../model-run.js';
import type { PUBLISHED_LOSSES } from '../published.js';
import type { Step, StepContext, StepResult } from '../step.js';

/** A step that runs the whole net on both sides. */
interface ModelStep {
  readonly id: string;
  readonly title: string;
  readonly settings: RunSettings;
  /** The golden run of the same settings. */
  readonly golden: string;
  readonly published?: keyof typeof PUBLISHED_LOSSES;
  readonly functional?: boolean;
  readonly lossRtol?: number;
  /**
   * How far the end points may be from TensorFlow's recorded ones. `reported`: the recorded values are themselves
   * rounding noise that grew (a batch norm over a constant), so only the same bits mean anything.
   */
  readonly tolerance: { readonly rtol: number; readonly atol: number } | 'reported';
}

const GUIDE = { rtol: 1e-6, atol: 1e-5 };

const MODEL_STEPS: readonly ModelStep[] = [
  {
    id: '3-reset',
    title: 'All variables at 0.001, no randomness: outputs and losses match',
    settings: { training: false, reset: 0.001 },
    golden: 'reset',
    published: 'reset',
    tolerance: GUIDE,
    // TensorFlow's float32 sum of millions of equal squares is off by up to 3.1e-6; other backends sum exactly.
    lossRtol: 4e-6,
  },
  {
    id: '4-inference',
    title: 'Random numbers aligned, inference',
    settings: { mode: 'num_random_ops', training: false },
    golden: 'infer',
    published: 'infer',
    tolerance: GUIDE,
  },
  {
    id: '4-training',
    title: 'Random numbers aligned, training, input of ones',
    settings: { mode: 'num_random_ops', training: true },
    golden: 'train',
    published: 'train',
    tolerance: 'reported',
  },
  {
    id: '4-training-image',
    title: 'Random numbers aligned, training, two images of noise',
    settings: { mode: 'num_random_ops', training: true, image: true },
    golden: 'image',
    tolerance: { rtol: 0, atol: 1e-4 },
  },
  {
    id: '4-training-constant-functional',
    title: 'Constant mode, training, the layer inside a functional model',
    settings: { mode: 'constant', training: true },
    golden: 'constant',
    published: 'constant',
    functional: true,
    tolerance: 'reported',
  },
];

/** Steps 3 and 4: the whole net on both sides, compared with each other, with the golden run and what was published. */
export const modelSteps: readonly Step[] = MODEL_STEPS.map((step) => ({
  id: step.id,
  title: step.title,
  run(context: StepContext): StepResult & RunComparison {
    context.progress('TF1 side: graph and session');
    const tf1 = context.legacy.run(step.settings);
    context.progress('migrated side: layer');
    const migrated = runMigrated(step.settings, { functional: step.functional ?? false });
    const golden = goldenRun(step.golden);
    const comparison = compareRuns(tf1, migrated, golden, { ...step, bits: context.golden === 'bits' });
    return { id: step.id, title: step.title, ...comparison };
  },
}));
