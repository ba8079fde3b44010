import { GraphError } from './graph-error.js';
import type { Attributes, OutputInfo, OutputRef } from './operation.js';

/** The sizes at which an unknown one is tried while ops are recorded. */
export type Trials = readonly [number, number];

/** An unknown size of a graph: the number that code sees in its place, and where it was declared first. */
export interface UnknownSize {
  readonly recorded: number;
  readonly trials: Trials;
  readonly source: OutputRef;
  readonly axis: number;
}

/**
 * What stands for an unknown size, by axis: numbers that no program has, nor their multiples, nor what lies beside them
 * (large prime factors, and no round or smooth number near); multiples of 16, because code may halve them.
 */
const RECORDED = [20144, 37984, 47456, 23216, 23728, 50656] as const;

/** Small sizes at which kernels can be run; those of axes differ, so that one is not taken for another. */
const TRIALS: readonly Trials[] = [
  [2, 4],
  [64, 96],
  [80, 112],
  [48, 72],
  [16, 24],
  [40, 56],
];

/** Smaller numbers are never taken for one that was worked out from an unknown size. */
const LEAST = 500;

/** Smaller ones are never compared with a program's numbers, which are mostly that small. */
const LEAST_UNDECIDABLE = 32;

/** How far from a multiple of an unknown size a number may lie that was worked out from it (`x.shape[0] - 1`). */
const NEAR = 8;

/** The same for a begin, an end, a size or a padding along an axis of unknown size. */
const NEAR_ALONG_AXIS = 256;

/** A number as a product of recorded sizes, times and plus known ones. */
export interface SizeParts {
  readonly factors: readonly number[];
  readonly times: number;
  readonly plus: number;
}

interface ResolveOptions {
  /** Whether an op's own input decides where the run has several sizes. */
  readonly own?: boolean;
  readonly near?: number;
  readonly before?: number | undefined;
}

/** The unknown sizes of a graph: those of its placeholders, and what ops made of them. */
export class UnknownSizes {
  private readonly byNumber = new Map<number, UnknownSize>();
  /** Recorded in place of unknown sizes, and too small to be told from a program's own numbers. */
  private readonly undecidable = new Set<number>();
  /** The largest first: what is left of a product is a known number. */
  private sorted: readonly UnknownSize[] = [];

  /** Whether every size of the graph is known. */
  get none(): boolean {
    return this.byNumber.size === 0;
  }

  /** The unknown sizes that others are made of, in the order in which they came up. */
  get noted(): Iterable<UnknownSize> {
    return this.byNumber.values();
  }

  /** The unknown size that a number stands for. */
  find(recorded: number): UnknownSize | undefined {
    return this.byNumber.get(recorded);
  }

  /**
   * What stands for the unknown sizes of a shape, and the shape at both trials.
   *
   * @param samples  sizes to try in place of the usual ones
   * @throws {GraphError} `WrongValue` where another size was tried for the same axis before
   */
  shapes(
    shape: readonly (number | null)[],
    samples: readonly (number | null | undefined)[] = [],
  ): Pick<OutputInfo, 'shape' | 'tried'> {
    if (!shape.includes(null)) return { shape: shape as number[] };
    const trials = shape.map((size, axis): Trials => {
      if (size !== null) return [size, size];
      const sample = samples[axis];
      const before = this.byNumber.get(numberFor(axis))?.trials;
      if (sample == null) return before ?? TRIALS[axis % TRIALS.length]!;
      if (before === undefined || before[0] === sample) return [sample, 2 * sample];
      throw new GraphError(
        'WrongValue',
        `the unknown size of axis ${axis} is tried at ${before[0]} in this graph, so it cannot be at ${sample}`,
        { axis, sample, before: before[0] },
      );
    });
    return {
      shape: shape.map((size, axis) => size ?? numberFor(axis)),
      tried: [trials.map(([size]) => size), trials.map(([, size]) => size)],
    };
  }

  /** Notes the unknown sizes of an output, where they are not made of noted ones. */
  declare(source: OutputRef): void {
    const { shape, tried } = source.op.outputInfos[source.index]!;
    if (tried === undefined) return;
    shape.forEach((recorded, axis) => {
      if (!isUnknown(tried, axis) || this.byNumber.has(recorded)) return;
      if (recorded < LEAST) {
        if (recorded >= LEAST_UNDECIDABLE) this.undecidable.add(recorded);
        return;
      }
      if (this.parts(recorded) !== undefined) return;
      this.byNumber.set(recorded, { recorded, source, axis, trials: [tried[0][axis]!, tried[1][axis]!] });
      this.sorted = [...this.byNumber.values()].sort((x, y) => y.recorded - x.recorded);
    });
  }

