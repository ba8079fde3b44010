import type { LedgerDifference } from '@tfparity/random';

/**
 * What a difference is: `identical` bits; `rounding`, within what the ops' own arithmetic can err; `amplified-rounding`,
 * rounding that the net makes much larger; `suspicious`, somewhat more than rounding explains; `different`, a fault.
 */
export type TriageVerdict = 'identical' | 'rounding' | 'amplified-rounding' | 'suspicious' | 'different';

/** One op of a trace, as reports name it. */
export interface OpReference {
  /** Place in program order, from 0. */
  readonly index: number;
  /** Scope path and kernel, made unique as TensorFlow does: `net/Conv2d_1a_3x3/Conv2D_1`. */
  readonly name: string;
  /** The tfjs kernel; `AssignVariable` for an assignment, `EndPoint` where only end points are known. */
  readonly kernel: string;
  /** Scope path without a trailing slash, '' at the root. */
  readonly scope: string;
  readonly shapes: readonly (readonly number[])[];
}

/** Two arrays held against each other, in double precision. */
export interface DifferenceFigures {
  readonly maxAbsolute: number;
  /** Norm of the difference over norm of the reference; null where the reference is all zero and the other is not. */
  readonly relativeL2: number | null;
  /** Lanes that are NaN or infinite on one side alone, or of another kind. */
  readonly nonFinite: number;
  /** Whether the figures come from a strided sample, not from all elements. */
  readonly sampled: boolean;
}

/** An op's difference on the reference's own inputs, against what its arithmetic can err. */
export interface IsolatedDifference extends DifferenceFigures {
  readonly verdict: TriageVerdict;
  /** Greatest share of the bound that an element's difference takes: up to 1 is rounding. Infinity is written as null. */
  readonly shareOfBound: number | null;
  /** The bound in words: `gamma_288 of the products' absolute sum`. */
  readonly bound: string;
  /** Why it is no matter of bounds: shapes or dtypes differ, or it cannot take the reference's inputs. */
  readonly reason?: string;
}

/** Why an op is a culprit. */
export interface TriageCause {
  readonly kind:
    | 'attribute'
    | 'variable'
    | 'constant'
    | 'input'
    | 'wiring'
    | 'input-order'
    | 'missing-op'
    | 'extra-op'
    | 'moved-op'
    | 'other-kernel'
    | 'random-draw'
    | 'arithmetic'
    | 'shape'
    | 'update';
  /** `epsilon: 0.001 in the reference, 0.002 here`. */
  readonly message: string;
  /** The attribute, variable or input that it is about. */
  readonly subject?: string;
}

/** An op that differs of its own accord, not because its inputs do. */
export interface Culprit {
  /** The op on the migrated side; null where it is missing there. */
  readonly op: OpReference | null;
  /** Its partner on the reference side; null for an op too many. */
  readonly reference: OpReference | null;
  readonly causes: readonly TriageCause[];
  /** Absent where the op could not be run alone: it is missing, or random. */
  readonly isolated?: IsolatedDifference;
  /** Whether a culprit before it may be what makes it differ. */
  readonly mayFollow: boolean;
}

/** How far both sides are apart at one place of the program. */
export interface GrowthPoint extends DifferenceFigures {
  /** End point, or op. */
  readonly name: string;
  readonly index: number;
  /** The greatest |reference|. */
  readonly magnitude: number;
  /** Relative error over that of the point before it; null where one of them is 0 or unknown. */
  readonly factor: number | null;
  /** What perturbing inputs and weights by one ulp changes here, relative to the reference: the greatest of the runs. */
  readonly noise: number | null;
  /**
   * What the rounding of the op that computed it can alone be here, relative to the reference, at most; null where it
   * was not measured: against recorded end points it is.
   */
  readonly bound: number | null;
  /** Relative error of each side against the shadow run in double precision. */
  readonly shadow: { readonly reference: number | null; readonly migrated: number | null } | null;
  readonly verdict: TriageVerdict;
}

/** Where rounding grew. */
export interface Amplification {
  /** Greatest relative error over the unit roundoff, 2^-24. */
  readonly factor: number;
  /** The stretches over which it grew most, greatest first: of the absolute error where nothing is left of the value. */
  readonly at: readonly { readonly from: string | null; readonly to: string; readonly factor: number }[];
}

/** The first op that differs, and the blocks around it. */
export interface FirstDivergence {
  readonly op: OpReference | null;
  readonly reference: OpReference | null;
  /** Scopes from the outside in: `['net', 'net/Mixed_5b', 'net/Mixed_5b/Branch_0']`. */
  readonly path: readonly string[];
  readonly difference: DifferenceFigures | null;
}

/** The gradient of one op's output, as the backward pass had it. */
export interface GradientPoint extends DifferenceFigures {
  /** The op of the forward pass: `net/Conv_1/Conv2D`; of a second output, `net/split/Split:1`. */
  readonly of: string;
  /** The reference's op that computed the gradient. */
  readonly op: OpReference;
  /** On how far the sides are apart by then. */
  readonly accumulated: TriageVerdict;
  /**
   * On what that op computes from the reference's own inputs; null where it was not run: it has no partner, is no
   * differing one, or is set, wired and fed alike on one backend.
   */
  readonly isolated: TriageVerdict | null;
}

/** The gradients of activations on both sides, in the order of the backward pass. */
export interface BackwardPass {
  /** How many both sides have. */
  readonly gradients: number;
  readonly differing: number;
  /** The first that differs, from the loss backwards. */
  readonly first: GradientPoint | null;
  readonly points: readonly GradientPoint[];
  /** Forward ops that gradients reach on the reference side alone, and on the migrated side alone. */
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

/** A scope whose parts agree on the reference's inputs, and whose output differs all the same. */
export interface ParentDiffers {
  readonly scope: string;
  readonly message: string;
}

/** One random op's draw that is not the same on both sides. */
export type RandomDivergence = LedgerDifference;

/** One side of a triage. */
export interface TriageSideSummary {
  readonly name: string;
  readonly backend: string | null;
  readonly ops: number;
  readonly variables: number;
  /** `ops`: every kernel was seen; `end-points`: only recorded end points are known. */
  readonly detail: 'ops' | 'end-points';
}

/** What `triage` found: plain data, which JSON keeps. */
export interface TriageReport {
  readonly format: 'tfparity-triage';
  readonly version: 1;
  readonly verdict: TriageVerdict;
  /** The finding in a sentence or two, the culprit first. */
  readonly summary: string;
  readonly reference: TriageSideSummary;
  readonly migrated: TriageSideSummary;
  /** First difference of the random-op ledgers; null where they agree or were not given. */
  readonly ledger: RandomDivergence | null;
  readonly firstDivergence: FirstDivergence | null;
  /** In program order; the first is the one to look at. */
  readonly culprits: readonly Culprit[];
  /** Differing ops that agree on the reference's inputs. */
  readonly inherited: number;
  /** Ops run alone, by the verdict on each. */
  readonly isolated: Readonly<Record<TriageVerdict, number>>;
  readonly missing: readonly OpReference[];
  readonly extra: readonly OpReference[];
  readonly parentsThatDiffer: readonly ParentDiffers[];
  readonly growth: readonly GrowthPoint[];
  /** null where no backward pass was traced. */
  readonly backward: BackwardPass | null;
  readonly amplification: Amplification | null;
  /** Variables whose values differ when they are first read. */
  readonly variables: readonly { readonly name: string; readonly message: string }[];
  readonly warnings: readonly string[];
  readonly seconds: number;
}
