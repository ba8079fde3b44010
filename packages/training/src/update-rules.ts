// The arithmetic of tensorflow/core/kernels/training_ops.cc (TF 2.21), CPU, float32, in its order of operations.
import { eigenPower } from './eigen-power.js';
import type { Hyper, RangeUpdate, UpdateRule } from './update-rule.js';

const { fround: f, sqrt, abs, sign, max, pow } = Math;

/**
 * 1/sqrt(x) of element `i` of `count`: Eigen takes 8 at a time from the processor's estimate and a Newton step (to which
 * the correctly rounded value is the nearest that can be said), and the rest one by one, rounded twice.
 */
function rsqrt(x: number, i: number, count: number): number {
  return i < count - (count % 8) ? f(1 / sqrt(x)) : f(1 / f(sqrt(x)));
}

/** var -= grad * lr; rows that appear twice are subtracted twice (TF composes it of `ResourceScatterAdd`). */
export const GRADIENT_DESCENT: UpdateRule = {
  dense: 'ResourceApplyGradientDescent',
  slots: 0,
  inputs: ['lr', 'grad'],
  sumsDuplicates: false,
  update: ([w], at, gradient, from, count, { lr }) => {
    for (let i = 0; i < count; i++) w![at + i] = w![at + i]! - f(gradient[from + i]! * lr!);
  },
};

/** accum = accum * momentum + grad; var -= accum * lr, or Nesterov's step. */
export const MOMENTUM: UpdateRule = {
  dense: 'ResourceApplyMomentum',
  sparse: 'ResourceSparseApplyMomentum',
  slots: 1,
  inputs: ['lr', 'grad', 'indices', 'momentum'],
  attributes: { use_nesterov: false },
  update: ([w, accum], at, gradient, from, count, { lr, momentum }, { use_nesterov }) => {
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const a = f(f(accum![j]! * momentum!) + g);
      accum![j] = a;
      w![j] = use_nesterov ? w![j]! - f(f(g * lr!) + f(f(a * momentum!) * lr!)) : w![j]! - f(a * lr!);
    }
  },
};

function adamAlpha({ lr, beta1_power, beta2_power }: Hyper): number {
  return f(f(lr! * f(sqrt(f(1 - beta2_power!)))) / f(1 - beta1_power!));
}

const adamRows: RangeUpdate = ([, m, v], at, gradient, from, count, { beta1, beta2 }) => {
  const [c1, c2] = [f(1 - beta1!), f(1 - beta2!)];
  for (let i = 0, j = at; i < count; i++, j++) {
    const g = gradient[from + i]!;
    m![j] = m![j]! + f(g * c1);
    // A session's graph optimizer makes g * (g * c) of TensorFlow's (g * g) * c.
    v![j] = v![j]! + f(g * f(g * c2));
  }
};

/** Adam with TF1's epsilon-hat; for rows, `AdamOptimizer._apply_sparse_shared`: every row's moments decay and move it. */
export const ADAM: UpdateRule = {
  dense: 'ResourceApplyAdam',
  slots: 2,
  inputs: ['beta1_power', 'beta2_power', 'lr', 'beta1', 'beta2', 'epsilon', 'grad'],
  attributes: { use_nesterov: false },
  update: ([w, m, v], at, gradient, from, count, hyper, { use_nesterov }) => {
    const alpha = adamAlpha(hyper);
    const [c1, c2] = [f(1 - hyper['beta1']!), f(1 - hyper['beta2']!)];
    const epsilon = hyper['epsilon']!;
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const first = f(m![j]! + f(f(g - m![j]!) * c1));
      const second = f(v![j]! + f(f(f(g * g) - v![j]!) * c2));
      m![j] = first;
      v![j] = second;
      const direction = use_nesterov ? f(f(g * c1) + f(hyper['beta1']! * first)) : first;
      w![j] = w![j]! - f(f(direction * alpha) / f(f(sqrt(second)) + epsilon));
    }
  },
  updateRows: adamRows,
  aroundRows: ([w, m, v], rows, hyper) => {
    for (let j = 0; j < m!.length; j++) {
      m![j] = m![j]! * hyper['beta1']!;
      v![j] = v![j]! * hyper['beta2']!;
    }
    rows();
    const lr = adamAlpha(hyper);
    const epsilon = hyper['epsilon']!;
    for (let j = 0; j < w!.length; j++) w![j] = w![j]! - f(f(lr * m![j]!) / f(f(sqrt(v![j]!)) + epsilon));
  },
};

