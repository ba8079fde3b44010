// log and sincos of glibc 2.28 and later for doubles, as its builds for processors with FMA compute them.
// Methods: log from ARM optimized-routines (math/log.c, math/log_data.c; MIT); sincos from IBM's Accurate Mathematical
// Library in glibc (sysdeps/ieee754/dbl-64/s_sin.c, s_sincos.c). Departures: only the arguments that the distributions
// give (log: positive, normal; sincos: 0 <= x < 2^26); the tables are computed where they can be.
import { fma } from './fma.js';

// 1/c for c near the middle of the i-th of 128 parts of an octave. The c are chosen so that log(c) is close to a
// multiple of 2^-43, which is why these cannot be computed from i.
const INVERSE_C = new Float64Array([
  1.4504249240398293, 1.442253508327276, 1.4341736174350004, 1.426183816329995, 1.4182825527052965, 1.4104682921759335,
  1.4027396147468003, 1.3950954438932313, 1.3875338232485754, 1.3800539211058593, 1.3726542695419708,
  1.3653332798446802, 1.358090204587874, 1.3509234892132138, 1.3438320840699889, 1.3368146974742003, 1.329870114677736,
  1.322997339161106, 1.316195352741367, 1.3094628125672239, 1.3027990455471041, 1.2962024229438942, 1.2896726275815547,
  1.2832080305745537, 1.276807885983376, 1.2704714060687552, 1.2641976054949482, 1.257985357514882, 1.2518337750655457,
  1.2457421919097305, 1.2397094966625508, 1.2337348463589233, 1.2278176973028803, 1.2219570190618474,
  1.2161519732977757, 1.2104018095009725, 1.204705805718973, 1.1990631185441964, 1.1934733004462308, 1.1879350812847385,
  1.1824481322833125, 1.1770114976921955, 1.1716248121809465, 1.1662869231674715, 1.1609977486762766,
  1.1557563220795803, 1.1505619105480347, 1.1454138888505974, 1.140311877374656, 1.1352550225747513, 1.1302429094831266,
  1.1252747693068048, 1.1203501571039876, 1.1154683327680124, 1.1106291463292157, 1.1058315813301596,
  1.1010752177696026, 1.0963597137952512, 1.0916844827550398, 1.0870487291277784, 1.082452357388312, 1.0778948225025884,
  1.0733751731601076, 1.068893585073351, 1.0644491706655506, 1.0600414846328305, 1.0556701316181605, 1.051334750556926,
  1.0470347288442157, 1.0427699229652954, 1.0385395013738175, 1.034343418940345, 1.0301811073173315, 1.026052043621297,
  1.0219561082336197, 1.0178926505784922, 1.0138614436244586, 1.0098620186501341, 1.0058938559734134, 1.00195696235014,
  0.9961089923088509, 0.9884170338185201, 0.9808429191005297, 0.9733840169987446, 0.9660377568876556,
  0.9588014945307369, 0.9516728569073111, 0.9446494635965822, 0.9377288993026223, 0.9309091073790681, 0.924187681612722,
  0.9175626765599192, 0.9110320403624034, 0.9045935839762024, 0.8982456375922825, 0.8919860966782501,
  0.8858131121185129, 0.879725075760676, 0.8737201372634685, 0.8677966405782273, 0.8619528050060739, 0.8561872354420692,
  0.8504983927816893, 0.8448844572790304, 0.8393442741575965, 0.8338762249349438, 0.8284789320557778,
  0.8231510800065832, 0.8178913903778707, 0.8126984007245374, 0.8075710029460227, 0.8025078881160415,
  0.7975077379364331, 0.792569604966373, 0.7876923641254114, 0.7828746724940998, 0.7781155388790811, 0.7734139557869777,
  0.7687687179914933, 0.7641790698041854, 0.7596438763692399, 0.7551621951078668, 0.7507331780216866,
  0.7463557196361751, 0.7420289364869653, 0.7377521537065876, 0.7335242966002608, 0.729344777457841,
]);
// log(c), to the nearest multiple of 2^-43: far enough from a tie for any log.
let logC: Float64Array | undefined;

