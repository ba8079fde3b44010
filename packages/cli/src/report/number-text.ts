import { formatShape } from '@tfparity/array';

/** A distance as people read it: `0`, `3.1e-7`, `0.25`, `∞`. JSON has no Infinity and writes null for it. */
export function distanceText(distance: number | null): string {
  if (distance === null || !Number.isFinite(distance)) return '∞';
  if (distance === 0) return '0';
  return distance < 0.01 || distance >= 1e5
    ? distance.toExponential(2).replace('e-', 'e−').replace('e+', 'e')
    : String(Number(distance.toPrecision(3)));
}

/** A count with its thousands apart. */
export function countText(count: number): string {
  return count.toLocaleString('en-US');
}

/** A wall time: `0.4 s`, `2 min 35 s`. */
export function secondsText(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** `one thing`, `2 things`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : nouns}`;
}

/** A shape as TensorFlow prints it, or a dash where it is not known. */
export function shapeText(shape: readonly number[] | undefined): string {
  return shape === undefined ? '–' : formatShape(shape);
}
