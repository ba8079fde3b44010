// Ports tf.compat.v1.train.FtrlOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import type * as tf from '@tensorflow/tfjs-core';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import { valueError } from '../training-error.js';
import type { UpdateRule } from '../update-rule.js';
import { FTRL, FTRL_V2 } from '../update-rules.js';

/** Options of `FtrlOptimizer`, with TF1's defaults. */
export interface FtrlOptimizerOptions {
  /** The learning rate. */
  readonly learningRate: Hyperparameter;
  /** How the rate falls with the sum of squares; at most 0; -0.5 unless said. */
  readonly learningRatePower?: number;
  /** What the sums start at; 0.1 unless said. */
  readonly initialAccumulatorValue?: number;
  /** L1; 0 unless said. */
  readonly l1RegularizationStrength?: number;
  /** L2; 0 unless said. */
  readonly l2RegularizationStrength?: number;
  /** L2 that shrinks the gradient rather than the step; 0 unless said. */
  readonly l2ShrinkageRegularizationStrength?: number;
  /** Names the slots. */
  readonly name?: string;
}

/** Follow the regularized leader; slots `accum` and `linear`. */
export class FtrlOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1FtrlOptimizer';
  private readonly settings: Required<FtrlOptimizerOptions>;

  constructor(options: FtrlOptimizerOptions) {
    super(options.name ?? 'Ftrl');
    this.settings = withDefaults<Required<FtrlOptimizerOptions>>(
      options,
      {
        learningRatePower: -0.5,
        initialAccumulatorValue: 0.1,
        l1RegularizationStrength: 0,
        l2RegularizationStrength: 0,
        l2ShrinkageRegularizationStrength: 0,
        name: 'Ftrl',
      },
      ['learningRate'],
    );
    const { learningRatePower, initialAccumulatorValue } = this.settings;
    if (initialAccumulatorValue < 0) {
      throw valueError(`initial_accumulator_value ${initialAccumulatorValue} needs to be positive or zero`);
    }
    if (learningRatePower > 0) {
      throw valueError(`learning_rate_power ${learningRatePower} needs to be negative or zero`);
    }
    this.requirePositive('l1_regularization_strength', this.settings.l1RegularizationStrength);
    this.requirePositive('l2_regularization_strength', this.settings.l2RegularizationStrength);
    this.requirePositive('l2_shrinkage_regularization_strength', this.settings.l2ShrinkageRegularizationStrength);
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return [
      { name: 'accum', initialValue: this.settings.initialAccumulatorValue },
      { name: 'linear', initialValue: 0 },
    ];
  }

  protected override rule(): UpdateRule {
    return this.settings.l2ShrinkageRegularizationStrength > 0 ? FTRL_V2 : FTRL;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    const { settings } = this;
    return {
      lr: settings.learningRate,
      l1: settings.l1RegularizationStrength,
      // TensorFlow folds this many rates into L2 where the rate is a beta's; TF1's optimizer has no beta.
      l2: settings.l2RegularizationStrength,
      l2_shrinkage: settings.l2ShrinkageRegularizationStrength,
      lr_power: settings.learningRatePower,
    };
  }

  private requirePositive(name: string, value: number): void {
    if (value < 0) throw valueError(`${name} ${value} needs to be positive or zero`);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
