import { type OptimizerClass, registerOptimizerClass } from './optimizer-classes.js';
import { AdadeltaOptimizer } from './optimizers/adadelta.js';
import { AdagradOptimizer } from './optimizers/adagrad.js';
import { AdagradDAOptimizer } from './optimizers/adagrad-da.js';
import { AdamOptimizer } from './optimizers/adam.js';
import { FtrlOptimizer } from './optimizers/ftrl.js';
import { GradientDescentOptimizer } from './optimizers/gradient-descent.js';
import { MomentumOptimizer } from './optimizers/momentum.js';
import { ProximalAdagradOptimizer } from './optimizers/proximal-adagrad.js';
import { ProximalGradientDescentOptimizer } from './optimizers/proximal-gradient-descent.js';
import { RMSPropOptimizer } from './optimizers/rmsprop.js';

const OPTIMIZERS = [
  AdadeltaOptimizer,
  AdagradOptimizer,
  AdagradDAOptimizer,
  AdamOptimizer,
  FtrlOptimizer,
  GradientDescentOptimizer,
  MomentumOptimizer,
  ProximalAdagradOptimizer,
  ProximalGradientDescentOptimizer,
  RMSPropOptimizer,
];

/**
 * Lets `tf.loadLayersModel` make the optimizer that a model was saved with (`includeOptimizer`); call it before loading in
 * a program that has made none of these optimizers yet.
 */
export function registerOptimizers(): void {
  for (const optimizer of OPTIMIZERS) registerOptimizerClass(optimizer as unknown as OptimizerClass);
}
