// Ports tf_slim/ops/variables.py (tf_slim git 1287b1ef). Departures: no devices and no checkpoints (`@tfparity/checkpoint`
// reads those); where slim's functions take a variable's op name, ours take the name, which has no `:0`.
import type * as tf from '@tensorflow/tfjs-core';
import {
  type CustomGetter,
  type GetterArguments,
  type GetVariableOptions,
  GraphKeys,
  getCollection,
  getVariable,
  getVariableScope,
  VariableScope,
} from '@tfparity/variables';
import { addArgScope } from './arg-scope.js';
import { typeError, valueError } from './slim-error.js';

/** What `variable` and `modelVariable` take: `getVariable`'s options, but a getter that is called in its place. */
export interface VariableOptions extends Omit<GetVariableOptions, 'customGetter'> {
  /** Called with the arguments in place of `getVariable`. */
  customGetter?: ((args: GetterArguments) => tf.Variable) | null;
  reuse?: GetterArguments['reuse'];
}

const KEYWORDS = [
  'shape',
  'dtype',
  'initializer',
  'regularizer',
  'trainable',
  'collections',
  'partitioner',
  'customGetter',
  'constraint',
  'synchronization',
  'aggregation',
  'validateShape',
  'reuse',
  'name',
];

/** Gets or makes a variable as `getVariable` does, in each of the collections once. */
export const variable: (name: string, options?: VariableOptions) => tf.Variable = addArgScope(
  (name: string, { customGetter, ...options }: VariableOptions = {}) => {
    const collections = [...new Set(options.collections ?? [GraphKeys.GLOBAL_VARIABLES])];
    const { reuse, ...rest } = { ...options, collections };
    if (customGetter === undefined || customGetter === null) return getVariable(name, rest);
    return customGetter({
      ...rest,
      name,
      dtype: rest.dtype ?? 'float32',
      trainable: rest.trainable ?? true,
      reuse: reuse === undefined ? getVariableScope().reuse : reuse,
    });
  },
  { name: 'variable', positional: ['name'], keywords: KEYWORDS },
);

/** Gets or makes a variable of the model: also in the collection `model_variables`. */
export const modelVariable: (name: string, options?: VariableOptions) => tf.Variable = addArgScope(
  (name: string, options: VariableOptions = {}) => {
    const standard = [GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES];
    return variable(name, { dtype: 'float32', ...options, collections: [...(options.collections ?? []), ...standard] });
  },
  { name: 'model_variable', positional: ['name'], keywords: KEYWORDS },
);

/**
 * A custom getter that makes a core layer's variables the model's, and renames the last part of their names.
 *
 * @param rename  new names by old: `{kernel: 'weights', bias: 'biases'}`
 */
export function layerVariableGetter(rename: Readonly<Record<string, string>> = {}): CustomGetter {
  return (getter, { name, ...args }) => {
    const parts = name.split('/');
    const last = parts.pop() as string;
    const renamed = [...parts, rename[last] ?? last].join('/');
    return modelVariable(renamed, { ...args, customGetter: getter });
  };
}

/** The variables of a collection whose name matches the scope (a regular expression) from its start, and ends in the suffix. */
export function getVariables(
  scope?: string | VariableScope | null,
  suffix?: string | null,
  collection: string = GraphKeys.GLOBAL_VARIABLES,
): tf.Variable[] {
  let pattern = scope instanceof VariableScope ? scope.name : (scope ?? '');
  if (suffix !== undefined && suffix !== null) pattern = `${pattern}.*${suffix.includes(':') ? suffix : `${suffix}:`}`;
  const matcher = new RegExp(`^(?:${pattern})`);
  return getCollection<tf.Variable>(collection).filter(({ name }) => matcher.test(`${name}:0`));
}

/** The model's variables, by scope and suffix as in `getVariables`. */
export function getModelVariables(scope?: string | VariableScope | null, suffix?: string | null): tf.Variable[] {
  return getVariables(scope, suffix, GraphKeys.MODEL_VARIABLES);
}

/** The local variables, by scope and suffix as in `getVariables`. */
export function getLocalVariables(scope?: string | VariableScope | null, suffix?: string | null): tf.Variable[] {
  return getVariables(scope, suffix, GraphKeys.LOCAL_VARIABLES);
}

/** The trainable variables, by scope and suffix as in `getVariables`. */
export function getTrainableVariables(scope?: string | VariableScope | null, suffix?: string | null): tf.Variable[] {
  return getVariables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES);
}

/** The variables whose name ends in the suffix. */
export function getVariablesBySuffix(suffix: string, scope?: string | VariableScope | null): tf.Variable[] {
  return getVariables(scope, suffix);
}

/** The variables whose last part of the name is the one given. */
export function getVariablesByName(name: string, scope?: string | VariableScope | null): tf.Variable[] {
  const within = new Set(getVariables(scope));
  return getVariables().filter((v) => within.has(v) && v.name.split('/').at(-1) === name);
}

/**
 * The one variable of that name.
 *
 * @throws {SlimError} `ValueError` where none or only others begin with it.
 */
export function getUniqueVariable(name: string): tf.Variable {
  const candidates = getVariables(name);
  if (candidates.length === 0) throw valueError(`Couldn't find variable ${name}`, { name });
  const found = candidates.find((candidate) => candidate.name === name);
  if (found === undefined) throw valueError(`Variable ${name} does not uniquely identify a variable`, { name });
  return found;
}

/** The variables in the included scopes (all where none are given) that are in none of the excluded ones. */
export function getVariablesToRestore(
  include?: readonly string[] | null,
  exclude?: readonly string[] | null,
): tf.Variable[] {
  const check = (value: unknown, what: string): void => {
    if (value !== undefined && value !== null && !Array.isArray(value)) {
      throw typeError(`${what} is provided but is not a list or a tuple.`, { [what]: value });
    }
  };
  check(include, 'include');
  check(exclude, 'exclude');
  const included = include ? include.flatMap((scope) => getVariables(scope)) : getVariables();
  const excluded = new Set((exclude ?? []).flatMap((scope) => getVariables(scope)));
  return included.filter((v) => !excluded.has(v));
}
