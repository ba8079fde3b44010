import { type GraphInspection, inspectGraph } from '@tfparity/graph';
import { captureInventory, diffInventories, formatInventoryDiff, type InventoryDiff } from '@tfparity/inventory';
import { type Difference, differenceOf } from '../compare-runs.js';
import { againstGolden, goldenRun } from '../golden.js';
import type { ModelRun, RunSettings } from '../model-run.js';
import { type RealGraph, writtenBy } from '../real-graph.js';
import type { Step, StepContext, StepResult } from '../step.js';

const id = '0-real-graph';
const title = "What the TF1 side is: slim's own graph";

/** The run of the step `4-inference`, which shares the TF1 side's. */
const SETTINGS: RunSettings = { mode: 'num_random_ops', training: false };

/** A graph in figures. */
interface RealGraphFigures {
  readonly tensorflow?: string;
  readonly nodes: number;
  readonly ops: GraphInspection['ops'];
  readonly variables: { readonly count: number; readonly trainable: number };
  readonly random: {
    readonly count: number;
    readonly unseeded: number;
    readonly ops: Readonly<Record<string, number>>;
  };
  readonly inputs: GraphInspection['inputs'];
  readonly regularizationLosses: number;
}

/** How a run in TensorFlow's session differs from the replay of the graph that TypeScript records. */
interface RealGraphComparison extends Difference {
  readonly endPoints: Readonly<Record<string, Difference>>;
  readonly variables: { readonly count: number; readonly identical: number };
  readonly golden?: { readonly bitIdentical: boolean; readonly endPoints: Readonly<Record<string, Difference>> };
}

/** What the step adds to a result. */
interface RealGraphResult extends StepResult {
  readonly graph?: RealGraphFigures;
  readonly tf1?: { readonly count: number };
  readonly typescript?: { readonly count: number };
  readonly differences?: InventoryDiff;
  readonly run?: RealGraphComparison;
}

function figuresOf(real: RealGraph, inspected: GraphInspection): RealGraphFigures {
  const ops: Record<string, number> = {};
  for (const { op } of inspected.random) ops[op] = (ops[op] ?? 0) + 1;
  const unseeded = inspected.random.filter(({ seed, seed2 }) => seed === '0' && seed2 === '0').length;
  const tensorflow = writtenBy(real);
  return {
    ...(tensorflow === undefined ? {} : { tensorflow }),
    nodes: inspected.nodes,
    ops: inspected.ops,
    variables: {
      count: inspected.variables.length,
      trainable: inspected.variables.filter(({ trainable }) => trainable).length,
    },
    random: { count: inspected.random.length, unseeded, ops },
    inputs: inspected.inputs.filter(({ name }) => name === real.fetches.input),
    regularizationLosses: real.graph.collection('regularization_losses').length,
  };
}

function figureLines(figures: RealGraphFigures, { random }: GraphInspection): string[] {
  const most = figures.ops.slice(0, 5).map(({ op, count }) => `${count} ${op}`);
  const [input] = figures.inputs;
  const shape = input?.shape?.map((size) => (size < 0 ? '?' : size)).join(', ');
  const kinds = Object.entries(figures.random.ops).map(([op, count]) => `${count} ${op}`);
  const seeds = [random.at(0), random.at(-1)].map((node) => `(${node?.seed}, ${node?.seed2})`);
  return [
    `graphs/inception_resnet_v2.infer.meta, written by TensorFlow ${figures.tensorflow ?? '(unknown)'}: ${figures.nodes} ops of ${figures.ops.length} kinds (${most.join(', ')}, …)`,
    `input ${input?.name} ${input?.dtype} [${shape}], ${figures.variables.count} variables (${figures.variables.trainable} trainable), ${figures.regularizationLosses} regularization losses`,
    `random ops: ${kinds.join(', ')}, ${figures.random.unseeded === 0 ? `all seeded, ${seeds.join(' to ')}` : `${figures.random.unseeded} WITHOUT SEEDS`}`,
  ];
}