/** ms follows grad^2; mom = mom * momentum + lr * grad / sqrt(ms + epsilon); var -= mom. */
export const RMSPROP: UpdateRule = {
  dense: 'ResourceApplyRMSProp',
  sparse: 'ResourceSparseApplyRMSProp',
  slots: 2,
  inputs: ['lr', 'rho', 'momentum', 'epsilon', 'grad', 'indices'],
  update: ([w, ms, mom], at, gradient, from, count, { lr, rho, momentum, epsilon }) => {
    const c = f(1 - rho!);
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const square = f(ms![j]! + f(f(f(g * g) - ms![j]!) * c));
      const step = f(f(mom![j]! * momentum!) + f(f(g * lr!) / f(sqrt(f(square + epsilon!)))));
      ms![j] = square;
      mom![j] = step;
      w![j] = w![j]! - step;
    }
  },
  updateRows: ([w, ms, mom], at, gradient, from, count, { lr, rho, momentum, epsilon }) => {
    const c = f(1 - rho!);
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const square = f(f(ms![j]! * rho!) + f(f(g * g) * c));
      const step = f(f(mom![j]! * momentum!) + f(f(rsqrt(f(square + epsilon!), i, count) * lr!) * g));
      ms![j] = square;
      mom![j] = step;
      w![j] = w![j]! - step;
    }
  },
};

/** RMSProp whose denominator is the variance of the gradient: ms - mg^2 + epsilon. Slots: ms, mg, mom. */
export const CENTERED_RMSPROP: UpdateRule = {
  dense: 'ResourceApplyCenteredRMSProp',
  sparse: 'ResourceSparseApplyCenteredRMSProp',
  slots: 3,
  nativeState: [0, 2, 1, 3],
  inputs: ['lr', 'rho', 'momentum', 'epsilon', 'grad', 'indices'],
  update: ([w, ms, mg, mom], at, gradient, from, count, { lr, rho, momentum, epsilon }) => {
    const c = f(1 - rho!);
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const square = f(ms![j]! + f(f(f(g * g) - ms![j]!) * c));
      const mean = f(mg![j]! + f(f(g - mg![j]!) * c));
      const variance = f(f(square - f(mean * mean)) + epsilon!);
      const step = f(f(mom![j]! * momentum!) + f(f(g * lr!) / f(sqrt(variance))));
      ms![j] = square;
      mg![j] = mean;
      mom![j] = step;
      w![j] = w![j]! - step;
    }
  },
  updateRows: ([w, ms, mg, mom], at, gradient, from, count, { lr, rho, momentum, epsilon }) => {
    const c = f(1 - rho!);
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const square = f(f(ms![j]! * rho!) + f(f(g * g) * c));
      const mean = f(f(mg![j]! * rho!) + f(g * c));
      const variance = f(f(square + epsilon!) - f(mean * mean));
      const step = f(f(mom![j]! * momentum!) + f(f(rsqrt(variance, i, count) * lr!) * g));
      ms![j] = square;
      mg![j] = mean;
      mom![j] = step;
      w![j] = w![j]! - step;
    }
  },
};

/** accum += grad^2; var -= lr * grad / sqrt(accum). */
export const ADAGRAD: UpdateRule = {
  dense: 'ResourceApplyAdagrad',
  sparse: 'ResourceSparseApplyAdagrad',
  slots: 1,
  inputs: ['lr', 'grad', 'indices'],
  update: ([w, accum], at, gradient, from, count, { lr }) => {
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const a = f(accum![j]! + f(g * g));
      accum![j] = a;
      w![j] = w![j]! - f(f(g * lr!) * rsqrt(a, i, count));
    }
  },
};

/** Adagrad by dual averaging: the variable is computed from the sums alone. Slots: sum of gradients, of squares. */
export const ADAGRAD_DA: UpdateRule = {
  dense: 'ResourceApplyAdagradDA',
  sparse: 'ResourceSparseApplyAdagradDA',
  slots: 2,
  inputs: ['grad', 'indices', 'lr', 'l1', 'l2', 'global_step'],
  int64: 'global_step',
  update: ([w, sum, squares], at, gradient, from, count, { lr, l1, l2, global_step }) => {
    const steps = f(global_step!);
    const threshold = f(l1! * steps);
    const decay = f(f(l2! * steps) * lr!);
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const total = f(sum![j]! + g);
      const squared = f(squares![j]! + f(g * g));
      sum![j] = total;
      squares![j] = squared;
      const shrunk = l1! > 0 ? sign(total) * max(f(abs(total) - threshold), 0) : total;
      w![j] = f(-lr! * shrunk) / f(decay + f(sqrt(squared)));
    }
  },
};

