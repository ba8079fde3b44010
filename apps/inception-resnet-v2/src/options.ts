import { parseArgs } from 'node:util';
import { LEGACY_KINDS, type LegacyKind } from './legacy-side.js';

/** What the program was asked for. */
export interface Options {
  /** Ids of the steps to run, in the guide's order; all by default. */
  steps: readonly string[];
  backend?: string;
  /** Who the TF1 side is; by default the most genuine that works. */
  legacy?: LegacyKind;
  /** Files to write; neither by default. */
  json?: string;
  html?: string;
  /** Whether golden data must be met to the last bit (`bits`) or within each step's tolerance. */
  golden: 'tolerance' | 'bits';
  /** Whether faults are injected into a section of the net until some step catches them, or into all of it, in every step. */
  sensitivity: 'section' | 'full';
  /** How many of the ten steps of training are taken. */
  trainingSteps: number;
}

/** As many as the golden trajectory has. */
const TRAINING_STEPS = 10;

/** The command line could not be understood; the message says what would be. */
export class UsageError extends Error {}

export const USAGE = `usage: npm start -- [--steps ID,ID…] [--backend tensorflow|wasm|cpu] [--legacy tensorflow|lowered|typescript]
       [--json FILE] [--html FILE] [--golden tolerance|bits] [--sensitivity section|full]
       [--training-steps 1…10]

Runs the steps of TensorFlow's guide "Validating correctness & numerical equivalence" on Inception-ResNet-v2:
the TF1 side in a graph and session, the migrated side in a layer, and TensorFlow's own recorded values.

  --steps    some steps only, by id or by the beginning of it ("4" is every step 4); --steps list shows them
  --backend  the TensorFlow.js backend; by default the best that works here
  --legacy   who the TF1 side is. tensorflow: slim's own TF1 graphs (golden/graphs) in TensorFlow's own session;
             the default wherever the tensorflow backend runs with the TensorFlow that wrote them.
             lowered: the graph that TypeScript records, in TensorFlow's own session.
             typescript: the same graph, replayed kernel by kernel on any backend; the default elsewhere
  --json     write the result as JSON
  --html     write the result as one self-contained page (default report/index.html; "none" writes none)
  --golden   bits: recorded values must be met to the last bit (same TensorFlow, same kind of processor)
  --sensitivity
             full: step 7 injects every fault into the whole net and runs every step (many minutes)
  --training-steps
             how many of the ten steps of 6-ten-steps are taken; all by default

Exit code 0: every step passed. 1: a step failed. 2: it could not be told.`;

/**
 * The options of a command line.
 *
 * @throws {UsageError} for a flag, step or value that is not known
 */
export function parseOptions(args: readonly string[], known: readonly string[]): Options | 'help' | 'list' {
  const flags = {
    steps: 'string',
    backend: 'string',
    legacy: 'string',
    json: 'string',
    html: 'string',
    golden: 'string',
    sensitivity: 'string',
    'training-steps': 'string',
  } as const;
  let values: { [K in keyof typeof flags | 'help']?: string | boolean };
  try {
    const options = Object.fromEntries(Object.entries(flags).map(([name, type]) => [name, { type }]));
    values = parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean', short: 'h' } } }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]!);
  }
  if (values.help) return 'help';
  const steps = chooseSteps(values.steps as string | undefined, known);
  if (steps === 'list') return 'list';
  const golden = values.golden ?? 'tolerance';
  if (golden !== 'tolerance' && golden !== 'bits')
    throw new UsageError(`--golden is tolerance or bits, not '${golden}'`);
  const sensitivity = values.sensitivity ?? 'section';
  if (sensitivity !== 'section' && sensitivity !== 'full')
    throw new UsageError(`--sensitivity is section or full, not '${sensitivity}'`);
  const trainingSteps = Number(values['training-steps'] ?? TRAINING_STEPS);
  if (!Number.isInteger(trainingSteps) || trainingSteps < 1 || trainingSteps > TRAINING_STEPS)
    throw new UsageError(`--training-steps is a number from 1 to ${TRAINING_STEPS}, not '${values['training-steps']}'`);
  const legacy = LEGACY_KINDS.find((kind) => kind === values.legacy);
  if (values.legacy !== undefined && legacy === undefined)
    throw new UsageError(`--legacy is ${LEGACY_KINDS.join(', ')}, not '${values.legacy}'`);
  const { backend, json, html = 'report/index.html' } = values as Partial<Record<keyof typeof flags, string>>;
  return {
    steps,
    golden,
    sensitivity,
    trainingSteps,
    ...(backend === undefined ? {} : { backend }),
    ...(legacy === undefined ? {} : { legacy }),
    ...(json === undefined ? {} : { json }),
    ...(html === 'none' ? {} : { html }),
  };
}

function chooseSteps(asked: string | undefined, known: readonly string[]): readonly string[] | 'list' {
  if (asked === undefined) return known;
  if (asked === 'list') return 'list';
  const wanted = asked.split(',').map((id) => id.trim());
  const isMeant = (id: string, by: string) => id === by || id.startsWith(`${by}-`);
  const unknown = wanted.filter((by) => !known.some((id) => isMeant(id, by)));
  if (unknown.length > 0)
    throw new UsageError(`there is no step '${unknown.join("', '")}'; steps are ${known.join(', ')}`);
  return known.filter((id) => wanted.some((by) => isMeant(id, by)));
}
