import type { TrainedDifference } from './trained-arrays.js';
import { valueError } from './training-error.js';
import type { StepComparison } from './training-step.js';

/** Where the steps of a comparison are kept while it runs, so that it can go on after a crash. */
export interface TrainingLog {
  /** The complete lines that are there; a last one that was cut off is removed. */
  lines(): AsyncIterable<string>;
  /** Adds a line, whole or not at all as far as `lines` can see. */
  append(line: string): Promise<void>;
}

const NOT_JSON = ['NaN', 'Infinity', '-Infinity', '-0'];

/** A value as JSON on one line, in which NaN, infinities and -0 keep their value. */
function encode(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return { $bigint: String(item) };
    const odd = typeof item === 'number' && (!Number.isFinite(item) || Object.is(item, -0));
    return odd ? { $number: Object.is(item, -0) ? '-0' : String(item) } : item;
  });
}

function decode(line: string): unknown {
  return JSON.parse(line, (_, item: unknown) => {
    if (typeof item !== 'object' || item === null) return item;
    if ('$bigint' in item) return BigInt(item.$bigint as string);
    return '$number' in item && NOT_JSON.includes(item.$number as string) ? Number(item.$number) : item;
  });
}

/** A step as one line of a log, from which `decodeStep` makes it again: JSON alone has no infinities. */
export function encodeStep(step: StepComparison): string {
  return encode(step);
}

/**
 * A step from its line.
 *
 * @throws {TrainingError} `ValueError` for a line that is no step
 */
export function decodeStep(line: string): StepComparison {
  let step: unknown;
  try {
    step = decode(line);
  } catch (cause) {
    throw valueError(`this is no step of a training: ${line.slice(0, 80)}`, { cause });
  }
  return checkedStep(step);
}

const FIELDS = ['step', 'loss', 'bitIdentical', 'passed', 'differences', 'differing', 'noise', 'drift', 'averages'];

/**
 * A step that somebody kept; what plain JSON made null of infinities is infinite again.
 *
 * @throws {TrainingError} `ValueError` where it is none
 */
export function checkedStep(step: unknown): StepComparison {
  const missing = typeof step === 'object' && step !== null ? FIELDS.filter((field) => !(field in step)) : FIELDS;
  if (missing.length > 0) throw valueError(`this is no step of a training: it has no ${missing.join(', ')}`);
  const given = step as StepComparison;
  const infinite = (value: number | null | undefined) => value ?? Number.POSITIVE_INFINITY;
  return {
    ...given,
    drift: infinite(given.drift),
    ...('noiseFloor' in given ? { noiseFloor: infinite(given.noiseFloor) } : {}),
  };
}

/** How many differences of a logged step stay in memory; the log has them all. */
const KEPT = 16;

/** A step with its first and its largest differences alone, so that a long run stays small. */
export function shortened(step: StepComparison): StepComparison {
  const { differences } = step;
  if (differences.length <= KEPT) return step;
  const first = new Set<TrainedDifference>([differences[0]!]);
  const failed = differences.find((item) => item.failed);
  if (failed !== undefined) first.add(failed);
  const largest = [...differences].sort((a, b) => b.relative - a.relative || 0).slice(0, KEPT - first.size);
  const kept = new Set([...first, ...largest]);
  return { ...step, differences: differences.filter((item) => kept.has(item)) };
}

interface Header {
  readonly format: string;
  readonly version: number;
  readonly tolerance: string;
}

/**
 * The steps of a log, shortened; a log that is empty is begun.
 *
 * @param tolerance  what the steps are compared by: a log of another tolerance can't be gone on with
 * @throws {TrainingError} `ValueError` for a file that is no log, or is one of another comparison
 */
export async function openLog(log: TrainingLog, tolerance: object): Promise<StepComparison[]> {
  const header: Header = { format: 'tfparity-training', version: 1, tolerance: encode(tolerance) };
  const steps: StepComparison[] = [];
  let found: Partial<Header> | undefined;
  for await (const line of log.lines()) {
    if (found !== undefined) {
      steps.push(shortened(decodeStep(line)));
      continue;
    }
    try {
      found = decode(line) as Partial<Header>;
    } catch {
      found = {};
    }
    if (found?.format !== header.format || found.version !== header.version) {
      throw valueError(`this is no log of a training: ${line.slice(0, 80)}`);
    }
    if (found.tolerance !== header.tolerance) {
      throw valueError(
        `the log's steps were compared with the tolerance ${found.tolerance}, not ${header.tolerance}; use another log`,
      );
    }
  }
  if (found === undefined) await log.append(encode(header));
  return steps;
}
