// tf.compat.v1.train.init_from_checkpoint: tensorflow/python/training/checkpoint_utils.py of TF 2.21. Departures: variables are
// given, not found in a default store; values are handed over at once, where TF makes initializers of them.
import { formatShape, type Shape } from '@tfparity/array';
import type { Checkpoint } from './checkpoint.js';
import { CheckpointError } from './errors.js';
import {
  type Assignment,
  type AssignOptions,
  carryOut,
  type ModelVariable,
  partSlices,
  plainName,
  type ReadAssignment,
} from './model-variable.js';
import { openCheckpoint } from './open-checkpoint.js';

/** What a name or scope of the checkpoint is for: a variable, the parts of one, or a name or scope in the model. */
export type AssignmentTarget<V extends ModelVariable = ModelVariable> = string | V | readonly V[];

/** By name or scope (`'old/'`, or `'/'` for all) in the checkpoint; as pairs, one tensor may be for several variables. */
export type AssignmentMap<V extends ModelVariable = ModelVariable> =
  | Readonly<Record<string, AssignmentTarget<V>>>
  | ReadonlyMap<string, AssignmentTarget<V>>
  | readonly (readonly [string, AssignmentTarget<V>])[];

type Store<V> = Map<string, V>;

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function fail(
  message: string,
  checkpoint: Checkpoint,
  tensor: string,
  code: 'NotFound' | 'Mismatch' | 'InvalidArgument',
): never {
  throw new CheckpointError(code, message, { file: checkpoint.location, tensor });
}

/** The parts `name/part_0`, `name/part_1`, … of a partitioned variable, if it has any. */
function collectParts<V>(name: string, store: Store<V>): V[] | undefined {
  const parts: V[] = [];
  for (let part = store.get(`${name}/part_0`); part; part = store.get(`${name}/part_${parts.length}`)) parts.push(part);
  return parts.length ? parts : undefined;
}

function plan<V extends ModelVariable>(
  checkpoint: Checkpoint,
  tensor: string,
  target: V | readonly V[],
): Assignment<V>[] {
  const { shape } = checkpoint.entry(tensor);
  if (Array.isArray(target)) {
    const slices = partSlices(target, shape, tensor);
    return (target as V[]).map((variable, i) => ({ variable, tensor, slice: slices[i]! }));
  }
  const variable = target as V;
  if (formatShape(variable.shape) !== formatShape(shape)) {
    fail(
      `Shape of variable ${withPort(variable)} (${formatShape(variable.shape)}) doesn't match with shape of tensor ${tensor} (${list(shape)}) from checkpoint reader.`,
      checkpoint,
      tensor,
      'Mismatch',
    );
  }
  return [{ variable, tensor }];
}

const withPort = (variable: ModelVariable): string =>
  /:\d+$/.test(variable.name) ? variable.name : `${variable.name}:0`;
const list = (shape: Shape): string => `[${shape.join(', ')}]`;

function planScope<V extends ModelVariable>(
  checkpoint: Checkpoint,
  tensor: string,
  target: string,
  store: Store<V>,
): Assignment<V>[] {
  const scope = target.includes('/') ? target.slice(0, target.lastIndexOf('/')) : '';
  if (!tensor.endsWith('/')) {
    fail(
      `Assignment map with scope only name ${scope} should map to scope only ${tensor}. Should be 'scope/': 'other_scope/'.`,
      checkpoint,
      tensor,
      'InvalidArgument',
    );
  }
  const names = new Set<string>();
  for (const name of store.keys()) {
    if (scope && !name.startsWith(`${scope}/`)) continue;
    const part = name.indexOf('/part_');
    names.add(part < 0 ? name : name.slice(0, part));
  }
  return [...names].sort(byCodeUnits).flatMap((name) => {
    let full = name.slice(scope.length);
    if (target !== '/') full = full.slice(1);
    if (tensor !== '/') full = tensor + full;
    if (full.endsWith('/')) full = full.slice(0, -1);
    if (!checkpoint.has(full)) {
      fail(
        `Tensor ${full} (${name.slice(scope.length + 1)} in ${tensor}) is not found in ${checkpoint.location} checkpoint`,
        checkpoint,
        full,
        'NotFound',
      );
    }
    return plan(checkpoint, full, store.get(name) ?? collectParts(name, store)!);
  });
}

/**
 * Which tensor is for which variable, by TF1's rules, without reading a value.
 *
 * @throws {CheckpointError} in TensorFlow's words: `NotFound` for a tensor, `Mismatch` for a shape, `InvalidArgument` for a scope
 * that is mapped to a name
 */
export function planInitFromCheckpoint<V extends ModelVariable>(
  checkpoint: Checkpoint,
  assignmentMap: AssignmentMap<V>,
  variables: Iterable<V>,
): Assignment<V>[] {
  const store: Store<V> = new Map([...variables].map((variable) => [plainName(variable), variable]));
  const pairs = Symbol.iterator in assignmentMap ? [...assignmentMap] : Object.entries(assignmentMap);
  pairs.sort(([a], [b]) => byCodeUnits(a, b));
  return pairs.flatMap(([tensor, wanted]) => {
    const target = typeof wanted === 'string' ? (store.get(wanted) ?? collectParts(wanted, store)) : wanted;
    if (target === undefined) return planScope(checkpoint, tensor, wanted as string, store);
    if (!checkpoint.has(tensor)) {
      const known = checkpoint.entries.slice(0, 20).map(({ name, shape }) => `'${name}': ${list(shape)}`);
      const more = checkpoint.entries.length > 20 ? ', …' : '';
      fail(
        `Tensor ${tensor} is not found in ${checkpoint.location} checkpoint {${known.join(', ')}${more}}`,
        checkpoint,
        tensor,
        'NotFound',
      );
    }
    return plan(checkpoint, tensor, target);
  });
}

/**
 * Gives variables the values of a checkpoint by TF1's assignment map; everything is checked before the first is read.
 *
 * @param checkpoint  an open one, or what `openCheckpoint` takes as a path or URL
 * @param variables  those that names and scopes of the map are looked up in
 * @returns what was assigned; with the values, unless `assign` took them
 * @throws {CheckpointError} as `planInitFromCheckpoint`; `Mismatch` for a dtype
 */
export async function initFromCheckpoint<V extends ModelVariable>(
  checkpoint: Checkpoint | string | URL,
  assignmentMap: AssignmentMap<V>,
  variables: Iterable<V>,
  options: AssignOptions<V> & { readonly assign: NonNullable<AssignOptions<V>['assign']> },
): Promise<Assignment<V>[]>;
export async function initFromCheckpoint<V extends ModelVariable>(
  checkpoint: Checkpoint | string | URL,
  assignmentMap: AssignmentMap<V>,
  variables: Iterable<V>,
  options?: AssignOptions<V>,
): Promise<ReadAssignment<V>[]>;
export async function initFromCheckpoint<V extends ModelVariable>(
  checkpoint: Checkpoint | string | URL,
  assignmentMap: AssignmentMap<V>,
  variables: Iterable<V>,
  options: AssignOptions<V> = {},
): Promise<Assignment<V>[]> {
  const opened =
    typeof checkpoint === 'string' || checkpoint instanceof URL ? await openCheckpoint(checkpoint) : checkpoint;
  return carryOut(opened, planInitFromCheckpoint(opened, assignmentMap, variables), options);
}
