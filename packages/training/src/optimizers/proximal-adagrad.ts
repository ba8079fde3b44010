// Ports tf.compat.v1.train.ProximalAdagradOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import type * as tf from '@tensorflow/tfjs-core';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import { valueError } from '../training-error.js';
import type { UpdateRule } from '../update-rule.js';
import { PROXIMAL_ADAGRAD } from '../update-rules.js';

/** Options of `ProximalAdagradOptimizer`, with TF1's defaults. */
export interface ProximalAdagradOptimizerOptions {
  /** The learning rate. */
  readonly learningRate: Hyperparameter;
  /** What the sums start at; 0.1 unless said. */
  readonly initialAccumulatorValue?: number;
  /** L1; 0 unless said. */
  readonly l1RegularizationStrength?: number;
  /** L2; 0 unless said. */
  readonly l2RegularizationStrength?: number;
  /** Names the slots. */
  readonly name?: string;
}

/** Adagrad with the proximal operator of L1 and L2; slot `accumulator`. */
export class ProximalAdagradOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1ProximalAdagradOptimizer';
  private readonly settings: Required<ProximalAdagradOptimizerOptions>;

  constructor(options: ProximalAdagradOptimizerOptions) {
    super(options.name ?? 'ProximalAdagrad');
    this.settings = withDefaults<Required<ProximalAdagradOptimizerOptions>>(
      options,
      {
        initialAccumulatorValue: 0.1,
        l1RegularizationStrength: 0,
        l2RegularizationStrength: 0,
        name: 'ProximalAdagrad',
      },
      ['learningRate'],
    );
    const { initialAccumulatorValue } = this.settings;
    if (initialAccumulatorValue <= 0) {
      throw valueError(`initial_accumulator_value must be positive: ${initialAccumulatorValue}`);
    }
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return [{ name: 'accumulator', initialValue: this.settings.initialAccumulatorValue }];
  }

  protected override rule(): UpdateRule {
    return PROXIMAL_ADAGRAD;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    const { learningRate, l1RegularizationStrength, l2RegularizationStrength } = this.settings;
    return { lr: learningRate, l1: l1RegularizationStrength, l2: l2RegularizationStrength };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
