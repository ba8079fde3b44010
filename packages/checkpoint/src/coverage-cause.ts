import type { Shape } from '@tfparity/array';
import { MOVING_AVERAGE } from './assign-from-checkpoint.js';
import { nearestNames } from './nearest-names.js';

/** What a tensor that no variable takes is. */
export type UnusedKind = 'optimizer slot' | 'moving average' | 'training state' | 'batch norm statistics' | 'unknown';

// Slot names of TF1's optimizers (tensorflow/python/training/*.py); a second slot of one optimizer ends with _1.
const SLOT =
  /\/(Momentum|Adam|RMSProp|Adagrad|Adadelta|Ftrl|AdaMax|Nadam|AdagradDA|ProximalAdagrad|CenteredRMSProp|gradient_accumulator)(_\d+)?$/;
const STATE =
  /^(global_step|save_counter|beta1_power|beta2_power|learning_rate|decay|iter|iterations|.*\/(beta[12]_power|iter|iterations|learning_rate|decay|beta_[12]))(\/\.ATTRIBUTES\/VARIABLE_VALUE)?$/;
const STATISTICS = /\/(moving_mean|moving_variance)$/;
const NORM = /\/(BatchNorm|batch_norm|batch_normalization[^/]*|bn)\/(beta|gamma|moving_mean|moving_variance)$/;
const BIASES = /\/(biases|bias)$/;

/** What a tensor that is left over is, and why nothing takes it. */
export function explainUnused(name: string, model: ReadonlySet<string>): { kind: UnusedKind; cause: string } {
  const slot = SLOT.exec(name);
  if (slot) return { kind: 'optimizer slot', cause: `a slot of the ${slot[1]} optimizer, for training only` };
  if (name.includes('/.OPTIMIZER_SLOT/'))
    return { kind: 'optimizer slot', cause: 'an optimizer slot, for training only' };
  if (name.endsWith(MOVING_AVERAGE)) {
    return { kind: 'moving average', cause: 'the moving average of a variable; ask for moving averages to restore it' };
  }
  if (STATE.test(name)) return { kind: 'training state', cause: 'a counter or setting of training' };
  if (STATISTICS.test(name)) {
    return { kind: 'batch norm statistics', cause: 'statistics of a batch norm that the model does not have' };
  }
  const norm = NORM.exec(name);
  const biases = norm
    ? ['biases', 'bias'].map((end) => name.replace(NORM, `/${end}`)).find((n) => model.has(n))
    : undefined;
  if (biases) {
    return {
      kind: 'unknown',
      cause: `a batch norm where the model has ${biases}: an arg scope (normalizer) was forgotten`,
    };
  }
  const [near] = nearestNames(name, [...model], 1);
  return {
    kind: 'unknown',
    cause: near ? `no variable has this name; near it is ${near}` : 'no variable has this name',
  };
}

/** Why the checkpoint has nothing for a variable. */
export function explainMissing(name: string, held: ReadonlySet<string>): string {
  if (NORM.test(name)) {
    const layer = name.replace(NORM, '');
    if (held.has(`${layer}/biases`) || held.has(`${layer}/bias`)) {
      return "a batch norm where the checkpoint has biases: its arg scope has no normalizer, or the model's should not have one";
    }
    if (name.endsWith('/gamma') && held.has(name.replace(/gamma$/, 'beta'))) {
      return "the checkpoint's batch norm has no gamma: it was made with scale: false";
    }
  }
  if (BIASES.test(name)) {
    const layer = name.replace(BIASES, '');
    if (['BatchNorm', 'batch_norm', 'bn'].some((norm) => held.has(`${layer}/${norm}/beta`))) {
      return 'biases where the checkpoint has a batch norm: an arg scope (normalizer) was forgotten';
    }
  }
  if (SLOT.test(name)) return 'an optimizer slot that the checkpoint was saved without';
  const [near] = nearestNames(name, [...held], 1);
  return near ? `nothing of this name; near it is ${near}` : 'nothing of this name';
}

/** Why a variable and its tensor do not fit. */
export function explainConflict(
  model: { shape: Shape; dtype?: string },
  checkpoint: { shape: Shape; dtype: string },
): string {
  const [a, b] = [model.shape, checkpoint.shape];
  const last = a.length - 1;
  if (a.length !== b.length) {
    const squeezed = (shape: Shape): string => shape.filter((size) => size !== 1).join();
    return squeezed(a) === squeezed(b)
      ? 'axes of size 1 only: reshape it'
      : 'another number of axes: another kind of layer';
  }
  const differ = a.flatMap((size, axis) => (size === b[axis] ? [] : [axis]));
  if (differ.length === 0) return `dtype only: cast ${checkpoint.dtype} to ${model.dtype}`;
  if (differ.length === 1 && differ[0] === last) {
    const off = Math.abs(a[last]! - b[last]!) === 1 ? ' (one has a background class)' : '';
    return `a class or unit count: checkpoint ${b[last]}, model ${a[last]}${off}; exclude the layer, or build it alike`;
  }
  const sorted = (shape: Shape): string => [...shape].sort((x, y) => x - y).join();
  if (sorted(a) === sorted(b)) return 'the same sizes in another order: a transpose';
  return 'another size of the layer, or of the one before it';
}

/** A prefix that one side has and the other has not, where it would match more than half of what is missing. */
export function commonPrefixes(missing: readonly string[], loose: readonly string[]): string[] {
  if (missing.length < 2 || loose.length < 2) return [];
  const found = (names: readonly string[], others: readonly string[]): string | undefined => {
    const set = new Set(others);
    const counts = new Map<string, number>();
    for (const name of names) {
      for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
        const prefix = name.slice(0, slash + 1);
        if (set.has(name.slice(slash + 1))) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
      }
    }
    const [best] = [...counts].sort(([, a], [, b]) => b - a);
    return best && best[1] * 2 > missing.length ? best[0] : undefined;
  };
  const inModel = found(missing, loose);
  const inCheckpoint = found(loose, missing);
  return [
    ...(inModel ? [`the model's names begin with '${inModel}', the checkpoint's do not`] : []),
    ...(inCheckpoint ? [`the checkpoint's names begin with '${inCheckpoint}', the model's do not`] : []),
  ];
}
