import type { ArrayDigest, Trace, TraceOp } from './trace.js';
import type { TraceAlignment } from './trace-alignment.js';
import { sameBits, sampledDifference } from './triage-difference.js';
import { judgeAccumulated } from './triage-growth.js';
import type { PairResult } from './triage-pass.js';
import type { BackwardPass, DifferenceFigures, GradientPoint, TriageVerdict } from './triage-report.js';
import { referenceTo } from './triage-structure.js';

/** `gradients/net/Conv_1/Conv2D_grad/…`: the ops of the gradient of `net/Conv_1/Conv2D`. */
const GRADIENT_SCOPE = /(?:^|\/)gradients(?:_\d+)?\/(.+?)_grad(?:_\d+)?(?:\/|$)/;
const BACKWARD = /(?:^|\/)gradients(?:_\d+)?(?:\/|$)/;

/** The forward op whose gradient an op helps to compute; undefined in the forward pass. */
function forwardOf({ scope }: TraceOp): string | undefined {
  return GRADIENT_SCOPE.exec(scope)?.[1];
}

interface ActivationGradient {
  readonly of: string;
  readonly digest: ArrayDigest;
  /** The op that computed it: of another gradient, or the sum of several. */
  readonly producer: TraceOp;
}

/** What reaches each forward op from behind, in the order of the backward pass; of an op with several outputs, each. */
function activationGradients({ ops }: Trace): Map<string, ActivationGradient> {
  const found = new Map<string, ActivationGradient>();
  const outputs = new Map<string, Set<string>>();
  for (const op of ops) {
    const of = forwardOf(op);
    if (of === undefined) continue;
    for (const { origin, digest } of op.inputs) {
      if (origin.kind !== 'op') continue;
      const producer = ops[origin.op]!;
      if (!BACKWARD.test(producer.scope) || forwardOf(producer) === of) continue;
      const seen = outputs.get(of) ?? new Set<string>();
      outputs.set(of, seen);
      const from = `${origin.op}:${origin.output}`;
      if (seen.has(from)) continue;
      found.set(seen.size === 0 ? of : `${of}:${seen.size}`, { of, digest, producer });
      seen.add(from);
    }
  }
  return found;
}

const APART: DifferenceFigures = { maxAbsolute: 0, relativeL2: null, nonFinite: 0, sampled: true };

/**
 * The gradients of activations on both sides, from the loss back to the first layer: how far they are apart by then, and
 * what the op that computed each does on the reference's own inputs. null where no backward pass was traced.
 *
 * @param otherwise  the verdict on a large difference, whose noise floor is not known here
 */
export function backwardPass(
  reference: Trace,
  migrated: Trace,
  alignment: TraceAlignment,
  results: readonly PairResult[],
  otherwise: TriageVerdict,
): BackwardPass | null {
  const [left, right] = [activationGradients(reference), activationGradients(migrated)];
  if (left.size === 0 && right.size === 0) return null;
  const alone = new Map(results.map(({ finding, isolated }) => [finding.reference.index, isolated?.verdict ?? null]));
  const points: GradientPoint[] = [];
  for (const [name, { digest, producer }] of left) {
    const other = right.get(name);
    if (other === undefined) continue;
    const identical = sameBits(digest, other.digest) === true;
    const figures = sampledDifference(other.digest, digest) ?? APART;
    const partner = alignment.toMigrated[producer.index]!;
    const known = alone.get(producer.index);
    const isolated = known !== undefined ? known : partner >= 0 && identical ? 'identical' : null;
    const accumulated = judgeAccumulated(figures, identical, null) ?? otherwise;
    points.push({ ...figures, of: name, op: referenceTo(producer), accumulated, isolated });
  }
  const without = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>) =>
    [...a.keys()].filter((name) => !b.has(name));
  return {
    gradients: points.length,
    differing: points.filter(({ accumulated }) => accumulated !== 'identical').length,
    first: points.find(({ accumulated }) => accumulated !== 'identical') ?? null,
    points,
    missing: without(left, right),
    extra: without(right, left),
  };
}
