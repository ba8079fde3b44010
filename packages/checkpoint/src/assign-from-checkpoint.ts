// slim's assign_from_checkpoint and assign_from_checkpoint_fn, get_variables_to_restore: tf_slim/ops/variables.py; and
// ExponentialMovingAverage.variables_to_restore of tensorflow/python/training/moving_averages.py.
import { sameShape } from '@tfparity/array';
import type { Checkpoint } from './checkpoint.js';
import { CheckpointError } from './errors.js';
import { type Assignment, type AssignOptions, carryOut, type ModelVariable, plainName } from './model-variable.js';

/** The end of the name under which TF1 saves a variable's moving average. */
export const MOVING_AVERAGE = '/ExponentialMovingAverage';

/** Which variables, and how strictly. */
export interface AssignFromOptions<V extends ModelVariable = ModelVariable> extends AssignOptions<V> {
  /** Scopes (regular expressions, matched at the beginning of names) to restore; all, where it is left out. */
  readonly include?: readonly string[];
  /** Scopes to leave as they are. */
  readonly exclude?: readonly string[];
  /** Whether a variable that the checkpoint lacks is left as it is. */
  readonly ignoreMissing?: boolean;
  /** Whether trainable variables take the moving averages that the checkpoint has of them. */
  readonly movingAverages?: boolean;
}

/** Variables by their names in the checkpoint, where these are not the model's; a list holds the parts of a variable. */
export type VariablesByName<V extends ModelVariable> = Readonly<Record<string, V | readonly V[]>> | Iterable<V>;

/** The variables whose names begin as `include` and not as `exclude` says. */
export function filterVariables<V extends ModelVariable>(
  variables: Iterable<V>,
  include: readonly string[] | undefined,
  exclude: readonly string[] = [],
): V[] {
  const starts = (scopes: readonly string[]): ((v: V) => boolean) => {
    const patterns = scopes.map(scopePattern);
    return (variable) => patterns.some((pattern) => pattern.test(plainName(variable)));
  };
  const wanted = include ? starts(include) : () => true;
  const unwanted = starts(exclude);
  return [...variables].filter((variable) => wanted(variable) && !unwanted(variable));
}

/** A scope of slim's `include` and `exclude`: a pattern that the beginning of a name matches, as Python's `re.match`. */
function scopePattern(scope: string): RegExp {
  try {
    return new RegExp(`^(?:${scope})`);
  } catch (cause) {
    throw new CheckpointError(
      'InvalidArgument',
      `the scope ${JSON.stringify(scope)} is no regular expression: ${(cause as Error).message}`,
      {},
      { scope },
      { cause },
    );
  }
}

/** The name under which the checkpoint has a variable: that of its moving average, where it is asked for and there. */
export function restoreName(checkpoint: Checkpoint, variable: ModelVariable, movingAverages: boolean): string {
  const name = variable.slice?.fullName ?? plainName(variable);
  const average = name + MOVING_AVERAGE;
  return movingAverages && variable.trainable !== false && checkpoint.has(average) ? average : name;
}

function grouped<V extends ModelVariable>(
  checkpoint: Checkpoint,
  variables: VariablesByName<V>,
  { include, exclude, movingAverages = false }: AssignFromOptions<V>,
): Map<string, V[]> {
  const groups = new Map<string, V[]>();
  const add = (name: string, variable: V): void => {
    groups.set(name, [...(groups.get(name) ?? []), variable]);
  };
  if (Symbol.iterator in variables) {
    for (const variable of filterVariables(variables as Iterable<V>, include, exclude)) {
      add(restoreName(checkpoint, variable, movingAverages), variable);
    }
    return groups;
  }
  for (const [name, value] of Object.entries(variables)) {
    const list = Array.isArray(value) ? (value as V[]) : [value as V];
    for (const variable of filterVariables(list, include, exclude)) add(name, variable);
  }
  return groups;
}

/**
 * Which tensor is for which variable by slim's rules, without reading a value.
 *
 * @throws {CheckpointError} in slim's words: `NotFound` unless missing ones are ignored, `Mismatch` for a shape unless
 * `reshape` allows it
 */
export function planAssignFromCheckpoint<V extends ModelVariable>(
  checkpoint: Checkpoint,
  variables: VariablesByName<V>,
  options: AssignFromOptions<V> = {},
): { plan: Assignment<V>[]; missing: V[] } {
  const plan: Assignment<V>[] = [];
  const missing: V[] = [];
  for (const [tensor, group] of grouped(checkpoint, variables, options)) {
    const where = { file: checkpoint.location, tensor };
    if (!checkpoint.has(tensor)) {
      if (!options.ignoreMissing)
        throw new CheckpointError('NotFound', `Checkpoint is missing variable [${tensor}]`, where);
      missing.push(...group);
      continue;
    }
    const { shape } = checkpoint.entry(tensor);
    for (const variable of group) {
      const { slice } = variable;
      const count = variable.shape.reduce((a, b) => a * b, 1);
      const fits = options.reshape ? count === shape.reduce((a, b) => a * b, 1) : sameShape(variable.shape, shape);
      if (!slice && !fits) {
        throw new CheckpointError(
          'Mismatch',
          `Total size of new array must be unchanged for ${tensor} lh_shape: [${python(shape)}], rh_shape: [${python(variable.shape)}]`,
          where,
          { expected: variable.shape, actual: shape, variable: variable.name },
        );
      }
      plan.push(
        slice ? { variable, tensor, slice: { start: slice.start, length: slice.length } } : { variable, tensor },
      );
    }
  }
  return { plan, missing };
}

const python = (shape: readonly number[]): string => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;

/**
 * Gives variables the values of a checkpoint by slim's rules; everything is checked before the first is read.
 *
 * @returns what was assigned (with the values, unless `assign` took them) and what the checkpoint lacks
 * @throws {CheckpointError} as `planAssignFromCheckpoint`; `Mismatch` for a dtype
 */
export async function assignFromCheckpoint<V extends ModelVariable>(
  checkpoint: Checkpoint,
  variables: VariablesByName<V>,
  options: AssignFromOptions<V> = {},
): Promise<{ assigned: Awaited<ReturnType<typeof carryOut<V>>>; missing: V[] }> {
  const { plan, missing } = planAssignFromCheckpoint(checkpoint, variables, options);
  return { assigned: await carryOut(checkpoint, plan, options), missing };
}
