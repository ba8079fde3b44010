// Ports generic_pow_impl, accurate_log2<float>, generic_exp2 and pexp_float of Eigen (arch/Default/GenericPacketMathFunctions.h
// of TF 2.21), as compiled without fused multiply-add. Departure: positive, finite and normal x alone.
const f = Math.fround;

/** A number as the sum of two floats. */
type DoubleWord = readonly [hi: number, lo: number];

/** a * b + c, rounded after each. */
const multiplyAdd = (a: number, b: number, c: number): number => f(f(a * b) + c);

/** The sum of two floats, |a| not less than |b|, and what its rounding left. */
function fastTwoSum(a: number, b: number): DoubleWord {
  const sum = f(a + b);
  return [sum, f(b - f(sum - a))];
}

/** The product of two floats: exact, because double precision holds it. */
function twoProduct(a: number, b: number): DoubleWord {
  const product = f(a * b);
  return [product, f(a * b - product)];
}

function addWords([a, aLow]: DoubleWord, [b, bLow]: DoubleWord): DoubleWord {
  const [sum, rest] = fastTwoSum(a, b);
  return fastTwoSum(sum, f(f(bLow + rest) + aLow));
}

function scaleWord([hi, lo]: DoubleWord, y: number): DoubleWord {
  const [product, rest] = twoProduct(hi, y);
  const [sum, low] = fastTwoSum(product, f(lo * y));
  return fastTwoSum(sum, f(low + rest));
}

function wordOf(x: number): DoubleWord {
  return [f(x), f(x - f(x))];
}

const LOG2_C0 = wordOf(1.4426950417421103);
const LOG2_C1 = wordOf(-0.7213475158826866);
const LOG2_POLYNOMIAL = [
  0.09701082855463028, -0.16896486282348633, 0.17200836539268494, -0.17892272770404816, 0.205053448677063,
  -0.24046677350997925, 0.28857553005218506, -0.3606741428375244, 0.4808979034423828,
];

/** log2 of a number between the roots of a half and of two. */
function accurateLog2(z: number): DoubleWord {
  const x = f(z - 1);
  const polynomial = LOG2_POLYNOMIAL.reduce((p, c) => multiplyAdd(p, x, c));
  const inner = addWords(LOG2_C1, twoProduct(x, polynomial));
  return scaleWord(addWords(LOG2_C0, scaleWord(inner, x)), x);
}

const [LOG2_E, EXP_C1, EXP_C2] = [f(Math.LOG2E), f(-0.693359375), f(0.00021219444)];
const [P2, P3, P4] = [0.49999988079071045, 0.166665181517601, 0.04166965186595917];
const [P5, P6] = [0.008368944749236107, 0.001374496379867196];

/** e^x for |x| of at most 87. */
function exponential(x: number): number {
  const m = Math.floor(multiplyAdd(x, LOG2_E, 0.5));
  const r = multiplyAdd(m, EXP_C2, multiplyAdd(m, EXP_C1, x));
  const r2 = f(r * r);
  const even = multiplyAdd(r2, multiplyAdd(r2, P6, P4), P2);
  const odd = multiplyAdd(r2, P5, P3);
  return f(multiplyAdd(r2, multiplyAdd(r, odd, even), f(r + 1)) * 2 ** m);
}

/** 2^x for small x. */
function exp2(x: number): number {
  const [hi, lo] = twoProduct(f(Math.LN2), x);
  return f(exponential(hi) * f(1 + lo));
}

/** The nearest whole number, halves to even, and the rest. */
function split(x: number): DoubleWord {
  const floor = Math.floor(x);
  const rest = x - floor;
  const whole = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return [whole, f(x - whole)];
}

/** x^y as Eigen's vectors of floats have it (to 3 ulps); what is not positive, finite and normal as Math.pow has it. */
export function eigenPower(x: number, y: number): number {
  if (!(x >= 2 ** -126 && x < Number.POSITIVE_INFINITY)) return f(x ** y);
  let exponent = Math.floor(Math.log2(x)) + 1;
  let mantissa = x / 2 ** exponent;
  // Math.log2 may be off beside a power of two.
  if (mantissa >= 1) [mantissa, exponent] = [mantissa / 2, exponent + 1];
  if (mantissa < 0.5) [mantissa, exponent] = [mantissa * 2, exponent - 1];
  if (mantissa < f(Math.SQRT1_2)) [mantissa, exponent] = [mantissa * 2, exponent - 1];
  const [hi, lo] = addWords(twoProduct(exponent, y), scaleWord(accurateLog2(mantissa), y));
  const [whole, fraction] = split(hi);
  const [more, rest] = split(f(fraction + lo));
  return f(exp2(rest) * 2 ** (whole + more));
}