  /**
   * How a number was worked out from unknown sizes; undefined where it was not.
   *
   * @param before  the place of the op that has the number: what came up later is no part of it
   * @throws {GraphError} `Symbolic` where that cannot be told
   */
  parts(value: number, near = NEAR, before = Number.POSITIVE_INFINITY): SizeParts | undefined {
    if (this.undecidable.has(value)) {
      throw new GraphError(
        'Symbolic',
        `${value} may be a size that is unknown while the graph is built, or a number of the program; give the graph larger images, or known sizes`,
        { value },
      );
    }
    if (!Number.isSafeInteger(value) || value < LEAST) return undefined;
    const factors: number[] = [];
    let times = value;
    const sizes = this.sorted.filter(({ source }) => source.op.id < before).map(({ recorded }) => recorded);
    for (const size of sizes) {
      for (; times % size === 0; times /= size) factors.push(size);
    }
    if (factors.length > 0) return { factors, times, plus: 0 };
    for (const size of sizes) {
      const multiple = Math.round(value / size);
      const plus = value - multiple * size;
      if (multiple > 0 && Math.abs(plus) <= near) return { factors: [size], times: multiple, plus };
    }
    return undefined;
  }

  /** The sizes of one of the two trials. */
  atTrial(trial: 0 | 1): Sizes {
    const sizes = new Sizes();
    for (const { recorded, trials } of this.byNumber.values()) sizes.bind(recorded, trials[trial]);
    return sizes;
  }

  /** Whether an attribute has a number that was worked out from an unknown size. */
  showIn(attrs: Attributes, id?: number): boolean {
    let found = false;
    if (!this.none) {
      this.eachIn({ attrs, id }, () => {
        found = true;
      });
    }
    return found;
  }

  /** Calls back for each number of the attributes that was worked out from unknown sizes. */
  eachIn({ attrs, id }: Pick<SizedCall, 'attrs' | 'id'>, found: (parts: SizeParts) => void): void {
    mapNumbers(attrs, (value) => {
      const parts = this.parts(value, NEAR, id);
      if (parts !== undefined) found(parts);
      return value;
    });
  }

  /** A number with the sizes that stand in the places of the recorded ones; as it is where it has none. */
  resolved(value: number, sizes: Sizes, { own = false, near = NEAR, before }: ResolveOptions = {}): number {
    const parts = this.parts(value, near, before);
    if (parts === undefined) return value;
    const product = parts.factors.reduce((times, factor) => times * sizes.get(factor, own), parts.times);
    return product + parts.plus;
  }
}

const numberFor = (axis: number): number => RECORDED[axis % RECORDED.length]!;

/** Which sizes stand in the places of recorded ones: at a trial, in a run, or for one op. */
export class Sizes {
  /** NaN where one recorded number has two sizes. */
  private readonly actual = new Map<number, number>();

  /** @param run  the sizes of the run, around those of an op's own inputs */
  constructor(private readonly run?: Sizes) {}

  /** Notes the size of a recorded number; a second one that differs makes it ambiguous. */
  bind(recorded: number, size: number): void {
    const before = this.actual.get(recorded);
    this.actual.set(recorded, before === undefined || before === size ? size : Number.NaN);
  }

  /** Notes the sizes of a tensor where those that were recorded are unknown. */
  bindShape({ shape: recorded, tried }: OutputInfo, actual: readonly number[]): void {
    if (tried === undefined || actual.length !== recorded.length) return;
    recorded.forEach((size, axis) => {
      if (isUnknown(tried, axis)) this.bind(size, actual[axis]!);
    });
  }

  /** The recorded numbers that have several sizes. */
  get ambiguous(): number[] {
    return [...this.actual].filter(([, size]) => Number.isNaN(size)).map(([recorded]) => recorded);
  }

