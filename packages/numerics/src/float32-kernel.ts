// The inner loops over two blocks of float32 in WebAssembly SIMD: four lanes at a time, each figure in one pass while the blocks lie in
// the cache. Plain JavaScript needs three times as long, for it converts every value to double.
import type { Tally } from './tally.js';
import { assemble, type Code, FunctionBuilder, op } from './wasm-assembler.js';

/** Elements of a block: two of them and the histograms in use fit the second-level cache. */
export const KERNEL_BLOCK = 8192;

const BYTES = KERNEL_BLOCK * 4;
const B = BYTES;
/** Where `outside` leaves its survey, and `figures` its sums (doubles) and extremes (vectors). */
const SURVEY = 2 * BYTES;
const SUMMARY = SURVEY + 256;
const ULPS = SUMMARY + 768;
/** One ulp histogram to a lane: neighbours fall into the same bucket, and an increment waits for the one before. */
const ULP_LANE = 256 * 4;
const ABSOLUTE = ULPS + 4 * ULP_LANE;
const SKETCH_BYTES = 0x8000 * 4;
const RELATIVE = ABSOLUTE + SKETCH_BYTES;
const PAGES = Math.ceil((RELATIVE + SKETCH_BYTES) / 65536);

const ABS_MASK = 0x7fffffff;
const INFINITY_BITS = 0x7f800000;
/** Sums stay in float32 for so many bytes of a lane's block (32 addends), then go to doubles. */
const FLUSH = 512;

const a = (at: Code): Code => op.loadV(at, 0);
const b = (at: Code): Code => op.loadV(at, B);
type Local = ReturnType<FunctionBuilder['local']>;

const vectors = (f: FunctionBuilder, count: number): Local[] => Array.from({ length: count }, () => f.local('v128'));

/** Distance in ulps of four pairs. Where signs may differ, bits below 0 are mirrored so that they count down from -0. */
function ulpDistance(f: FunctionBuilder, mirror: boolean, mask: Code): (p: Code, q: Code) => Code {
  if (!mirror) return (p, q) => op.absI32(op.subI32(p, q));
  const [sign, x, y] = vectors(f, 3) as [Local, Local, Local];
  const ordered = (bits: Code): Code =>
    op.subI32(op.xor(op.and(bits, mask), sign.tee(op.shrI32(bits, op.i32(31)))), sign.get);
  return (p, q) => [x.set(ordered(p)), y.set(ordered(q)), op.subI32(op.maxI32(x.get, y.get), op.minI32(x.get, y.get))];
}

/**
 * How many elements are outside |a - b| <= atol + rtol * |b|, in float32 as numpy's; NaN pairs count as `equalNan` says. With
 * `ulps`, an element within `maxUlps` is inside. With `survey` it also leaves extremes, whether bits and signs differ, and
 * whether a difference is not finite.
 */
