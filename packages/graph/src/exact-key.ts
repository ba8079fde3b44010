/** A text that two values share only where they are the same, also in what JSON has no words for: -0, NaN, infinities. */
export function exactKey(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    ArrayBuffer.isView(part) ? Array.from(part as Float32Array, exactly) : exactly(part),
  );
}

function exactly(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return Object.is(value, -0) ? '-0' : `${value}`;
}