function compare(real: ModelRun, typescript: ModelRun): RealGraphComparison {
  const names = [...new Set([...Object.keys(real.endPoints), ...Object.keys(typescript.endPoints)])];
  const missing: Difference = { maxAbsoluteDifference: Number.POSITIVE_INFINITY, bitIdentical: false };
  const endPoints = Object.fromEntries(
    names.map((name) => {
      const [a, b] = [typescript.endPoints[name], real.endPoints[name]];
      return [name, a === undefined || b === undefined ? missing : differenceOf(a, b)];
    }),
  );
  const hashes = new Map(typescript.variables.map(({ name, sha256 }) => [name, sha256]));
  const identical = real.variables.filter(({ name, sha256 }) => hashes.get(name) === sha256).length;
  const all = [...Object.values(endPoints), differenceOf(typescript.logits, real.logits)];
  return {
    endPoints,
    variables: { count: real.variables.length, identical },
    maxAbsoluteDifference: Math.max(...all.map((difference) => difference.maxAbsoluteDifference)),
    bitIdentical: names.length > 0 && all.every((difference) => difference.bitIdentical),
    ...goldenComparison(real),
  };
}

function goldenComparison(real: ModelRun): Pick<RealGraphComparison, 'golden'> {
  const recorded = goldenRun('infer');
  if (recorded === undefined) return {};
  const endPoints = Object.fromEntries(
    Object.entries(recorded.endpoints).map(([name, golden]) => [name, againstGolden(real.endPoints[name]!, golden)]),
  );
  return { golden: { endPoints, bitIdentical: Object.values(endPoints).every(({ bitIdentical }) => bitIdentical) } };
}

function runLines(run: RealGraphComparison, seconds: number): string[] {
  const count = Object.keys(run.endPoints).length;
  const same = Object.values(run.endPoints).filter(({ bitIdentical }) => bitIdentical).length;
  return [
    `loaded, initialised and run in TensorFlow's session in ${seconds.toFixed(1)} s`,
    `the graph that TypeScript records, replayed: ${run.variables.identical} of ${run.variables.count} initial values and ${same} of ${count} end points identical to the last bit${run.bitIdentical ? '' : ` DIFFERENT, up to ${run.maxAbsoluteDifference.toExponential(2)}`}`,
    ...(run.golden
      ? [`TensorFlow's recorded run: ${run.golden.bitIdentical ? 'identical to the last bit' : 'other bits'}`]
      : []),
  ];
}

/** Step 0: what slim's own TF1 graph is, that it runs in TensorFlow's session, and that TypeScript records the same. */
export const realGraphStep: Step = {
  id,
  title,
  run({ legacy, backend, progress, golden }: StepContext): RealGraphResult {
    const real = legacy.realGraph('infer');
    if (real === undefined) {
      const skipped = 'the golden folder has no graphs/inception_resnet_v2.infer.meta with its .fetches.json';
      return { id, title, passed: true, skipped, lines: [skipped] };
    }
    const inspected = inspectGraph(real.graph);
    const graph = figuresOf(real, inspected);
    progress('TypeScript graph, replayed');
    const typescript = legacy.run(SETTINGS, 'typescript');
    const [a, b] = [captureInventory(typescript.variables), captureInventory(real.graph.variables)];
    const differences = diffInventories(a, b, { order: true });
    const lines = [
      ...figureLines(graph, inspected),
      differences.same
        ? `the graph that TypeScript records has the same ${a.entries.length} variables, in the same order`
        : formatInventoryDiff(differences),
    ];
    const counts = { tf1: { count: b.entries.length }, typescript: { count: a.entries.length } };
    const result = { id, title, graph, ...counts, differences };
    if (backend.name !== 'tensorflow' || legacy.kind === 'typescript') {
      const why = `not run: ${backend.name === 'tensorflow' ? 'the TF1 side is TypeScript' : "TensorFlow's session needs the backend tensorflow"}`;
      return { ...result, passed: differences.same, lines: [...lines, why] };
    }
    progress("slim's own graph in TensorFlow's session");
    const started = performance.now();
    const run = compare(legacy.run(SETTINGS, 'tensorflow'), typescript);
    const passed =
      differences.same &&
      run.bitIdentical &&
      run.variables.identical === run.variables.count &&
      (golden !== 'bits' || run.golden?.bitIdentical !== false);
    return { ...result, passed, run, lines: [...lines, ...runLines(run, (performance.now() - started) / 1000)] };
  },
};
