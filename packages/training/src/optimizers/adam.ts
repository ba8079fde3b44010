// Ports tf.compat.v1.train.AdamOptimizer (python/training, TF 2.21). Departure: use_locking is left out.
import * as tf from '@tensorflow/tfjs-core';
import { assign } from '@tfparity/variables';
import { type Hyperparameter, type SlotDefinition, Tf1Optimizer } from '../optimizer.js';
import { configOf, initialNumber, withDefaults } from '../optimizer-config.js';
import type { UpdateRule } from '../update-rule.js';
import { ADAM } from '../update-rules.js';

/** Options of `AdamOptimizer`, with TF1's defaults. */
export interface AdamOptimizerOptions {
  /** The learning rate; 0.001 unless said. */
  readonly learningRate?: Hyperparameter;
  /** Decay of the first moment; 0.9 unless said. */
  readonly beta1?: Hyperparameter;
  /** Decay of the second moment; 0.999 unless said. */
  readonly beta2?: Hyperparameter;
  /** Added to the root; 1e-8 unless said. */
  readonly epsilon?: Hyperparameter;
  /** Names the slots. */
  readonly name?: string;
}

/** Adam as TF1 has it: epsilon is the paper's epsilon-hat; slots `m` and `v`, scalars `beta1_power` and `beta2_power`. */
export class AdamOptimizer extends Tf1Optimizer {
  static readonly className = 'TF1AdamOptimizer';
  private readonly settings: Required<AdamOptimizerOptions>;

  constructor(options: AdamOptimizerOptions = {}) {
    super(options.name ?? 'Adam');
    this.settings = withDefaults<Required<AdamOptimizerOptions>>(options, {
      learningRate: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      name: 'Adam',
    });
  }

  protected override slotDefinitions(): readonly SlotDefinition[] {
    return [
      { name: 'm', initialValue: 0 },
      { name: 'v', initialValue: 0 },
    ];
  }

  protected override rule(): UpdateRule {
    return ADAM;
  }

  protected override hyperparameters(): Record<string, Hyperparameter> {
    const { learningRate, beta1, beta2, epsilon } = this.settings;
    return {
      beta1_power: this.getNonSlotVariable('beta1_power') as tf.Scalar,
      beta2_power: this.getNonSlotVariable('beta2_power') as tf.Scalar,
      lr: learningRate,
      beta1,
      beta2,
      epsilon,
    };
  }

  protected override nonSlotDefinitions(): Record<string, number> {
    return { beta1_power: initialNumber(this.settings.beta1), beta2_power: initialNumber(this.settings.beta2) };
  }

  protected override finish({ beta1, beta2 }: Readonly<Record<string, tf.Tensor>>): unknown[] {
    const next = (name: string, beta: tf.Tensor) => {
      const power = this.getNonSlotVariable(name) as tf.Variable;
      return assign(power, tf.mul(power, beta));
    };
    return [next('beta1_power', beta1!), next('beta2_power', beta2!)];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return configOf(this.settings);
  }
}
