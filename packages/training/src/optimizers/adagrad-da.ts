// Ports tf.compat.v1.train.AdagradDAOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import * as tf from '@tensorflow/tfjs-core';
import { currentContext } from '@tfparity/variables';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import { valueError } from '../training-error.js';
import type { UpdateRule } from '../update-rule.js';
import { ADAGRAD_DA } from '../update-rules.js';

/** Options of `AdagradDAOptimizer`, with TF1's defaults. */
export interface AdagradDAOptimizerOptions {
  /** The learning rate. */
  readonly learningRate: Hyperparameter;
  /** The int32 variable that counts the steps; the steps that the optimizer itself has taken where left out, in eager code. */
  readonly globalStep?: tf.Variable;
  /** What the sums of squares start at; 0.1 unless said. */
  readonly initialGradientSquaredAccumulatorValue?: number;
  /** L1; 0 unless said. */
  readonly l1RegularizationStrength?: number;
  /** L2; 0 unless said. */
  readonly l2RegularizationStrength?: number;
  /** Names the slots. */
  readonly name?: string;
}

/** Adagrad by dual averaging; slots `gradient_accumulator` and `gradient_squared_accumulator`. */
export class AdagradDAOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1AdagradDAOptimizer';
  private readonly settings: Required<Omit<AdagradDAOptimizerOptions, 'globalStep'>>;
  private readonly globalStep: tf.Variable | undefined;

  constructor({ globalStep, ...options }: AdagradDAOptimizerOptions) {
    super(options.name ?? 'AdagradDA');
    this.globalStep = globalStep;
    this.settings = withDefaults<Required<Omit<AdagradDAOptimizerOptions, 'globalStep'>>>(
      options,
      {
        initialGradientSquaredAccumulatorValue: 0.1,
        l1RegularizationStrength: 0,
        l2RegularizationStrength: 0,
        name: 'AdagradDA',
      },
      ['learningRate'],
    );
    const { initialGradientSquaredAccumulatorValue: initial } = this.settings;
    if (initial <= 0) throw valueError(`initial_gradient_squared_accumulator_value must be positive: ${initial}`);
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return [
      { name: 'gradient_accumulator', initialValue: 0 },
      { name: 'gradient_squared_accumulator', initialValue: this.settings.initialGradientSquaredAccumulatorValue },
    ];
  }

  protected override rule(): UpdateRule {
    return ADAGRAD_DA;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    const { learningRate, l1RegularizationStrength, l2RegularizationStrength } = this.settings;
    return {
      lr: learningRate,
      l1: l1RegularizationStrength,
      l2: l2RegularizationStrength,
      global_step: this.step(),
    };
  }

  /** The step that is being taken. */
  private step(): Hyperparameter {
    if (this.globalStep !== undefined) return tf.add(this.globalStep, tf.scalar(1, 'int32')) as tf.Scalar;
    if (currentContext().kind === 'eager') return this.iterations + 1;
    throw valueError('AdagradDA needs the global step in a graph: give it as globalStep');
  }

  /** @throws {TrainingError} `ValueError` where the global step is not the number of steps that the optimizer has taken */
  override getConfig(): tf.serialization.ConfigDict {
    const step = this.globalStep?.dataSync()[0] ?? this.iterations;
    if (step === this.iterations) return configOf(this.settings);
    throw valueError(
      `AdagradDA goes by a global step of ${step} and has taken ${this.iterations} steps itself, which a configuration cannot hold; save the training's state as a checkpoint (trainingState)`,
      { globalStep: step, iterations: this.iterations },
    );
  }
}
