import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backends, describeGolden, goldenPath } from '@tfparity/testing';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'tfparity-app-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program as a user does, from its sources. */
function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const loader = import.meta.resolve('tsx');
  const program = ['--conditions=@tfparity/source', '--import', loader, 'src/main.ts', '--html', 'none', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

interface Counts {
  count: number;
  identical: number;
}

interface Step {
  id: string;
  passed: boolean;
  bitIdentical?: boolean;
  regularizationLoss?: { tf1: number; migrated: number };
  logits?: { tf1: number[]; migrated: number[] };
  legacy?: string;
  /** Of step 7. */
  sensitivity?: { faults: { id: string; status: string; steps: { step: string; outcome: string }[] }[] };
  skipped?: string;
  /** Of step 6. */
  gradients?: { count: number; identical: number; noise: string[] };
  optimizers?: { optimizer: string; passed: boolean; variables: Counts; slots: Counts; golden: { migrated: Counts } }[];
  trajectory?: {
    loss: { tf1: number; migrated: number; golden: number };
    bitIdentical: boolean;
    golden: { migrated: { identical: Record<string, number>; racing: string[]; different: string[] } };
  }[];
  frozenAverages?: string[] | null;
  /** Of step 0: slim's own graph against the graph that TypeScript records. */
  run?: { bitIdentical: boolean; golden?: { bitIdentical: boolean } };
  golden?: {
    bitIdentical: boolean;
    maxAbsoluteDifference: number;
    variables: { count: number; identical: number };
    regularizationLoss: { bitIdentical: boolean };
  };
}

const GUIDE_RUNS = ['3-reset', '4-inference', '4-training', '4-training-image', '4-training-constant-functional'];
const CHECKPOINT_RUNS = ['3b-checkpoint', '4b-checkpoint'];

/** The ids of all steps, in order. */
function listSteps(): string[] {
  const { stdout } = run(['--steps', 'list']);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split(' ')[0]!]));
}

function result(file: string): { backend: string; legacy: string; passed: boolean; steps: Step[] } {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** What step 6 has to give where TensorFlow is the one that wrote the golden data. */
function expectTrained({ gradients, updates, tenSteps }: Record<'gradients' | 'updates' | 'tenSteps', Step>): void {
  expect(gradients.gradients).toMatchObject({
    count: 698,
    identical: 698,
    noise: ['InceptionResnetV2/Block8/Conv2d_1x1/biases'],
  });
  expect(
    updates.optimizers!.map(({ optimizer, variables, slots, golden }) => [
      optimizer,
      variables.identical,
      slots.identical,
      golden.migrated.identical,
    ]),
  ).toEqual([
    ['sgd', 698, 0, 1110],
    ['momentum', 698, 698, 1110],
    // Two more: the powers of beta1 and beta2.
    ['adam', 698, 1398, 1110],
    ['rmsprop', 698, 1396, 1110],
  ]);
  expect(tenSteps.frozenAverages).toEqual([]);
  expect(tenSteps.trajectory).toHaveLength(2);
  for (const { loss, bitIdentical, golden } of tenSteps.trajectory!) {
    expect(loss).toEqual({ tf1: loss.golden, migrated: loss.golden, golden: loss.golden });
    expect(bitIdentical).toBe(true);
    const { identical, racing, different } = golden.migrated;
    expect(different).toEqual([]);
    expect(identical).toEqual({ variables: 1114 - racing.length, slots: 1396, gradients: 698 });
  }
}

describe('bad input', () => {
  it.each([
    [['--steps', '5-nothing'], "there is no step '5-nothing'; steps are 0-real-graph, 1-created-once, 2-inventory"],
    [['--legacy', 'python'], "--legacy is typescript, lowered, tensorflow, not 'python'"],
    [['--legacy', 'tensorflow', '--backend', 'wasm'], "--legacy tensorflow needs TensorFlow's own session"],
    [['--sensitivity', 'somewhat'], "--sensitivity is section or full, not 'somewhat'"],
    [['--training-steps', '11'], "--training-steps is a number from 1 to 10, not '11'"],
    [['--golden', 'roughly'], "--golden is tolerance or bits, not 'roughly'"],
    [['--backend', 'webgpu'], "'webgpu' is not a backend; choose one of tensorflow, wasm, cpu"],
    [['--frobnicate'], "Unknown option '--frobnicate'"],
  ])('%j is exit code 2 and one clear message', (args, message) => {
    const json = join(folder, 'never.json');
    const { status, stderr } = run([...args, '--json', json]);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(json)).toBe(false);
  });

  it('a folder that cannot be made is exit code 2', () => {
    writeFileSync(join(folder, 'file'), '');
    const { status, stderr } = run(['--steps', '4-arrays-constant', '--json', join(folder, 'file', 'result.json')]);
    expect(status).toBe(2);
    expect(stderr).toContain('EEXIST');
  });
});