const LN2_HIGH = 0.6931471805598903;
const LN2_LOW = 5.497923018708371e-14;
const A = [
  -0.5000000000000001, 0.33333333331825593, -0.2499999999622955, 0.20000304511814496, -0.16667054827627667,
] as const;
const B = [
  -0.5, 0.3333333333333352, -0.24999999999998432, 0.19999999999320328, -0.16666666669929706, 0.14285715076560868,
  -0.12499997863982555, 0.11110712032936046, -0.10000486757818193, 0.09181994006195467, -0.08328363062289341,
] as const;

const doubleView = new Float64Array(1);
const bitsView = new Int32Array(doubleView.buffer);

/** glibc's `log` of a positive, normal double. */
export function log(x: number): number {
  if (x >= 1 - 2 ** -4 && x < 1 + 0x109 * 2 ** -12) return logNearOne(x);
  logC ??= INVERSE_C.map((inverse) => Math.round(-Math.log(inverse) * 2 ** 43) / 2 ** 43);
  doubleView[0] = x;
  const high = bitsView[1]!;
  const shifted = (high - 0x3fe60000) | 0;
  const i = (shifted >> 13) & 127;
  const k = shifted >> 20;
  bitsView[1] = high - (shifted & 0xfff00000);
  const r = fma(doubleView[0]!, INVERSE_C[i]!, -1);
  const w = k * LN2_HIGH + logC[i]!;
  const sum = w + r;
  const r2 = r * r;
  const low = fma(r2, A[0], fma(k, LN2_LOW, w - sum + r));
  const p = fma(fma(r, A[4], A[3]), r2, fma(r, A[2], A[1]));
  return fma(r * r2, p, low) + sum;
}

function logNearOne(x: number): number {
  if (x === 1) return 0;
  const r = x - 1;
  const r2 = r * r;
  const r3 = r * r2;
  const p = fma(r2, B[3], fma(r, B[2], B[1]));
  const q = fma(r2, B[6], fma(r, B[5], B[4]));
  const s = fma(r3, B[10], fma(r2, B[9], fma(r, B[8], B[7])));
  const y = fma(fma(s, r3, q), r3, p);
  const w = r * 2 ** 27;
  const rHigh = r + w - w;
  const rHigh2 = rHigh * rHigh;
  const sum = fma(rHigh2, B[0], r);
  const low = fma(rHigh2, B[0], r - sum);
  return sum + fma(y, r3, fma(B[0] * (r - rHigh), r + rHigh, low));
}

const TWO_OVER_PI = 0.6366197723675814;
const TO_INTEGER = 6755399441055744;
// pi / 2 in parts: of 29, 25, 29 and 53 bits, and of 53 and 53 bits.
const PI_1 = 1.5707963407039642;
const PI_2 = -1.3909067564377153e-8;
const PI_3 = -4.97899623147991e-17;
const PI_4 = -1.9034889620193266e-25;
const HALF_PI = 1.5707963267948966;
const HALF_PI_LOW = 6.123233995736766e-17;

/** glibc's `sincos` of a double in [0, 2^26): sine to `out[0]`, cosine to `out[1]`. */
export function sincos(x: number, out: Float64Array): void {
  if (x < 2 ** -27) {
    out[0] = x;
    out[1] = 1;
  } else if (x < 0.85546875) {
    out[0] = sine(x, 0);
    out[1] = cosine(x, 0);
  } else if (x < 2.4262638092041016) {
    const y = HALF_PI - x;
    const a = y + HALF_PI_LOW;
    const da = y - a + HALF_PI_LOW;
    out[0] = cosine(a, da);
    out[1] = sine(a, da);
  } else {
    const turns = fma(x, TWO_OVER_PI, TO_INTEGER) - TO_INTEGER;
    const y = fma(-turns, PI_2, fma(-turns, PI_1, x));
    const z = fma(-turns, PI_3, y);
    const a = fma(-turns, PI_4, z);
    const da = fma(-turns, PI_3, y - z) + fma(-turns, PI_4, z - a);
    const n = turns & 3;
    const sign = n === 1 || n === 2 ? -1 : 1;
    const first = sine(sign * a, sign * da);
    const second = cosine(sign * a, sign * da);
    out[n & 1] = first;
    out[1 - (n & 1)] = (n & 2) !== 0 ? -second : second;
  }
}

const ROUND_TO_128TH = 52776558133248;

