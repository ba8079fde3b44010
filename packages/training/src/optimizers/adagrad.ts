// Ports tf.compat.v1.train.AdagradOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import type * as tf from '@tensorflow/tfjs-core';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import { valueError } from '../training-error.js';
import type { UpdateRule } from '../update-rule.js';
import { ADAGRAD } from '../update-rules.js';

/** Options of `AdagradOptimizer`, with TF1's defaults. */
export interface AdagradOptimizerOptions {
  /** The learning rate. */
  readonly learningRate: Hyperparameter;
  /** What the sums start at; 0.1 unless said. */
  readonly initialAccumulatorValue?: number;
  /** Names the slots. */
  readonly name?: string;
}

/** Adagrad: a rate for each element, by the sum of its squares; slot `accumulator`. */
export class AdagradOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1AdagradOptimizer';
  private readonly settings: Required<AdagradOptimizerOptions>;

  constructor(options: AdagradOptimizerOptions) {
    super(options.name ?? 'Adagrad');
    this.settings = withDefaults<Required<AdagradOptimizerOptions>>(
      options,
      {
        initialAccumulatorValue: 0.1,
        name: 'Adagrad',
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
    return ADAGRAD;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    return { lr: this.settings.learningRate };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