describe('--help and --steps list', () => {
  it('say what there is', () => {
    expect(run(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('usage: npm start') });
    expect(listSteps()).toEqual(expect.arrayContaining(['0-real-graph', '3-reset', '4-training-image']));
  });
});

describe.each(backends)('random arrays on %s', (backend) => {
  it('are the published ones, in a graph and outside', () => {
    const json = join(folder, `arrays-${backend}.json`);
    const { status, stdout } = run([
      '--backend',
      backend,
      '--steps',
      '4-arrays-constant,4-arrays-num-random-ops',
      '--json',
      json,
    ]);
    expect(stdout).toContain('All 2 steps passed');
    expect(status).toBe(0);
    expect(result(json)).toMatchObject({
      backend,
      passed: true,
      steps: [{ id: '4-arrays-constant' }, { id: '4-arrays-num-random-ops' }],
    });
  });
});

describeGolden('nets/inception_resnet_v2.infer.json', () => {
  const native = backends.includes('tensorflow');
  const backend = native ? 'tensorflow' : 'wasm';
  const real = native && existsSync(goldenPath('graphs/inception_resnet_v2.infer.meta'));

  it(`is met by every step on ${backend}, ${native ? 'to the last bit' : 'within tolerance'}`, {
    timeout: 600_000,
  }, () => {
    const json = join(folder, 'all.json');
    const { stdout, stderr, status } = run([
      '--backend',
      backend,
      '--json',
      json,
      // Of the ten steps, which take seconds each, the least in which moving averages can stand still.
      '--training-steps',
      '2',
      ...(native ? ['--golden', 'bits'] : []),
    ]);
    const ids = listSteps();
    expect(stderr + stdout).toContain(`All ${ids.length} steps passed`);
    expect(status).toBe(0);
    const { steps, legacy } = result(json);
    expect(legacy).toBe(real ? 'tensorflow' : 'typescript');
    expect(steps.map(({ id }) => id)).toEqual(ids);
    const runs = steps.filter(({ id }) => GUIDE_RUNS.includes(id) || CHECKPOINT_RUNS.includes(id));
    expect(runs).toHaveLength(GUIDE_RUNS.length + CHECKPOINT_RUNS.length);
    for (const step of runs) {
      expect(step.bitIdentical, step.id).toBe(true);
      expect(step.logits!.migrated).toEqual(step.logits!.tf1);
      expect(step.golden!.variables, step.id).toEqual({ count: 1114, identical: 1114 });
      if (native) expect(step.golden!.bitIdentical, step.id).toBe(true);
      if (!GUIDE_RUNS.includes(step.id)) continue;
      expect(step.legacy, step.id).toBe(legacy);
      if (real) expect(step.golden!.regularizationLoss.bitIdentical, step.id).toBe(true);
    }
    const step0 = steps.find(({ id }) => id === '0-real-graph')!;
    if (real) expect(step0.run).toMatchObject({ bitIdentical: true, golden: { bitIdentical: true } });
    else expect(step0.run).toBeUndefined();
    const [gradients, updates, tenSteps] = steps.filter(({ id }) => id.startsWith('6-'));
    if (native) expectTrained({ gradients: gradients!, updates: updates!, tenSteps: tenSteps! });
    else expect([gradients, updates, tenSteps].every((step) => step!.skipped?.includes(backend))).toBe(true);
    const { faults } = steps.find(({ id }) => id === '7-sensitivity')!.sensitivity!;
    expect(faults.filter(({ status }) => status !== 'caught')).toEqual([]);
    // What the guide's reset cannot see is seen by values of each variable's own, and by an input that is no constant.
    for (const fault of ['branch-order', 'rgb-bgr', 'height-width']) {
      const cells = faults.find(({ id }) => id === fault)!.steps;
      expect(
        cells.filter(({ outcome }) => outcome !== 'not-run').map(({ step, outcome }) => `${step} ${outcome}`),
      ).toEqual(['reset missed', 'by-name caught']);
    }
  });

  it('that is not met fails the step with exit code 1', { timeout: 600_000 }, () => {
    const changed = join(folder, 'golden');
    cpSync(goldenPath('nets'), join(changed, 'nets'), { recursive: true });
    const file = join(changed, 'nets/inception_resnet_v2.infer.json');
    const golden = JSON.parse(readFileSync(file, 'utf8'));
    golden.endpoints.Mixed_6a.samples[3] += 0.01;
    writeFileSync(file, JSON.stringify(golden));
    const { status, stdout } = run(['--backend', backend, '--steps', '4-inference'], { TFPARITY_GOLDEN: changed });
    expect(stdout).toContain('FAIL  4-inference');
    expect(stdout).toContain('NOT MET');
    // Without slim's own graphs the TF1 side is TypeScript's, and the output says so.
    expect(stdout).toContain('TF1 side: the graph that TypeScript records, replayed kernel by kernel');
    expect(status).toBe(1);
  });
});
