// Ports tf.compat.v1.train.ProximalGradientDescentOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import type * as tf from '@tensorflow/tfjs-core';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import type { UpdateRule } from '../update-rule.js';
import { PROXIMAL_GRADIENT_DESCENT } from '../update-rules.js';

/** Options of `ProximalGradientDescentOptimizer`, with TF1's defaults. */
export interface ProximalGradientDescentOptimizerOptions {
  /** The learning rate. */
  readonly learningRate: Hyperparameter;
  /** L1; 0 unless said. */
  readonly l1RegularizationStrength?: number;
  /** L2; 0 unless said. */
  readonly l2RegularizationStrength?: number;
  /** Names the slots. */
  readonly name?: string;
}

/** Gradient descent with the proximal operator of L1 and L2. */
export class ProximalGradientDescentOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1ProximalGradientDescentOptimizer';
  private readonly settings: Required<ProximalGradientDescentOptimizerOptions>;

  constructor(options: ProximalGradientDescentOptimizerOptions) {
    super(options.name ?? 'ProximalGradientDescent');
    this.settings = withDefaults<Required<ProximalGradientDescentOptimizerOptions>>(
      options,
      {
        l1RegularizationStrength: 0,
        l2RegularizationStrength: 0,
        name: 'ProximalGradientDescent',
      },
      ['learningRate'],
    );
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return [];
  }

  protected override rule(): UpdateRule {
    return PROXIMAL_GRADIENT_DESCENT;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    const { learningRate, l1RegularizationStrength, l2RegularizationStrength } = this.settings;
    return { lr: learningRate, l1: l1RegularizationStrength, l2: l2RegularizationStrength };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
