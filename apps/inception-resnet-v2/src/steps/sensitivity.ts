import type * as tf from '@tensorflow/tfjs-core';
import {
  argScope,
  avgPool2d,
  batchNorm,
  conv2d,
  dropout,
  flatten,
  fullyConnected,
  maxPool2d,
  nets,
  repeat,
} from '@tfparity/slim';
import { formatSensitivity, type Migration, proveSensitivity, type SensitivityReport } from '@tfparity/validate';
import { Tf1Layer, trackTf1StyleVariables, variableScope } from '@tfparity/variables';
import { forwardPass, type InceptionOutputs, InceptionResnetV2 } from '../inception-resnet-v2.js';
import type { Step, StepContext, StepResult } from '../step.js';

const id = '7-sensitivity';
const title = 'The steps can fail: faults injected into the migrated side are caught';

/** The guide's reset and training, and the same with values by name and an input of noise, which see what the reset hides. */
const QUICK_STEPS = ['inventory', 'reset', 'by-name', 'training', 'by-name-training'] as const;
const FULL_STEPS = [
  'inventory',
  'reset',
  'by-name',
  'inference',
  'training',
  'training-constant',
  'by-name-training',
] as const;

/** The smallest images whose windows all fit. */
const SECTION_SIZE = 75;
const CLASSES = 10;

/**
 * A section of the net that has every kind of op that it has, by the net's own names: stem, Mixed_5b, the first residual
 * block, and the head. A fault is as visible in it as in the whole net, in a twentieth of the time.
 */
function sectionPass(images: tf.Tensor, training: boolean): InceptionOutputs {
  using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
  using __ = argScope([batchNorm, dropout], { isTraining: training });
  return variableScope('InceptionResnetV2', (scope) => {
    const { net, endPoints } = nets.inceptionResnetV2Base(images, { finalEndpoint: 'Mixed_5b', scope });
    const blocks = argScope([conv2d, maxPool2d, avgPool2d], { stride: 1, padding: 'SAME' }, () =>
      repeat(net, 1, nets.block35, { scale: 0.17 }),
    );
    return variableScope('Logits', () => {
      const pooled = avgPool2d(blocks, blocks.shape.slice(1, 3), { padding: 'VALID', scope: 'AvgPool_1a_8x8' });
      const features = dropout(flatten(pooled), { keepProb: 0.8, scope: 'Dropout' });
      const logits = fullyConnected(features, CLASSES, { activationFn: null, scope: 'Logits' });
      return { logits, endPoints: { ...endPoints, Repeat: blocks } };
    });
  });
}

class InceptionSection extends Tf1Layer<InceptionOutputs> {
  static readonly className = 'InceptionSection';

  @trackTf1StyleVariables
  override call(images: tf.Tensor, { training = false } = {}): InceptionOutputs {
    return sectionPass(images, training);
  }
}

/** What the step adds to a result. */
interface SensitivityResult extends StepResult {
  readonly sensitivity: Pick<SensitivityReport, 'passed' | 'summary' | 'seconds' | 'steps' | 'faults'> & {
    /** What the faults were injected into. */
    readonly net: string;
  };
}

type Forward = (images: tf.Tensor, training: boolean) => InceptionOutputs;

/** Both sides of the section, or of the whole net: TF1 code in a graph and session, and the same code in a layer. */
function migrationOf(extent: 'section' | 'full'): Migration {
  const forward: Forward = extent === 'full' ? (x, training) => forwardPass(x, { training }) : sectionPass;
  const size = extent === 'full' ? 299 : SECTION_SIZE;
  return {
    legacy: { trace: (images, { training }) => forward(images as tf.Tensor, training) },
    migrated: () => (extent === 'full' ? new InceptionResnetV2(1000) : new InceptionSection({})),
    inputs: ones(size),
  };
}

const ones = (size: number) => ({
  dtype: 'float32' as const,
  shape: [1, size, size, 3],
  data: new Float32Array(size * size * 3).fill(1),
});

const stepsThat = (outcome: string, { faults }: SensitivityReport, step: string): number =>
  faults.filter(({ steps }) => steps.some((cell) => cell.step === step && cell.outcome === outcome)).length;

/**
 * Step 7: faults of real migrations, injected into the migrated side one at a time, each have to be caught by some step.
 * Quick, a fault is done with once it is caught, and goes into a section of the net; in full it goes through every step of the
 * whole net.
 */
export const sensitivityStep: Step = {
  id,
  title,
  async run({ sensitivity: extent, progress }: StepContext): Promise<SensitivityResult> {
    const report = await proveSensitivity(migrationOf(extent), {
      steps: extent === 'full' ? FULL_STEPS : QUICK_STEPS,
      stopWhenCaught: extent !== 'full',
      onProgress: ({ fault, index, count }) => progress(`fault ${index + 1} of ${count}: ${fault}`),
    });
    const { faults, steps, summary, seconds } = report;
    const absent = faults.filter(({ status }) => status === 'not-injected').map((fault) => fault.id);
    // The table is the proof: a fault that found no place in this net would be one that nobody looked for.
    const passed = report.passed && absent.length === 0;
    const net = extent === 'full' ? 'the whole net' : 'a section of the net: stem, Mixed_5b, one residual block, head';
    const lines = [
      `${summary}, in ${net}`,
      `the guide's reset misses ${stepsThat('missed', report, 'reset')} of them, values by name with an input of noise ${stepsThat('missed', report, 'by-name')}`,
      formatSensitivity(report).split('\n').slice(1).join('\n'),
    ];
    return { id, title, passed, lines, sensitivity: { passed, summary, seconds, net, steps, faults } };
  },
};
