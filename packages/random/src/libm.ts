// logf and sincosf of glibc 2.28 and later, which TensorFlow's normal distributions call on Linux.
// Method and constants: ARM optimized-routines (math/logf.c, math/sincosf.c; MIT), which glibc took over.
// Departures: only the arguments that the distributions give (logf: positive, normal; sincosf: 0 <= y < 120), and
// products and sums are rounded one by one where glibc's build fuses them; over all 2^23 arguments that Box-Muller
// can give, the float32 results are the same.

// 16 pairs: about 1/c and log(c), for c near the middle of the i-th sixteenth of an octave. The c are chosen so that
// both are close to representable, which is why they cannot be computed from i.
const LOGF_TABLE = new Float64Array([
  1.398907162146528, -0.33569133332882284, 1.3403141896637998, -0.2929040563774074, 1.286432210124115,
  -0.2518726580937369, 1.2367150214269895, -0.21245868807117255, 1.1906977166711752, -0.17453945183745634,
  1.1479821020556429, -0.1380057072319758, 1.1082251448272158, -0.10275976698545139, 1.0711297413057381,
  -0.06871392447020525, 1.036437278977283, -0.0357891387398228, 1.0, 0.0, 0.9492859795739057, 0.05204517742929496,
  0.8951049428609004, 0.11081431298787942, 0.8476821620351103, 0.1652495223695143, 0.8050314851692001,
  0.21687389031699977, 0.7664671008843108, 0.2659635028121397, 0.731428603316328, 0.3127556664073557,
]);
const LOGF_A0 = -0.25089342214237154;
const LOGF_A1 = 0.333456765744066;
const LOGF_A2 = -0.4999997485802103;

const floatView = new Float32Array(1);
const bitsView = new Int32Array(floatView.buffer);

/** glibc's `logf` of a positive, normal float32. */
export function logf(x: number): number {
  floatView[0] = x;
  const bits = bitsView[0]!;
  const shifted = (bits - 0x3f330000) | 0;
  const i = (shifted >> 18) & 30;
  bitsView[0] = bits - (shifted & 0xff800000);
  const r = floatView[0]! * LOGF_TABLE[i]! - 1;
  const y0 = LOGF_TABLE[i + 1]! + (shifted >> 23) * Math.LN2;
  const r2 = r * r;
  return Math.fround((LOGF_A0 * r2 + (LOGF_A1 * r + LOGF_A2)) * r2 + (y0 + r));
}

// 2^24 * 2 / pi, pi / 2, and the polynomials of sine and cosine on [-pi/4, pi/4].
const TWO_OVER_PI = 10680707.430881744;
const HALF_PI = 1.5707963267948966;
const C1 = -0.49999999725108224;
const C2 = 0.041666623324344516;
const C3 = -0.001388676379437604;
const C4 = 2.4390450703564542e-5;
const S1 = -0.16666654943701084;
const S2 = 0.008332178146138854;
const S3 = -0.00019517298981385725;

const PI_OVER_4 = Math.fround(0.7853981633974483);

/** glibc's `sincosf` of a float32 in [0, 120): sine to `out[at]`, cosine to `out[at + 1]`, times `scale` in float32. */
export function scaledSincosf(y: number, scale: number, out: Float32Array | Float64Array, at: number): void {
  let x = y;
  let n = 0;
  if (y >= PI_OVER_4) {
    n = ((x * TWO_OVER_PI + 0x800000) | 0) >> 24;
    x -= n * HALF_PI;
  } else if (y < 0.000244140625) {
    out[at] = Math.fround(y * scale);
    out[at + 1] = scale;
    return;
  }
  const x2 = x * x;
  const x4 = x2 * x2;
  const x3 = x2 * x;
  const sine = Math.fround(x + x3 * S1 + x3 * x2 * (S2 + x2 * S3));
  const cosine = Math.fround(1 + x2 * C1 + x4 * C2 + x4 * x2 * (C3 + x2 * C4));
  const odd = (n & 1) !== 0;
  const s = odd ? cosine : sine;
  const c = odd ? sine : cosine;
  out[at] = Math.fround(((n & 2) !== 0 ? -s : s) * scale);
  out[at + 1] = Math.fround((((n + 1) & 2) !== 0 ? -c : c) * scale);
}