function outside(name: string, { ulps, survey }: { ulps?: boolean; survey?: boolean }): FunctionBuilder {
  const f = new FunctionBuilder(name, ['i32', 'f32', 'f32', 'i32', 'i32'], 'i32');
  const [rtol, atol, infinity, nan, p, q, d, close, count, mask] = vectors(f, 10) as Local[] & { length: 10 };
  const [maxUlps, bits, maxD, minP, maxP, minQ, maxQ] = vectors(f, 7);
  f.emit(
    rtol!.set(op.splatF32(f.parameter(1))),
    atol!.set(op.splatF32(f.parameter(2))),
    nan!.set(op.splatI32(op.sub(op.i32(0), f.parameter(3)))),
    maxUlps!.set(op.splatI32(f.parameter(4))),
    infinity!.set(op.splatI32(op.i32(INFINITY_BITS))),
    mask!.set(op.splatI32(op.i32(ABS_MASK))),
  );
  const first = op.i32(0);
  if (survey) f.emit(minP!.set(a(first)), maxP!.set(a(first)), minQ!.set(b(first)), maxQ!.set(b(first)));
  const distance = ulpDistance(f, true, mask!.get);
  const isNan = (v: Code): Code => op.not(op.eqF32(v, v));
  const size = op.absF32(q!.get);
  const limit = op.addF32(atol!.get, op.mulF32(rtol!.get, size));
  const within = op.and(op.leF32(d!.get, limit), op.ltF32(size, infinity!.get));
  const bothNan = op.and(nan!.get, op.and(isNan(p!.get), isNan(q!.get)));
  const body = (at: Code): Code[] => {
    const code: Code[] = [p!.set(a(at)), q!.set(b(at)), d!.set(op.absF32(op.subF32(p!.get, q!.get)))];
    code.push(close!.set(op.or(op.or(within, op.eqF32(p!.get, q!.get)), bothNan)));
    if (ulps) code.push(close!.set(op.or(close!.get, op.leU32(distance(p!.get, q!.get), maxUlps!.get))));
    // A true lane is -1: the sum counts down.
    code.push(count!.set(op.addI32(count!.get, op.not(close!.get))));
    if (!survey) return code;
    code.push(
      bits!.set(op.or(bits!.get, op.xor(p!.get, q!.get))),
      // As whole numbers: the bits of NaN are greater than those of Infinity.
      maxD!.set(op.maxU32(maxD!.get, d!.get)),
      minP!.set(op.pminF32(minP!.get, p!.get)),
      maxP!.set(op.pmaxF32(maxP!.get, p!.get)),
      minQ!.set(op.pminF32(minQ!.get, q!.get)),
      maxQ!.set(op.pmaxF32(maxQ!.get, q!.get)),
    );
    return code;
  };
  f.emit(f.loop(f.parameter(0), 16, body));
  const left = survey ? [bits!, maxD!, minP!, maxP!, minQ!, maxQ!] : [];
  left.forEach((held, i) => {
    f.emit(op.storeV(op.i32(SURVEY + 16 * i), held.get));
  });
  const lanes = [0, 1, 2, 3].map((lane) => op.lane(count!.get, lane));
  f.emit(
    op.sub(
      op.i32(0),
      lanes.reduce((sum, lane) => op.add(sum, lane)),
    ),
  );
  return f;
}

/** Sums that `figures` leaves behind as doubles, in this order; the last two in units of `scale`. */
const SUMS = ['sumAbsolute', 'sumRelative', 'squaredExpected', 'scaledSquares', 'scaledDifference'] as const;
type SumName = (typeof SUMS)[number];

/** Sums over a block whose values are all finite: of |a - b|, of relative errors, of b², of (a - b)², of a² - b². */
function figures(name: string, mirror: boolean): FunctionBuilder {
  const f = new FunctionBuilder(name, ['i32', 'f32'], undefined);
  const [p, q, d, size, r, ulp, infinity, mask, scale] = vectors(f, 9) as Local[] & { length: 9 };
  const [maxRelative, maxUlps, sumUlps] = vectors(f, 3) as [Local, Local, Local];
  const sums = SUMS.map(() => ({ single: f.local('v128'), double: f.local('v128') }));
  const add = (i: number, value: Code): Code => sums[i]!.single.set(op.addF32(sums[i]!.single.get, value));
  f.emit(
    infinity!.set(op.splatI32(op.i32(INFINITY_BITS))),
    mask!.set(op.splatI32(op.i32(ABS_MASK))),
    scale!.set(op.splatF32(f.parameter(1))),
  );
  const distance = ulpDistance(f, mirror, mask!.get);
  const body = (at: Code): Code[] => [
    p!.set(a(at)),
    q!.set(b(at)),
    d!.set(op.subF32(p!.get, q!.get)),
    size!.set(op.absF32(d!.get)),
    add(0, size!.get),
    // Division by 0 gives Infinity or NaN, which count for nothing here.
    r!.set(op.divF32(size!.get, op.absF32(q!.get))),
    r!.set(op.and(r!.get, op.ltF32(r!.get, infinity!.get))),
    maxRelative.set(op.pmaxF32(maxRelative.get, r!.get)),
    add(1, r!.get),
    add(2, op.mulF32(q!.get, q!.get)),
    d!.set(op.mulF32(d!.get, scale!.get)),
    add(3, op.mulF32(d!.get, d!.get)),
    add(4, op.mulF32(d!.get, op.addF32(p!.get, q!.get))),
    ulp!.set(distance(p!.get, q!.get)),
    maxUlps.set(op.maxU32(maxUlps.get, ulp!.get)),
    sumUlps.set(op.addI32(sumUlps.get, ulp!.get)),
  ];
  const zero = op.splatI32(op.i32(0));
  const flush = sums.flatMap(({ single, double }) => [
    double.set(op.addF64(op.addF64(double.get, op.promoteLow(single.get)), op.promoteLow(op.upper(single.get)))),
    single.set(zero),
  ]);
  const end = f.local('i32');
  f.emit(
    f.loop(f.parameter(0), FLUSH, (start) => {
      const least = op.select(end.get, f.parameter(0), op.lessThan(end.get, f.parameter(0)));
      return [end.set(op.add(start, op.i32(FLUSH))), end.set(least), f.loopFrom(start, end.get, 16, body), ...flush];
    }),
  );
  sums.forEach(({ double }, i) => {
    f.emit(op.storeF64(op.i32(SUMMARY + 8 * i), op.f64Add(op.laneF64(double.get, 0), op.laneF64(double.get, 1))));
  });
  [maxRelative, maxUlps, sumUlps].forEach((held, i) => {
    f.emit(op.storeV(op.i32(SUMMARY + 64 + 16 * i), held.get));
  });
  return f;
}

