// Ports tf.compat.v1.train.AdadeltaOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import type * as tf from '@tensorflow/tfjs-core';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import type { UpdateRule } from '../update-rule.js';
import { ADADELTA } from '../update-rules.js';

/** Options of `AdadeltaOptimizer`, with TF1's defaults. */
export interface AdadeltaOptimizerOptions {
  /** The learning rate; 0.001 unless said. */
  readonly learningRate?: Hyperparameter;
  /** How slowly the means follow; 0.95 unless said. */
  readonly rho?: Hyperparameter;
  /** Added under the roots; 1e-8 unless said. */
  readonly epsilon?: Hyperparameter;
  /** Names the slots. */
  readonly name?: string;
}

/** Adadelta; slots `accum` and `accum_update`. */
export class AdadeltaOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1AdadeltaOptimizer';
  private readonly settings: Required<AdadeltaOptimizerOptions>;

  constructor(options: AdadeltaOptimizerOptions = {}) {
    super(options.name ?? 'Adadelta');
    this.settings = withDefaults<Required<AdadeltaOptimizerOptions>>(options, {
      learningRate: 0.001,
      rho: 0.95,
      epsilon: 1e-8,
      name: 'Adadelta',
    });
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return [
      { name: 'accum', initialValue: 0 },
      { name: 'accum_update', initialValue: 0 },
    ];
  }

  protected override rule(): UpdateRule {
    return ADADELTA;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    const { learningRate, rho, epsilon } = this.settings;
    return { lr: learningRate, rho, epsilon };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
