import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesOf, type NdArray } from '@tfparity/array';

/** One array as TensorFlow computed it: its hash, and values at flat indices 0, stride, 2·stride, … */
export interface GoldenArray {
  readonly shape: readonly number[];
  readonly sha256: string;
  readonly stride: number;
  readonly samples: readonly number[];
}

/** One variable as TensorFlow initialised it. */
export interface GoldenVariable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly dtype: string;
  readonly sha256: string;
}

/** One run of the net in TensorFlow itself (golden/nets). */
export interface GoldenRun {
  readonly tensorflow: string;
  readonly variables: readonly GoldenVariable[];
  readonly regularization_loss: number;
  readonly regularization_losses: readonly number[];
  readonly endpoints: Readonly<Record<string, GoldenArray>>;
  readonly logits: readonly number[];
}

const here = dirname(fileURLToPath(import.meta.url));

/** The path of a file of the golden folder, or `undefined` where the folder does not have it. */
export function goldenFile(...path: readonly string[]): string | undefined {
  const root = process.env['TFPARITY_GOLDEN'] ?? join(here, '..', '..', '..', 'golden');
  const file = join(root, ...path);
  return existsSync(file) ? file : undefined;
}

/** The recorded run of that name, or `undefined` where the golden folder does not have it. */
export function goldenRun(name: string): GoldenRun | undefined {
  const file = goldenFile('nets', `inception_resnet_v2.${name}.json`);
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as GoldenRun);
}

/** The sha256 of an array's bytes (little endian, row-major), as golden files have it. */
export function sha256(array: NdArray): string {
  return createHash('sha256').update(bytesOf(array)).digest('hex');
}

/** How far an array is from its golden: greatest difference at the sampled indices, and whether all bytes are the same. */
export function againstGolden(
  array: NdArray,
  golden: GoldenArray,
): { maxAbsoluteDifference: number; bitIdentical: boolean } {
  const values = array.data as Float32Array;
  const distances = golden.samples.map((expected, i) => {
    const distance = Math.abs(values[i * golden.stride]! - expected);
    // NaN against a number is as far as can be, and must not vanish in Math.max.
    return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
  });
  return { maxAbsoluteDifference: Math.max(0, ...distances), bitIdentical: sha256(array) === golden.sha256 };
}
