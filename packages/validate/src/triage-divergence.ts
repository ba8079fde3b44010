import type { Trace } from './trace.js';
import type { TraceAlignment } from './trace-alignment.js';
import { sameBits, sampledDifference } from './triage-difference.js';
import { counterpart } from './triage-end-points.js';
import type { FirstDivergence } from './triage-report.js';
import { referenceTo } from './triage-structure.js';

function scopePath(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

/** The first op, or without ops the first end point, whose bits are not the reference's. */
export function firstDivergence(
  reference: Trace,
  migrated: Trace,
  alignment: TraceAlignment | null,
): FirstDivergence | null {
  if (alignment === null) {
    const point = reference.endPoints.find((p) => {
      const other = counterpart(p.name, migrated.endPoints);
      return other === undefined || sameBits(p.digest, other.digest) !== true;
    });
    if (point === undefined) return null;
    const other = counterpart(point.name, migrated.endPoints);
    const op = other === undefined ? undefined : migrated.ops[other.op];
    const difference = other === undefined ? null : sampledDifference(other.digest, point.digest);
    return {
      op: op === undefined ? null : referenceTo(op),
      reference: null,
      path: scopePath(op?.name ?? point.name),
      difference,
    };
  }
  for (const op of reference.ops) {
    const at = alignment.toMigrated[op.index]!;
    const other = at < 0 ? undefined : migrated.ops[at]!;
    if (other === undefined) continue;
    const differs = op.outputs.findIndex(
      (digest, k) => other.outputs[k] === undefined || sameBits(digest, other.outputs[k]) !== true,
    );
    if (differs < 0) continue;
    const [a, b] = [op.outputs[differs]!, other.outputs[differs]];
    const difference = b === undefined ? null : sampledDifference(b, a);
    return { op: referenceTo(other), reference: referenceTo(op), path: scopePath(op.name), difference };
  }
  return null;
}
