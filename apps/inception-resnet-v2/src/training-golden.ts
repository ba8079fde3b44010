import { readFileSync } from 'node:fs';
import type { NdArray } from '@tfparity/array';
import { type GoldenArray, goldenFile, sha256 } from './golden.js';

/** Arrays by TensorFlow's names, without `:0`. */
export type NamedArrays = Readonly<Record<string, NdArray>>;

/** A gradient or variable as TensorFlow computed it, with its norm. */
interface GoldenSummary extends GoldenArray {
  readonly l2: number;
}

/** One training step in TensorFlow itself (golden/nets). */
export interface GoldenStep {
  readonly tensorflow: string;
  readonly cross_entropy: number;
  readonly total_loss: number;
  readonly gradients: Readonly<Record<string, GoldenSummary>>;
  readonly without_gradient: readonly string[];
  readonly after_step: Readonly<Record<string, GoldenSummary>>;
}

/** How many arrays have the bits that TensorFlow recorded, and how far those are that have not. */
export interface GoldenDistance {
  readonly count: number;
  readonly identical: number;
  /** Those that are not, with the largest difference of their recorded values by the array's root mean square. */
  readonly different: readonly { readonly name: string; readonly relative: number }[];
}

/** The recorded step of that optimizer, or `undefined` where the golden folder does not have it. */
export function goldenStep(optimizer: string): GoldenStep | undefined {
  const file = goldenFile('nets', `inception_resnet_v2.${optimizer}.json`);
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as GoldenStep);
}

/** The largest of some differences of an array, by the root mean square of the recorded one. */
function relativeTo(l2: number, size: number, differences: readonly number[]): number {
  const worst = Math.max(...differences);
  // NaN on either side is as far as can be.
  if (!Number.isFinite(worst)) return Number.POSITIVE_INFINITY;
  return worst === 0 ? 0 : worst / (l2 / Math.sqrt(size));
}

function relativeToGolden(array: NdArray, { samples, stride, l2 }: GoldenSummary): number {
  const values = array.data as Float32Array;
  const differences = samples.map((expected, i) => Math.abs(values[i * stride]! - expected));
  return relativeTo(l2, values.length, differences);
}

/** Compares arrays with recorded ones; what only one side has is infinitely far. */
export function distanceFrom(golden: Readonly<Record<string, GoldenSummary>>, arrays: NamedArrays): GoldenDistance {
  const recorded = new Map(Object.entries(golden).map(([name, summary]) => [name.replace(/:0$/, ''), summary]));
  const names = [...new Set([...recorded.keys(), ...Object.keys(arrays)])];
  const different = names.flatMap((name) => {
    const [array, summary] = [arrays[name], recorded.get(name)];
    if (array === undefined || summary === undefined) return [{ name, relative: Number.POSITIVE_INFINITY }];
    if (sha256(array) === summary.sha256) return [];
    return [{ name, relative: relativeToGolden(array, summary) }];
  });
  return { count: names.length, identical: names.length - different.length, different };
}

/** Arrays of one step of `GoldenTrajectory`, in the order of its names. */
interface PackedArrays {
  /** The first 8 hex digits of each array's sha256. */
  readonly hashes: string;
  /** Norms, and two values of each array; float32 in base64. */
  readonly l2?: string;
  readonly samples?: string;
}

/** How far the recorded trajectory drifts when its initial values are moved by one ulp. */
export interface NoiseFloor {
  readonly max: number;
  readonly median: number;
  readonly sampled: number;
  readonly sampled_median: number;
}

/** Ten steps of training in TensorFlow itself (golden/training). */
export interface GoldenTrajectory {
  readonly tensorflow: string;
  readonly names: Readonly<Record<'variables' | 'slots' | 'gradients', readonly string[]>>;
  /**
   * Variables of which TensorFlow's session may give one value or another: moving averages of what the loss does not
   * depend on, so that nothing puts the forward pass there before the update of its weights.
   */
  readonly racing: readonly string[];
  readonly steps: readonly {
    readonly total_loss: number;
    readonly learning_rate: number;
    readonly gradients: PackedArrays;
    readonly variables: PackedArrays;
    readonly slots: PackedArrays;
    readonly noise_floor: NoiseFloor;
  }[];
}

/** The recorded ten steps, or `undefined` where the golden folder does not have them. */
export function goldenTrajectory(): GoldenTrajectory | undefined {
  const file = goldenFile('training', 'inception_resnet_v2.ten_steps.json');
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as GoldenTrajectory);
}

const HASH = 8;

function floats(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
}

/** The arrays that have not the recorded bits, or are not there. */
export function differingNames(names: readonly string[], { hashes }: PackedArrays, arrays: NamedArrays): string[] {
  return names.filter((name, i) => {
    const array = arrays[name];
    return array === undefined || !sha256(array).startsWith(hashes.slice(i * HASH, (i + 1) * HASH));
  });
}

/** How far arrays are from recorded ones at the two recorded places: the largest and the median of all arrays. */
export function sampledDrift(names: readonly string[], packed: PackedArrays, arrays: NamedArrays) {
  const [norms, samples] = [floats(packed.l2 ?? ''), floats(packed.samples ?? '')];
  const drifts = names.map((name, i) => {
    const values = arrays[name]?.data as Float32Array | undefined;
    if (values === undefined || values.length === 0) return Number.POSITIVE_INFINITY;
    const first = Math.abs(values[0]! - samples[2 * i]!);
    const middle = Math.abs(values[values.length >> 1]! - samples[2 * i + 1]!);
    return relativeTo(norms[i]!, values.length, [first, middle]);
  });
  return { max: Math.max(...drifts), median: median(drifts) };
}

/** The middle of the values, 0 of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
