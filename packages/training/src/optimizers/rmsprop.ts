// Ports tf.compat.v1.train.RMSPropOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import type * as tf from '@tensorflow/tfjs-core';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, withDefaults } from '../optimizer-config.js';
import type { UpdateRule } from '../update-rule.js';
import { CENTERED_RMSPROP, RMSPROP } from '../update-rules.js';

const SLOTS: readonly SlotDefinition[] = [
  { name: 'rms', initialValue: 1 },
  { name: 'momentum', initialValue: 0 },
];
const CENTERED_SLOTS: readonly SlotDefinition[] = [
  { name: 'rms', initialValue: 1 },
  { name: 'mg', initialValue: 0 },
  { name: 'momentum', initialValue: 0 },
];

/** Options of `RMSPropOptimizer`, with TF1's defaults. */
export interface RMSPropOptimizerOptions {
  /** The learning rate. */
  readonly learningRate: Hyperparameter;
  /** How slowly the mean square follows; 0.9 unless said. */
  readonly decay?: Hyperparameter;
  /** How much of the last step remains; 0 unless said. */
  readonly momentum?: Hyperparameter;
  /** Added under the root; 1e-10 unless said. */
  readonly epsilon?: Hyperparameter;
  /** Whether the variance takes the place of the mean square; false unless said. */
  readonly centered?: boolean;
  /** Names the slots. */
  readonly name?: string;
}

/**
 * RMSProp as TF1 has it: epsilon under the root, and mean squares that start at one.
 *
 * Slots `rms` and `momentum`; centered also `mg`.
 */
export class RMSPropOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1RMSPropOptimizer';
  private readonly settings: Required<RMSPropOptimizerOptions>;

  constructor(options: RMSPropOptimizerOptions) {
    super(options.name ?? 'RMSProp');
    this.settings = withDefaults<Required<RMSPropOptimizerOptions>>(
      options,
      {
        decay: 0.9,
        momentum: 0,
        epsilon: 1e-10,
        centered: false,
        name: 'RMSProp',
      },
      ['learningRate'],
    );
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return this.settings.centered ? CENTERED_SLOTS : SLOTS;
  }

  protected override rule(): UpdateRule {
    return this.settings.centered ? CENTERED_RMSPROP : RMSPROP;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    const { learningRate, decay, momentum, epsilon } = this.settings;
    return { lr: learningRate, rho: decay, momentum, epsilon };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
