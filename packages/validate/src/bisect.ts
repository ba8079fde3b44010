import { ValidateError } from './validate-error.js';

/** What a bisection has found so far: plain data, to be kept and given again. */
export interface BisectionRecord {
  readonly blocks: readonly string[];
  /** Verdict by block, of those that were tried. */
  readonly tried: Readonly<Record<string, 'good' | 'bad'>>;
}

/** How `bisectBlocks` goes about it. */
export interface BisectionOptions {
  /** What an earlier, interrupted bisection recorded; its verdicts are not asked for again. */
  readonly record?: BisectionRecord;
  /** Is given the record after each try, to be kept. */
  readonly onTry?: (record: BisectionRecord, block: string) => void | Promise<void>;
}

/** Where a bisection ends. */
export interface BisectionResult {
  /** The first bad block; null where all are good. */
  readonly block: string | null;
  /** How many blocks were tried this time. */
  readonly tries: number;
  readonly record: BisectionRecord;
}

/**
 * Finds the first bad block of a sequence whose blocks are good up to some point and bad from there on, in as few tries as
 * can be (the logarithm of their number).
 *
 * @param blocks  in program order
 * @param isGood  whether both sides agree up to and including a block; it may take as long as it likes
 * @throws {ValidateError} `InvalidArgument` for a record of other blocks
 */
export async function bisectBlocks(
  blocks: readonly string[],
  isGood: (block: string, index: number) => boolean | Promise<boolean>,
  { record, onTry }: BisectionOptions = {},
): Promise<BisectionResult> {
  if (record !== undefined && record.blocks.join('\n') !== blocks.join('\n')) {
    throw new ValidateError('InvalidArgument', 'the record is of a bisection over other blocks; start without it', {
      expected: blocks,
      actual: record.blocks,
    });
  }
  const tried: Record<string, 'good' | 'bad'> = { ...record?.tried };
  let tries = 0;
  let good = -1;
  let bad = blocks.length;
  for (const [i, block] of blocks.entries()) {
    if (tried[block] === 'good') good = Math.max(good, i);
    if (tried[block] === 'bad') bad = Math.min(bad, i);
  }
  while (bad - good > 1) {
    const middle = good + ((bad - good) >> 1);
    const block = blocks[middle]!;
    const verdict = (await isGood(block, middle)) ? 'good' : 'bad';
    tries++;
    tried[block] = verdict;
    if (verdict === 'good') good = middle;
    else bad = middle;
    await onTry?.({ blocks, tried: { ...tried } }, block);
  }
  return { block: blocks[bad] ?? null, tries, record: { blocks, tried } };
}
