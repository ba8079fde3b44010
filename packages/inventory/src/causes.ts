// What people got wrong when these differences were reported: tensorflow/models issues 3124, 2073, 2977 (biases for batch norm),
// 1146, 5003 (optimizer slots), tensorpack 148 (nothing matches).
import type { InventoryEntry } from './inventory.js';
import type { LikelyRename } from './likely-renames.js';

/** A likely cause of several differences at once, with what to do about it. */
export interface Cause {
  readonly kind: 'arg-scope' | 'optimizer-slots' | 'prefix' | 'class-count' | 'batch-norm-scale';
  readonly message: string;
  /** The variables that it explains. */
  readonly names: readonly string[];
}

interface Differences {
  readonly missing: readonly InventoryEntry[];
  readonly unexpected: readonly InventoryEntry[];
  readonly shape: readonly {
    readonly name: string;
    readonly actual: readonly number[];
    readonly expected: readonly number[];
  }[];
  readonly renames: readonly LikelyRename[];
}

const BATCH_NORM =
  /(^|\/)(BatchNorm|batch_normalization|batch_norm|bn)(_\d+)?\/(beta|gamma|moving_mean|moving_variance)$/i;
const BIASES = /(^|\/)(biases|bias)$/;
const SLOT =
  /\/(Momentum|Adam|Adam_1|RMSProp|RMSProp_1|RMSProp_2|Adagrad|Adadelta|Adadelta_1|Ftrl|Ftrl_1|ExponentialMovingAverage|LARSOptimizer)$/;
const OPTIMIZER_SCALAR = /(^|\/)(beta1_power|beta2_power|global_step)$/;

const scopeOf = (name: string): string => name.slice(0, Math.max(name.lastIndexOf('/'), 0));

/** The likely causes of the differences, most telling first. */
export function findCauses(differences: Differences): Cause[] {
  return [
    ...argScope(differences),
    ...optimizerSlots(differences),
    ...prefixes(differences),
    ...classCount(differences),
    ...batchNormScale(differences),
  ];
}

/** Layers that have biases on one side and batch norm on the other. */
function argScope({ missing, unexpected }: Differences): Cause[] {
  const layers = (entries: readonly InventoryEntry[], pattern: RegExp, up: number): Map<string, string> =>
    new Map(
      entries.filter((e) => pattern.test(e.name)).map((e) => [e.name.split('/').slice(0, -up).join('/'), e.name]),
    );
  const check = (biased: readonly InventoryEntry[], normed: readonly InventoryEntry[], who: string): Cause[] => {
    const normalized = layers(normed, BATCH_NORM, 2);
    const names = [...layers(biased, BIASES, 1)].filter(([scope]) => normalized.has(scope)).map(([, name]) => name);
    if (names.length === 0) return [];
    const message = `${names.length} layers have biases where the ${who} side has batch normalization: was the arg scope with normalizerFn: batchNorm forgotten around the ${who === 'expected' ? 'actual' : 'expected'} one?`;
    return [{ kind: 'arg-scope', message, names }];
  };
  return [...check(unexpected, missing, 'expected'), ...check(missing, unexpected, 'actual')];
}

function optimizerSlots({ missing, unexpected }: Differences): Cause[] {
  const check = (entries: readonly InventoryEntry[], side: string): Cause[] => {
    const names = entries.map((e) => e.name).filter((n) => SLOT.test(n) || OPTIMIZER_SCALAR.test(n));
    if (names.length === 0) return [];
    const kinds = [...new Set(names.map((n) => n.slice(n.lastIndexOf('/') + 1)))].slice(0, 4).join(', ');
    const message = `${names.length} variables are only in the ${side} inventory because an optimizer made them (${kinds}): compare model variables only, or make the same optimizer on both sides`;
    return [{ kind: 'optimizer-slots', message, names }];
  };
  return [...check(missing, 'expected'), ...check(unexpected, 'actual')];
}

/** Changes of leading scopes that several likely renames share. */
function prefixes({ renames }: Differences): Cause[] {
  const changes = new Map<string, string[]>();
  for (const { actual, expected } of renames) {
    const [a, e] = [actual.split('/'), expected.split('/')];
    let same = 0;
    while (same < Math.min(a.length, e.length) && a.at(-1 - same) === e.at(-1 - same)) same++;
    if (same === 0) continue;
    const head = (path: string[]): string =>
      path
        .slice(0, path.length - same)
        .map((p) => `${p}/`)
        .join('');
    const change = `${head(a)} -> ${head(e)}`;
    const names = changes.get(change);
    if (names) names.push(actual);
    else changes.set(change, [actual]);
  }
  return [...changes]
    .filter(([, names]) => names.length >= 2)
    .sort((p, q) => q[1].length - p[1].length)
    .slice(0, 3)
    .map(([change, names]) => {
      const [from, to] = change.split(' -> ') as [string, string];
      const message = `${names.length} names differ only in a prefix, '${from}' instead of '${to}': try rename: {'${from}': '${to}'}`;
      return { kind: 'prefix', message, names };
    });
}

/** Shapes that agree but for the last axis, with one pair of sizes: usually another number of classes. */
function classCount({ shape }: Differences): Cause[] {
  const changes = new Map<string, string[]>();
  for (const { name, actual, expected } of shape) {
    if (actual.length !== expected.length || actual.length === 0) continue;
    const last = actual.length - 1;
    if (actual[last] === expected[last] || !actual.slice(0, last).every((axis, i) => axis === expected[i])) continue;
    const change = `${actual[last]} instead of ${expected[last]}`;
    changes.set(change, [...(changes.get(change) ?? []), name]);
  }
  return [...changes]
    .filter(([, names]) => names.some((name) => /logits|predictions|fc8|dense|softmax|class/i.test(name)))
    .map(([change, names]) => ({
      kind: 'class-count',
      message: `${names.length} variables of ${[...new Set(names.map(scopeOf))].slice(0, 3).join(', ')} have ${change} on the last axis: is the number of classes the same (with or without a background class)?`,
      names,
    }));
}

/** Batch norm that has its scale on one side only. */
function batchNormScale({ missing, unexpected }: Differences): Cause[] {
  const check = (entries: readonly InventoryEntry[], lacking: string, other: readonly InventoryEntry[]): Cause[] => {
    if (other.some((e) => BIASES.test(e.name))) return [];
    const gammas = entries.filter((e) => BATCH_NORM.test(e.name) && e.name.endsWith('/gamma')).map((e) => e.name);
    const rest = entries.some((e) => BATCH_NORM.test(e.name) && !e.name.endsWith('/gamma'));
    if (gammas.length === 0 || rest) return [];
    const message = `${gammas.length} batch norms of the ${lacking} side have no gamma: set batchNormScale (scale: true) on both sides or on none`;
    return [{ kind: 'batch-norm-scale', message, names: gammas }];
  };
  return [...check(missing, 'actual', unexpected), ...check(unexpected, 'expected', missing)];
}