  /**
   * The size in place of a recorded one.
   *
   * @param own  whether an op's own input decides where the run has several
   * @throws {GraphError} `WrongValue` where there is none, or several
   */
  get(recorded: number, own = false): number {
    const inRun = this.run?.actual.get(recorded);
    const here = this.actual.get(recorded);
    const size = Number.isNaN(inRun) && !own ? inRun : (here ?? inRun);
    if (size !== undefined && !Number.isNaN(size)) return size;
    const why =
      size === undefined
        ? 'nothing that this run feeds or computes before has that size'
        : 'tensors that share it have different ones in this run; record them in graphs of their own, or write -1 in its place';
    throw new GraphError('WrongValue', `it uses a size that is unknown while the graph is built, and ${why}`, {
      recorded,
    });
  }
}

/** The sizes of what a run is fed. */
export function fedSizes(feeds: ReadonlyMap<OutputRef, { readonly shape: readonly number[] }>): Sizes {
  const sizes = new Sizes();
  for (const [ref, { shape }] of feeds) sizes.bindShape(ref.op.outputInfos[ref.index]!, shape);
  return sizes;
}

/** Whether the size of an axis is unknown, by the two shapes that were tried. */
export function isUnknown(tried: NonNullable<OutputInfo['tried']>, axis: number): boolean {
  return tried[0][axis] !== tried[1][axis];
}

/** The sizes of an output as far as they are known: null for the others. */
export function knownShape({ shape, tried, declared }: OutputInfo): readonly (number | null)[] {
  if (declared !== undefined || tried === undefined) return declared ?? shape;
  return shape.map((size, axis) => (isUnknown(tried, axis) ? null : size));
}

/** Attributes that hold one number, or a pair of them, for each axis of the first input. */
const ALONG_AXES: Readonly<Record<string, ReadonlySet<string>>> = {
  Slice: new Set(['begin', 'size']),
  StridedSlice: new Set(['begin', 'end']),
  PadV2: new Set(['paddings']),
  MirrorPad: new Set(['paddings']),
};

/** Attributes that are numbers, and sizes never. */
const NO_SIZES = new Set(['seed', 'seed2', 'stream', 'key', 'counter']);

/** Whether the sizes in the attributes can only be the input's own: without a -1, the number of values shows that. */
export function takesOwnSizes(type: string, attrs: Attributes): boolean {
  return type === 'Reshape' && !(attrs['shape'] as number[]).includes(-1);
}

/** An op, as far as its attributes go. */
export interface SizedCall {
  /** Its place among the ops; left out where it is about to be recorded. */
  readonly id?: number | undefined;
  readonly type: string;
  readonly attrs: Attributes;
  /** Its inputs as they were recorded. */
  readonly inputs: readonly OutputInfo[];
}

/**
 * The attributes of a call whose inputs have other sizes than were recorded.
 *
 * @param shapes  what the inputs have instead
 * @throws {GraphError} `WrongValue`, `Symbolic` where an attribute cannot be told
 */
export function resolvedAttrs(
  unknowns: UnknownSizes,
  { id, type, attrs, inputs }: SizedCall,
  shapes: readonly (readonly number[])[],
  run: Sizes,
): Attributes {
  const sizes = new Sizes(run);
  inputs.forEach((info, i) => {
    sizes.bindShape(info, shapes[i]!);
  });
  const alongAxes = ALONG_AXES[type];
  const own = takesOwnSizes(type, attrs);
  const near = (axis: number): number => {
    const tried = inputs[0]?.tried;
    return tried !== undefined && axis < tried[0].length && isUnknown(tried, axis) ? NEAR_ALONG_AXIS : NEAR;
  };
  const change = (value: unknown, options: ResolveOptions): unknown =>
    mapNumbers(value, (number) => unknowns.resolved(number, sizes, { ...options, before: id }));
  return Object.fromEntries(
    Object.entries(attrs).map(([name, value]) => {
      if (NO_SIZES.has(name)) return [name, value];
      if (!alongAxes?.has(name) || !Array.isArray(value)) return [name, change(value, { own })];
      return [name, value.map((part, axis) => change(part, { own, near: near(axis) }))];
    }),
  );
}

function mapNumbers(value: unknown, change: (value: number) => number): unknown {
  if (typeof value === 'number') return change(value);
  if (Array.isArray(value)) return value.map((part) => mapNumbers(part, change));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, NO_SIZES.has(name) ? part : mapNumbers(part, change)]),
  );
}
