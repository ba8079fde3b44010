import { DTYPES, type DType } from '@tfparity/array';
import { NumericsError } from './errors.js';

/**
 * How far two values may be apart. An element passes where |actual - expected| <= atol + rtol * |expected|, or where it is at most
 * `maxUlps` representable values away. A limit that is left out beside one that is given is 0.
 */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
  readonly maxUlps?: number;
  /** Whether NaN passes against NaN; the default is yes, with a warning in the result. */
  readonly equalNan?: boolean;
  /** What this tolerance is called in reports. */
  readonly name?: string;
  /** Why it is what it is. */
  readonly reason?: string;
}

/** A tolerance with everything filled in, as it was applied. */
export type AppliedTolerance = Required<Tolerance>;

/**
 * A tolerance for the tensors whose name matches: equal to a string (in which `*` stands for anything), or found by a pattern. One
 * without a limit keeps the general ones.
 */
export interface NamedOverride extends Tolerance {
  readonly match: string | RegExp;
}

const FLOAT_DEFAULTS: Partial<Record<DType, readonly [rtol: number, atol: number]>> = {
  float16: [1e-3, 1e-5],
  bfloat16: [1.6e-2, 1e-5],
  float32: [1.3e-6, 1e-5],
  float64: [1e-7, 1e-7],
  complex64: [1.3e-6, 1e-5],
  complex128: [1e-7, 1e-7],
};

/** The default tolerance of a dtype, that of `torch.testing.assert_close`; integers, bools and strings must be equal. */
export function defaultTolerance(dtype: DType): AppliedTolerance {
  const [rtol, atol] = FLOAT_DEFAULTS[dtype] ?? [0, 0];
  const exact = rtol === 0;
  return {
    rtol,
    atol,
    maxUlps: 0,
    equalNan: true,
    name: exact ? 'exact' : `default for ${dtype}`,
    reason: exact ? `${DTYPES[dtype].name} values are counted, not rounded` : "torch.testing.assert_close's default",
  };
}

/** Tolerances that need no choice: what they are, and why. */
export const TOLERANCES = {
  /** Equal values; NaN equals NaN. */
  exact: { rtol: 0, atol: 0, name: 'exact', reason: 'the same program on the same library gives the same values' },
  /** TensorFlow's migration guide compares with these. */
  guide: { rtol: 1e-6, atol: 1e-5, name: 'guide', reason: "TensorFlow's guide to numerical equivalence uses these" },
  /** The default of `numpy.testing.assert_allclose`. */
  numpy: { rtol: 1e-7, atol: 0, name: 'numpy', reason: 'the default of numpy.testing.assert_allclose' },
} as const satisfies Record<string, Tolerance>;

/** @throws {NumericsError} `InvalidTolerance` for a limit below 0, NaN or no number */
export function checkLimits(limits: Readonly<Record<string, number | undefined>>): void {
  for (const [name, limit] of Object.entries(limits)) {
    if (limit === undefined || (typeof limit === 'number' && limit >= 0)) continue;
    throw new NumericsError('InvalidTolerance', `${name} is ${limit}; a tolerance is 0 or more`, { [name]: limit });
  }
}

/**
 * The tolerance that holds for a dtype when these limits are asked for: the dtype's default where no limit is given.
 *
 * @throws {NumericsError} `InvalidTolerance` for a limit below 0 or NaN
 */
export function applyTolerance(asked: Tolerance, dtype: DType): AppliedTolerance {
  const { rtol, atol, maxUlps } = asked;
  checkLimits({ rtol, atol, maxUlps });
  const given = hasLimits(asked);
  const base = defaultTolerance(dtype);
  return {
    rtol: given ? (rtol ?? 0) : base.rtol,
    atol: given ? (atol ?? 0) : base.atol,
    maxUlps: maxUlps ?? 0,
    equalNan: asked.equalNan ?? true,
    name: asked.name ?? (given ? 'as given' : base.name),
    reason: asked.reason ?? (given ? '' : base.reason),
  };
}

/** Whether any limit is given; else the others that hold anyway stay. */
export function hasLimits({ rtol, atol, maxUlps }: Tolerance): boolean {
  return rtol !== undefined || atol !== undefined || maxUlps !== undefined;
}

/** The limits for a tensor of this name: of the first override that matches and gives one, else the general ones. */
export function toleranceFor(name: string, general: Tolerance, overrides: readonly NamedOverride[] = []): Tolerance {
  const found = overrides.find(({ match }) => matches(match, name));
  if (found === undefined) return general;
  const { match, ...limits } = found;
  const { rtol, atol, maxUlps, equalNan, reason } = general;
  const named = { equalNan, name: `override for ${match}` };
  if (hasLimits(limits)) return { ...named, ...limits };
  return { ...named, ...(reason === undefined ? {} : { reason }), ...limits, rtol, atol, maxUlps };
}

/** What the overrides match by that are the first to match none of these names. */
export function unusedOverrides(names: readonly string[], overrides: readonly NamedOverride[] = []): string[] {
  const used = new Set(names.map((name) => overrides.find(({ match }) => matches(match, name))));
  return overrides.filter((override) => !used.has(override)).map(({ match }) => String(match));
}

function matches(match: string | RegExp, name: string): boolean {
  // A pattern with the flag g would remember where it stopped; search does not.
  if (typeof match !== 'string') return name.search(match) >= 0;
  if (!match.includes('*')) return match === name;
  const pattern = match.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`, 's').test(name);
}
