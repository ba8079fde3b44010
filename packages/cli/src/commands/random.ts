import { formatShape, type NdArray } from '@tfparity/array';
import { RANDOM_OPS, RandomOp, type RandomOpAttributes, type RandomOpInputs } from '@tfparity/random/philox';
import { CliError } from '../cli-error.js';
import type { CommandOptions, CommandRun } from '../command.js';
import { integerOption, numberOption, numbersOption, shapeOption, textOption } from '../command-options.js';
import { verdictLine } from '../terminal.js';

/** Numbers that are drawn at most in one call: more is a mistake, and would not be read. */
const MOST = 1e7;
/** Numbers that are printed of each draw. */
const PRINTED = 24;

const STATELESS = /^Stateless/;
const NEEDS_ARRAY = new Set(['RandomShuffle', 'Multinomial']);

function seeds(op: string, options: CommandOptions): Pick<RandomOpAttributes, 'seed' | 'seed2'> {
  if (!STATELESS.test(op)) {
    return { seed: integerOption(options, 'seed') ?? 0n, seed2: integerOption(options, 'seed2') ?? 0n };
  }
  const pair = textOption(options, 'seed')?.split(',') ?? [];
  if (pair.length !== 2 || pair.some((seed) => !/^-?\d+$/.test(seed.trim()))) {
    throw new CliError('Usage', `${op} takes two seeds: --seed 1,2`);
  }
  return { seed: [BigInt(pair[0]!.trim()), BigInt(pair[1]!.trim())] };
}

function inputs(options: CommandOptions): RandomOpInputs {
  const given = {
    shape: shapeOption(options, 'shape') ?? [],
    minval: integerOption(options, 'minval'),
    maxval: integerOption(options, 'maxval'),
    alpha: numbersOption(options, 'alpha'),
    rate: numbersOption(options, 'rate'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The shortest text that is this value in its dtype. */
function valueText(value: number | bigint, dtype: string): string {
  if (typeof value === 'bigint' || dtype !== 'float32') return String(value);
  for (let digits = 6; digits < 10; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

function print({ dtype, shape, data }: NdArray): string {
  const values = Array.from({ length: Math.min(PRINTED, data.length) }, (_, i) => valueText(data[i] as number, dtype));
  const rest = data.length > PRINTED ? `, … (${data.length} in all)` : '';
  return `${dtype} ${formatShape(shape)}: ${values.join(', ')}${rest}`;
}

/** `tfparity random OP`: the numbers that TensorFlow's op draws from its seeds. */
export const random: CommandRun = ([op], options, terminal) => {
  const known = RANDOM_OPS.find((name) => name.toLowerCase() === op!.toLowerCase());
  if (known === undefined || NEEDS_ARRAY.has(known)) {
    const names = RANDOM_OPS.filter((name) => !NEEDS_ARRAY.has(name)).join(', ');
    throw new CliError('Usage', `'${op}' is not drawn here; ops are ${names}`);
  }
  const draws = numberOption(options, 'draws') ?? 1;
  if (!Number.isInteger(draws) || draws < 1) throw new CliError('Usage', '--draws is a whole number from 1');
  const given = inputs(options);
  const wanted = draws * (given.shape ?? []).reduce((product, size) => product * size, 1);
  if (wanted > MOST) throw new CliError('TooLarge', `${wanted} numbers are more than one call draws (${MOST})`);
  const dtype = textOption(options, 'dtype');
  const attributes = { ...seeds(known, options), ...(dtype === undefined ? {} : { dtype: dtype as NdArray['dtype'] }) };
  const kernel = new RandomOp(known, attributes);
  const arrays = Array.from({ length: draws }, () => kernel.draw(given));
  const { seed, seed2 } = attributes;
  const named = `${known}, seed ${Array.isArray(seed) ? seed.join(',') : seed}${seed2 === undefined ? '' : `, seed2 ${seed2}`}`;
  return {
    outcome: 'same',
    data: { op: known, ...attributes, draws: arrays },
    lines: [verdictLine(terminal, 'same', named), ...arrays.map((array) => `  ${print(array)}`)],
  };
};