/** Up to this distance `histogramsNear` counts. */
const NEAR = 8;
/** The distances that end a bucket below `NEAR`. */
const ENDS = [0, 1, 2, 4];

/**
 * Adds a block to the histograms: ulps (by the exponent of 2 ulps - 1), absolute and relative error (by the upper half of their bits).
 * With `near` no distance is beyond `NEAR`, and those up to each of `ENDS` are counted without memory.
 */
function histograms(name: string, mirror: boolean, near = false): FunctionBuilder {
  const f = new FunctionBuilder(name, ['i32'], undefined);
  const [p, q, d, r, ulp, mask, upper, exponent, one] = vectors(f, 9) as Local[] & { length: 9 };
  const address = f.local('i32');
  const splat = (value: number): Code => op.splatI32(op.i32(value));
  // Bits shifted so that the bucket's number comes out times four: its address.
  f.emit(mask!.set(splat(ABS_MASK)), upper!.set(splat(0x1fffc)), exponent!.set(splat(0x3fc)), one!.set(splat(1)));
  const distance = ulpDistance(f, mirror, mask!.get);
  const increment = (index: Code, base: number): Code =>
    op.store(address.tee(index), op.add(op.load(address.get, base), op.i32(1)), base);
  const odd = op.maxI32(op.subI32(op.addI32(ulp!.get, ulp!.get), one!.get), splat(0));
  const counts = near ? ENDS.map((end) => ({ count: f.local('v128'), end: f.local('v128'), value: end })) : [];
  for (const { end, value } of counts) f.emit(end.set(splat(value)));
  const bucket = near
    ? counts.map(({ count, end }) => count.set(op.subI32(count.get, op.leU32(ulp!.get, end.get))))
    : [ulp!.set(op.and(op.shrU32(op.convertI32(odd), op.i32(21)), exponent!.get))];
  f.emit(
    f.loop(f.parameter(0), 16, (at) => [
      p!.set(a(at)),
      q!.set(b(at)),
      d!.set(op.absF32(op.subF32(p!.get, q!.get))),
      r!.set(op.divF32(d!.get, op.absF32(q!.get))),
      r!.set(op.and(op.shrU32(r!.get, op.i32(14)), upper!.get)),
      d!.set(op.and(op.shrU32(d!.get, op.i32(14)), upper!.get)),
      ulp!.set(distance(p!.get, q!.get)),
      ...bucket,
      ...[0, 1, 2, 3].flatMap((lane) => [
        increment(op.lane(d!.get, lane), ABSOLUTE),
        increment(op.lane(r!.get, lane), RELATIVE),
        ...(near ? [] : [increment(op.lane(ulp!.get, lane), ULPS + lane * ULP_LANE)]),
      ]),
    ]),
  );
  counts.forEach(({ count }, i) => {
    f.emit(op.storeV(op.i32(SUMMARY + 16 * i), count.get));
  });
  return f;
}

