import { formatShape, type Shape, sameShape } from '@tfparity/array';
import { restoreName } from './assign-from-checkpoint.js';
import type { Checkpoint } from './checkpoint.js';
import { commonPrefixes, explainConflict, explainMissing, explainUnused, type UnusedKind } from './coverage-cause.js';
import { type ModelVariable, plainName } from './model-variable.js';
import type { NameMap } from './name-map.js';

/** What of a model and a checkpoint meets, and what does not, with the likely cause. */
export interface CoverageReport {
  readonly restored: readonly { readonly variable: string; readonly tensor: string }[];
  /** Variables that the checkpoint has nothing for. */
  readonly missing: readonly { readonly variable: string; readonly tensor: string; readonly cause: string }[];
  /** Tensors that no variable takes. */
  readonly unused: readonly { readonly tensor: string; readonly kind: UnusedKind; readonly cause: string }[];
  /** Pairs whose shapes or dtypes differ. */
  readonly conflicts: readonly Conflict[];
  /** What would explain many of the above at once. */
  readonly causes: readonly string[];
}

/** A variable and its tensor that do not fit. */
export interface Conflict {
  readonly variable: string;
  readonly tensor: string;
  readonly model: { readonly shape: Shape; readonly dtype?: string };
  readonly checkpoint: { readonly shape: Shape; readonly dtype: string };
  readonly cause: string;
}

/** How names meet. */
export interface CoverageOptions {
  /** From the model's names to the checkpoint's. */
  readonly names?: NameMap;
  /** Whether trainable variables take their moving averages. */
  readonly movingAverages?: boolean;
}

/**
 * Says what a checkpoint would give a model's variables, and what on either side is left over; reads no values.
 *
 * @throws {CheckpointError} `Conflict` where two variables would take one tensor by the name map
 */
export function coverage(
  checkpoint: Checkpoint,
  variables: Iterable<ModelVariable>,
  { names, movingAverages = false }: CoverageOptions = {},
): CoverageReport {
  const list = [...variables];
  names?.applyAll(new Set(list.map((variable) => variable.slice?.fullName ?? plainName(variable))));
  const wanted = list.map((variable) => {
    const name = variable.slice?.fullName ?? plainName(variable);
    const renamed = {
      ...variable,
      slice: undefined,
      name: names ? names.apply(name) : name,
      trainable: variable.trainable,
    };
    return { variable, tensor: restoreName(checkpoint, renamed, movingAverages) };
  });
  const held = new Set(checkpoint.entries.map((entry) => entry.name));
  const restored: { variable: string; tensor: string }[] = [];
  const missing: { variable: string; tensor: string; cause: string }[] = [];
  const conflicts: Conflict[] = [];
  const used = new Set<string>();
  const modelNames = new Set(wanted.map(({ tensor }) => tensor));
  for (const { variable, tensor } of wanted) {
    const name = plainName(variable);
    if (!checkpoint.has(tensor)) {
      missing.push({ variable: name, tensor, cause: explainMissing(tensor, held) });
      continue;
    }
    const entry = checkpoint.entry(tensor);
    used.add(entry.name);
    const { dtype } = variable;
    const shape = variable.slice?.fullShape ?? variable.shape;
    if (sameShape(shape, entry.shape) && (dtype === undefined || dtype === entry.dtype)) {
      restored.push({ variable: name, tensor: entry.name });
      continue;
    }
    const model = dtype === undefined ? { shape } : { shape, dtype };
    const theirs = { shape: entry.shape, dtype: entry.dtype };
    conflicts.push({
      variable: name,
      tensor: entry.name,
      model,
      checkpoint: theirs,
      cause: explainConflict(model, theirs),
    });
  }
  const unused = checkpoint.entries
    .filter((entry) => !used.has(entry.name))
    .map(({ name }) => ({ tensor: name, ...explainUnused(name, modelNames) }));
  const loose = unused.filter(({ kind }) => kind === 'unknown').map(({ tensor }) => tensor);
  const causes = commonPrefixes(
    missing.map(({ tensor }) => tensor),
    loose,
  );
  for (const cause of new Set([...missing, ...conflicts].map((item) => item.cause))) {
    const count = [...missing, ...conflicts].filter((item) => item.cause === cause).length;
    if (count > 0 && !cause.startsWith('nothing')) causes.push(count > 1 ? `${cause} (${count} variables)` : cause);
  }
  return { restored, missing, unused, conflicts, causes };
}

/** The report as text, the likely causes first. */
export function formatCoverage({ restored, missing, unused, conflicts, causes }: CoverageReport): string {
  const lines = [
    `${restored.length} restored, ${missing.length} missing in the checkpoint, ${unused.length} unused in the checkpoint, ${conflicts.length} in conflict`,
    ...causes.map((cause) => `likely: ${cause}`),
    ...conflicts.map(
      ({ variable, model, checkpoint, cause }) =>
        `conflict: ${variable}: checkpoint has ${formatShape(checkpoint.shape)} ${checkpoint.dtype}, model has ${formatShape(model.shape)} ${model.dtype ?? ''}: ${cause}`,
    ),
    ...missing.map(({ variable, cause }) => `missing: ${variable}: ${cause}`),
    ...unused.map(({ tensor, cause }) => `unused: ${tensor}: ${cause}`),
  ];
  return lines.join('\n');
}
