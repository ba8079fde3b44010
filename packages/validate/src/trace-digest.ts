import { bytesOf, type NdArray } from '@tfparity/array';
import type { ArrayDigest } from './trace.js';

/** How many elements of each array a trace keeps. */
const SAMPLES = 1024;

/**
 * Two lanes of multiply and rotate, over even and odd 32-bit words: not for adversaries, quick for hundreds of megabytes.
 * Each step is a bijection of its lane, so that a single word that differs is never missed.
 */
function hashWords(words: Uint32Array, tail: Uint8Array, length: number): string {
  let a = 0x9e3779b9 ^ length;
  let b = 0x85ebca6b ^ length;
  const even = words.length & ~1;
  for (let i = 0; i < even; i += 2) {
    a = Math.imul(a ^ words[i]!, 0x01000193);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ words[i + 1]!, 0xcc9e2d51);
    b = (b << 15) | (b >>> 17);
  }
  if (even < words.length) a = Math.imul(a ^ words[even]!, 0x01000193);
  for (const byte of tail) b = Math.imul(b ^ byte, 0xcc9e2d51) ^ (b >>> 16);
  const hex = (x: number) => (x >>> 0).toString(16).padStart(8, '0');
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
  b = Math.imul(b ^ (b >>> 16), 0xc2b2ae35);
  return hex(a ^ (b >>> 13)) + hex(b ^ (a >>> 13));
}

/** A 64-bit hash of an array's bytes. */
export function hashOf(data: ArrayBufferView): string {
  const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  // Words are read in place where they begin at one.
  const bytes = view.byteOffset % 4 === 0 ? view : view.slice();
  const whole = bytes.length >> 2;
  return hashWords(new Uint32Array(bytes.buffer, bytes.byteOffset, whole), bytes.subarray(whole * 4), bytes.length);
}

function statistics(data: Float64Array) {
  let finite = 0;
  let nan = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    // False for NaN and the infinities alone.
    if (x - x === 0) {
      finite++;
      if (x < min) min = x;
      if (x > max) max = x;
      sum += x;
      squares += x * x;
    } else if (Number.isNaN(x)) nan++;
  }
  if (finite === 0) return { finite, nan, infinite: data.length - nan, min: 0, max: 0, mean: 0, rms: 0 };
  const infinite = data.length - finite - nan;
  return { finite, nan, infinite, min, max, mean: sum / finite, rms: Math.sqrt(squares / finite) };
}

/**
 * The digest of an array: a hash of all, and a strided sample with its statistics. Strings are hashed as text, without
 * statistics.
 *
 * @param most  how many elements the sample has at most
 */
export function digestOf({ dtype, shape, data }: NdArray, most = SAMPLES): ArrayDigest {
  if (Array.isArray(data) || data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const bytes = Array.isArray(data) ? new TextEncoder().encode(JSON.stringify(data.map((x) => Array.from(x)))) : data;
    const blank = { finite: 0, nan: 0, infinite: 0, min: 0, max: 0, mean: 0, rms: 0 };
    return { dtype, shape, hash: hashOf(bytes), ...blank, stride: 1, samples: [] };
  }
  const stride = Math.max(1, Math.ceil(data.length / most));
  const samples = new Float64Array(Math.ceil(data.length / stride));
  for (let i = 0, at = 0; i < samples.length; i++, at += stride) samples[i] = data[at]!;
  return { dtype, shape, hash: hashOf(data), ...statistics(samples), stride, samples };
}

/** The sha256 of an array's bytes (little endian, row-major), as recorded runs have it. */
export async function sha256Of(array: NdArray): Promise<string> {
  const hash = await globalThis.crypto.subtle.digest('SHA-256', bytesOf(array) as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