/** What `survey` finds in a block. */
export interface BlockSurvey {
  /** Elements outside the tolerance. */
  readonly mismatched: number;
  readonly bitsDiffer: boolean;
  readonly signsDiffer: boolean;
  /** Infinity or NaN where a value, or a difference, is not finite. */
  readonly maxAbsolute: number;
  readonly minActual: number;
  readonly maxActual: number;
  readonly minExpected: number;
  readonly maxExpected: number;
}

/** Sums over a block. */
export type BlockFigures = Record<'sumAbsolute' | 'sumRelative' | 'squaredExpected' | 'sumSquared', number> & {
  /** Sum of actual² - expected². */
  readonly squaredDifference: number;
  readonly maxRelative: number;
  readonly maxUlps: number;
  readonly sumUlps: number;
};

type Outside = (bytes: number, rtol: number, atol: number, equalNan: number, maxUlps: number) => number;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly outside: Outside;
  readonly survey: Outside;
  readonly surveyUlps: Outside;
  figures(bytes: number, scale: number): void;
  figuresMirrored(bytes: number, scale: number): void;
  histograms(bytes: number): void;
  histogramsNear(bytes: number): void;
  histogramsMirrored(bytes: number): void;
}

/** One instance of the kernel: memory for two blocks, and the histograms. */
export class Float32Kernel {
  readonly #exports: Exports;
  readonly #a: Float32Array;
  readonly #b: Float32Array;
  readonly #floats: Float32Array;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  #bytes = 0;

