// Ports tf.compat.v1.train.MomentumOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import type * as tf from '@tensorflow/tfjs-core';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import type { UpdateRule } from '../update-rule.js';
import { MOMENTUM } from '../update-rules.js';

/** Options of `MomentumOptimizer`, with TF1's defaults. */
export interface MomentumOptimizerOptions {
  /** The learning rate. */
  readonly learningRate: Hyperparameter;
  /** How much of the last step remains. */
  readonly momentum: Hyperparameter;
  /** Whether the gradient is taken ahead of the step; false unless said. */
  readonly useNesterov?: boolean;
  /** Names the slots. */
  readonly name?: string;
}

/** Momentum, with Nesterov's step where asked; slot `momentum`. */
export class MomentumOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1MomentumOptimizer';
  private readonly settings: Required<MomentumOptimizerOptions>;

  constructor(options: MomentumOptimizerOptions) {
    super(options.name ?? 'Momentum');
    this.settings = withDefaults<Required<MomentumOptimizerOptions>>(
      options,
      { useNesterov: false, name: 'Momentum' },
      ['learningRate', 'momentum'],
    );
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return [{ name: 'momentum', initialValue: 0 }];
  }

  protected override rule(): UpdateRule {
    return MOMENTUM;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    const { learningRate, momentum } = this.settings;
    return { lr: learningRate, momentum };
  }

  protected override attributes(): Record<string, boolean> {
    return { use_nesterov: this.settings.useNesterov };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
