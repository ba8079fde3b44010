// float16 and bfloat16 as bits: the conversions of Eigen::half and tensorflow::bfloat16 (round to nearest even).

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** The float16 nearest to `value` (ties to even), as its 16 bits; NaN keeps its sign and is quiet. */
export function float16Bits(value: number): number {
  scratchFloat[0] = value;
  // Rounding a double to float32 first could round twice; a float32 tie that the double broke is told by its remainder.
  const rounded = scratchFloat[0]!;
  let bits = scratchBits[0]!;
  if (rounded !== value && Number.isFinite(value) && Number.isFinite(rounded)) {
    // Round to odd: keep a sticky bit, so that the second rounding sees that the value was not exact.
    if (Math.abs(rounded) > Math.abs(value)) bits -= 1;
    bits |= 1;
  }
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  let mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa ? 0x200 | (mantissa >>> 13) : 0);
  let half = exponent - 112;
  if (half >= 31) return sign | 0x7c00;
  if (half <= 0) {
    if (half < -10) return sign;
    mantissa |= 0x800000;
    const shift = 14 - half;
    const kept = mantissa >>> shift;
    const rest = mantissa & ((1 << shift) - 1);
    const tie = 1 << (shift - 1);
    return sign | (kept + (rest > tie || (rest === tie && kept & 1) ? 1 : 0));
  }
  half = (half << 10) | (mantissa >>> 13);
  const rest = mantissa & 0x1fff;
  return sign | (half + (rest > 0x1000 || (rest === 0x1000 && half & 1) ? 1 : 0));
}

/** The value of 16 float16 bits, exactly. */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * 2 ** (exponent - 25) * (1024 + mantissa) : sign * 2 ** -24 * mantissa;
}

/** The bfloat16 nearest to the float32 nearest to `value` (ties to even), as its 16 bits; NaN becomes a quiet NaN. */
export function bfloat16Bits(value: number): number {
  scratchFloat[0] = value;
  const bits = scratchBits[0]!;
  if (Number.isNaN(value)) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The value of 16 bfloat16 bits, exactly. */
export function bfloat16Value(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratchFloat[0]!;
}
