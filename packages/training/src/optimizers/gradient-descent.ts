// Ports tf.compat.v1.train.GradientDescentOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import type * as tf from '@tensorflow/tfjs-core';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import type { UpdateRule } from '../update-rule.js';
import { GRADIENT_DESCENT } from '../update-rules.js';

/** Options of `GradientDescentOptimizer`, with TF1's defaults. */
export interface GradientDescentOptimizerOptions {
  /** The learning rate. */
  readonly learningRate: Hyperparameter;
  /** Names the slots. */
  readonly name?: string;
}

/** Gradient descent: `var -= learningRate * gradient`. */
export class GradientDescentOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1GradientDescentOptimizer';
  private readonly settings: Required<GradientDescentOptimizerOptions>;

  constructor(options: GradientDescentOptimizerOptions) {
    super(options.name ?? 'GradientDescent');
    this.settings = withDefaults<Required<GradientDescentOptimizerOptions>>(options, { name: 'GradientDescent' }, [
      'learningRate',
    ]);
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return [];
  }

  protected override rule(): UpdateRule {
    return GRADIENT_DESCENT;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    return { lr: this.settings.learningRate };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