/** Steps by the ratio of the root mean squares of past updates and gradients. Slots: of gradients, of updates. */
export const ADADELTA: UpdateRule = {
  dense: 'ResourceApplyAdadelta',
  sparse: 'ResourceSparseApplyAdadelta',
  slots: 2,
  inputs: ['lr', 'rho', 'epsilon', 'grad', 'indices'],
  update: ([w, accum, updates], at, gradient, from, count, { lr, rho, epsilon }) => {
    const c = f(1 - rho!);
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const a = f(f(accum![j]! * rho!) + f(f(g * g) * c));
      const step = f(f(f(sqrt(f(updates![j]! + epsilon!))) * rsqrt(f(a + epsilon!), i, count)) * g);
      accum![j] = a;
      w![j] = w![j]! - f(step * lr!);
      updates![j] = f(updates![j]! * rho!) + f(f(step * step) * c);
    }
  },
};

/** x^y: Eigen has its own power for vectors of 8, and the C library's for the rest. */
function power(x: number, y: number, isVector: boolean): number {
  return isVector ? eigenPower(x, y) : f(pow(x, y));
}

const ftrl: RangeUpdate = ([w, accum, linear], at, gradient, from, count, hyper) => {
  const { lr, l1, l2, lr_power, l2_shrinkage = 0 } = hyper as Record<'lr' | 'l1' | 'l2' | 'lr_power', number> & Hyper;
  const root = lr_power === -0.5;
  const vectors = root ? 0 : count - (count % 8);
  for (let i = 0, j = at; i < count; i++, j++) {
    const g = gradient[from + i]!;
    const shrunk = l2_shrinkage === 0 ? g : f(g + f(f(2 * l2_shrinkage) * w![j]!));
    const a = f(accum![j]! + f(g * g));
    const after = root ? f(sqrt(a)) : power(a, -lr_power, i < vectors);
    const before = root ? f(sqrt(accum![j]!)) : power(accum![j]!, -lr_power, i < vectors);
    const line = f(linear![j]! + f(shrunk - f(f(f(after - before) / lr) * w![j]!)));
    linear![j] = line;
    const x = f(f(l1 * sign(line)) - line);
    const y = f(f(after / lr) + f(2 * l2));
    w![j] = abs(line) > l1 ? x / y : 0;
    accum![j] = a;
  }
};

/** Follow the regularized leader. Slots: accumulated squares, the linear term. */
export const FTRL: UpdateRule = {
  dense: 'ResourceApplyFtrl',
  sparse: 'ResourceSparseApplyFtrl',
  slots: 2,
  inputs: ['grad', 'indices', 'lr', 'l1', 'l2', 'lr_power'],
  update: ftrl,
};

/** Ftrl whose gradient, in the linear term, is shrunk by the size of the weights. */
export const FTRL_V2: UpdateRule = {
  dense: 'ResourceApplyFtrlV2',
  sparse: 'ResourceSparseApplyFtrlV2',
  slots: 2,
  inputs: ['grad', 'indices', 'lr', 'l1', 'l2', 'l2_shrinkage', 'lr_power'],
  update: ftrl,
};

/** A value after a proximal step: shrunk by l1 towards zero, then by l2. */
function proximal(value: number, rate: number, l1: number, l2: number): number {
  const scale = f(1 + f(l2 * rate));
  if (l1 > 0) return f(f(sign(value) * max(f(abs(value) - f(rate * l1)), 0)) / scale);
  return f(value / scale);
}

/** A gradient step, then the proximal operator of l1 and l2. */
export const PROXIMAL_GRADIENT_DESCENT: UpdateRule = {
  dense: 'ResourceApplyProximalGradientDescent',
  sparse: 'ResourceSparseApplyProximalGradientDescent',
  slots: 0,
  inputs: ['lr', 'l1', 'l2', 'grad', 'indices'],
  update: ([w], at, gradient, from, count, { lr, l1, l2 }) => {
    for (let i = 0, j = at; i < count; i++, j++) {
      w![j] = proximal(f(w![j]! - f(gradient[from + i]! * lr!)), lr!, l1!, l2!);
    }
  },
};

/** Adagrad's rate per element, then the proximal operator at that rate. */
export const PROXIMAL_ADAGRAD: UpdateRule = {
  dense: 'ResourceApplyProximalAdagrad',
  sparse: 'ResourceSparseApplyProximalAdagrad',
  slots: 1,
  inputs: ['lr', 'l1', 'l2', 'grad', 'indices'],
  update: ([w, accum], at, gradient, from, count, { lr, l1, l2 }) => {
    for (let i = 0, j = at; i < count; i++, j++) {
      const g = gradient[from + i]!;
      const a = f(accum![j]! + f(g * g));
      accum![j] = a;
      const rate = f(lr! * rsqrt(a, i, count));
      w![j] = proximal(f(w![j]! - f(g * rate)), rate, l1!, l2!);
    }
  },
};