  constructor(module: WebAssembly.Module) {
    this.#exports = new WebAssembly.Instance(module).exports as unknown as Exports;
    const { buffer } = this.#exports.memory;
    this.#a = new Float32Array(buffer, 0, KERNEL_BLOCK);
    this.#b = new Float32Array(buffer, B, KERNEL_BLOCK);
    this.#floats = new Float32Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  /** Copies a block in; `count` is a multiple of 4, at most `KERNEL_BLOCK`. */
  load(a: Float32Array, b: Float32Array, from: number, count: number): void {
    this.#a.set(a.subarray(from, from + count));
    this.#b.set(b.subarray(from, from + count));
    this.#bytes = count * 4;
  }

  /** How many elements are outside numpy's tolerance. */
  outside(rtol: number, atol: number, equalNan: boolean): number {
    return this.#exports.outside(this.#bytes, rtol, atol, equalNan ? 1 : 0, 0);
  }

  survey(rtol: number, atol: number, equalNan: boolean, maxUlps: number): BlockSurvey {
    const run = maxUlps > 0 ? this.#exports.surveyUlps : this.#exports.survey;
    const mismatched = run(this.#bytes, rtol, atol, equalNan ? 1 : 0, Math.min(maxUlps, 0xffffffff) | 0);
    const at = SURVEY / 4;
    const bits = this.#words[at]! | this.#words[at + 1]! | this.#words[at + 2]! | this.#words[at + 3]!;
    return {
      mismatched,
      bitsDiffer: bits !== 0,
      signsDiffer: bits < 0,
      maxAbsolute: this.#greatest(at + 4),
      minActual: -this.#greatest(at + 8, -1),
      maxActual: this.#greatest(at + 12),
      minExpected: -this.#greatest(at + 16, -1),
      maxExpected: this.#greatest(at + 20),
    };
  }

  #greatest(at: number, sign = 1): number {
    const f = this.#floats;
    return Math.max(sign * f[at]!, sign * f[at + 1]!, sign * f[at + 2]!, sign * f[at + 3]!);
  }

  /**
   * Sums over the block.
   *
   * @param scale a power of two near 1 / greatest difference, so that squares of differences are of float32's range
   */
  figures(signsDiffer: boolean, scale: number): BlockFigures {
    if (signsDiffer) this.#exports.figuresMirrored(this.#bytes, scale);
    else this.#exports.figures(this.#bytes, scale);
    const sum = (name: SumName): number => this.#doubles[SUMMARY / 8 + SUMS.indexOf(name)]!;
    const at = (SUMMARY + 64) / 4;
    const w = this.#words;
    return {
      sumAbsolute: sum('sumAbsolute'),
      sumRelative: sum('sumRelative'),
      squaredExpected: sum('squaredExpected'),
      sumSquared: sum('scaledSquares') / scale / scale,
      squaredDifference: sum('scaledDifference') / scale,
      maxRelative: this.#greatest(at),
      maxUlps: Math.max(w[at + 4]!, w[at + 5]!, w[at + 6]!, w[at + 7]!),
      sumUlps: w[at + 8]! + w[at + 9]! + w[at + 10]! + w[at + 11]!,
    };
  }

  /** Adds the block to the histograms, after `figures` has told the greatest distance in ulps. */
  histograms(signsDiffer: boolean, maxUlps: number): void {
    if (signsDiffer) this.#exports.histogramsMirrored(this.#bytes);
    else if (maxUlps > NEAR) this.#exports.histograms(this.#bytes);
    else {
      this.#exports.histogramsNear(this.#bytes);
      let before = 0;
      for (let i = 0; i <= ENDS.length; i++) {
        const at = SUMMARY / 4 + 4 * i;
        const w = this.#words;
        const upTo = i < ENDS.length ? w[at]! + w[at + 1]! + w[at + 2]! + w[at + 3]! : this.#bytes / 4;
        // Where the other variants count the same bucket, by its exponent.
        w[ULPS / 4 + (i === 0 ? 0 : 126 + i)]! += upTo - before;
        before = upTo;
      }
    }
  }

  /** Adds the histograms to those of a tally, and empties them. */
  drain(tally: Pick<Tally, 'absolute' | 'relative' | 'relatives' | 'ulps' | 'equal'>): void {
    const { buffer } = this.#exports.memory;
    const absolute = new Uint32Array(buffer, ABSOLUTE, SKETCH_BYTES / 4);
    const relative = new Uint32Array(buffer, RELATIVE, SKETCH_BYTES / 4);
    const ulps = new Uint32Array(buffer, ULPS, ULP_LANE);
    // From the bits of Infinity on: divisions by 0, which have no relative error.
    for (let i = 0; i < INFINITY_BITS >>> 16; i++) {
      tally.absolute[i]! += absolute[i]!;
      tally.relative[i]! += relative[i]!;
      tally.relatives += relative[i]!;
    }
    for (let i = 0; i < ULP_LANE; i++) {
      const exponent = i % 256;
      if (exponent === 0) tally.equal += ulps[i]!;
      tally.ulps[exponent === 0 ? 0 : exponent - 126]! += ulps[i]!;
    }
    for (const counts of [absolute, relative, ulps]) counts.fill(0);
  }
}

let kernel: Float32Kernel | false | undefined;

/** The kernel of this thread, compiled on first use; `undefined` where WebAssembly or its SIMD is not to be had. */
export function float32Kernel(): Float32Kernel | undefined {
  if (kernel === undefined) {
    try {
      const bytes = assemble(PAGES, [
        outside('outside', {}),
        outside('survey', { survey: true }),
        outside('surveyUlps', { survey: true, ulps: true }),
        figures('figures', false),
        figures('figuresMirrored', true),
        histograms('histograms', false),
        histograms('histogramsNear', false, true),
        histograms('histogramsMirrored', true),
      ]);
      kernel = WebAssembly.validate(bytes) && new Float32Kernel(new WebAssembly.Module(bytes));
    } catch {
      // A page may forbid WebAssembly by its content security policy: the scalar code computes the same.
      kernel = false;
    }
  }
  return kernel === false ? undefined : kernel;
}