/** cos(x + dx), |x| < 0.86, with the sine and cosine of the nearest multiple of 1/128. */
function cosine(x: number, dx: number): number {
  const table = sincosTable();
  const absolute = Math.abs(x);
  const nearest = absolute + ROUND_TO_128TH - ROUND_TO_128TH;
  const k = nearest * 512;
  const t = absolute - nearest + (x < 0 ? -dx : dx);
  const t2 = t * t;
  const s = fma(t * t2, fma(t2, SIN_5, SIN_3), t);
  const c = t2 * fma(fma(t2, COS_6, COS_4), t2, 0.5);
  const rest = fma(-table[k + 2]!, c, fma(-s, table[k + 1]!, table[k + 3]!));
  return table[k + 2]! + fma(-s, table[k]!, rest);
}

/** sin(x + dx), |x| < 0.86. */
function sine(x: number, dx: number): number {
  const absolute = Math.abs(x);
  if (absolute < 0.126) {
    const x2 = x * x;
    const p = fma(fma(fma(fma(x2, TAYLOR_9, TAYLOR_7), x2, TAYLOR_5), x2, TAYLOR_3), x2, TAYLOR_1);
    return x + fma(fma(p, x, -0.5 * dx), x2, dx);
  }
  const table = sincosTable();
  const nearest = absolute + ROUND_TO_128TH - ROUND_TO_128TH;
  const k = nearest * 512;
  const t = absolute - nearest;
  const correction = x <= 0 ? -dx : dx;
  const t2 = t * t;
  const s = fma(t * t2, fma(t2, SIN_5, SIN_3), correction) + t;
  const c = fma(correction, t, t2 * fma(fma(t2, COS_6, COS_4), t2, 0.5));
  const rest = fma(-c, table[k]!, fma(table[k + 3]!, s, table[k + 1]!));
  const result = table[k]! + fma(s, table[k + 2]!, rest);
  return x < 0 ? -result : result;
}

const SIN_3 = -0.16666666666666488;
const SIN_5 = 0.008333332142857223;
const COS_4 = -0.04166666666666644;
const COS_6 = 0.001388888740079376;
// Highest power first: the fused sums run from it down to x^3.
const TAYLOR_9 = -2.5022014848318398e-8;
const TAYLOR_7 = 2.755729806860771e-6;
const TAYLOR_5 = -0.00019841269834414642;
const TAYLOR_3 = 0.008333333333332329;
const TAYLOR_1 = -0.16666666666666666;

let table: Float64Array | undefined;

/** For k = 0 … 109: sine of k/128 and what rounding it cut off, cosine of k/128 and what rounding it cut off. */
function sincosTable(): Float64Array {
  if (table !== undefined) return table;
  table = new Float64Array(440);
  for (let k = 0; k < 110; k++) {
    // Taylor series in units of 2^-160.
    const one = 1n << 160n;
    let term = one;
    let s = 0n;
    let c = 0n;
    for (let n = 0n; term !== 0n; n += 1n, term = (term * BigInt(k)) / (128n * n)) {
      const signed = (n & 2n) === 0n ? term : -term;
      if ((n & 1n) === 0n) c += signed;
      else s += signed;
    }
    putPair(table, 4 * k, s);
    putPair(table, 4 * k + 2, c);
  }
  return table;
}

/** A fixed-point number with 160 places, as the nearest double and the double nearest to the rest. */
function putPair(into: Float64Array, at: number, fixed: bigint): void {
  const high = Number(fixed) * 2 ** -160;
  const rest = fixed - BigInt(high * 2 ** 80) * (1n << 80n);
  into[at] = high;
  into[at + 1] = Number(rest) * 2 ** -160;
}

/** log(k!) for a whole k >= 0, to about the last bit. */
export function logFactorial(k: number): number {
  if (k < 20) {
    let product = 1;
    for (let i = 2; i <= k; i++) product *= i;
    return Math.log(product);
  }
  const n = k + 1;
  const inverse = 1 / n;
  const inverse2 = inverse * inverse;
  // Stirling's series; its next term is below 2^-53 from n = 21 on.
  const series =
    inverse * (1 / 12 - inverse2 * (1 / 360 - inverse2 * (1 / 1260 - inverse2 * (1 / 1680 - inverse2 / 1188))));
  return (n - 0.5) * Math.log(n) - n + 0.9189385332046728 + series;
}
