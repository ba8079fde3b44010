import type { ScalarTally } from './scalar-tally.js';
import type { Tally } from './tally.js';
import type { AppliedTolerance } from './tolerance.js';

/** placeholder until the kernel is in. */
export class Float32Tally {
  static available(): boolean {
    return false;
  }
  constructor(
    readonly tally: Tally,
    readonly scalar: ScalarTally,
    readonly a: Float32Array,
    readonly b: Float32Array,
    readonly tolerance: AppliedTolerance,
  ) {}
  add(_offset: number): void {}
}
