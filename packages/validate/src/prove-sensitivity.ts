import { countingHooks, countKey, type Fault, type InjectionSite } from './fault.js';
import { GoldenBundle } from './golden-bundle.js';
import { OP_FAULTS } from './op-faults.js';
import { PROGRAM_FAULTS } from './program-faults.js';
import { type Migration, runValidation, type ValidationOptions } from './validate-migration.js';
import type {
  FaultOutcome,
  FaultResult,
  SensitivityReport,
  StepId,
  ValidationReport,
  ValidationStep,
} from './validation-report.js';

/** Every fault that can be injected into any model; those that a model has no place for are reported as not injected. */
export const FAULTS: readonly Fault[] = [...OP_FAULTS, ...PROGRAM_FAULTS];

/** Which faults, and which steps have to see them. */
export interface SensitivityOptions {
  /** `FAULTS` unless said. */
  readonly faults?: readonly Fault[];
  /** As of `validateMigration`; `created-once` is left out unless it is asked for. */
  readonly steps?: ValidationOptions['steps'];
  /** Whether a fault's later steps are left out once it is caught; false unless said. */
  readonly stopWhenCaught?: boolean;
  readonly onProgress?: (progress: { readonly fault: string; readonly index: number; readonly count: number }) => void;
  /** Ends before the next step; the report then has not passed, and lists the faults that were not tried. */
  readonly signal?: AbortSignal;
}

/** What the fault did in each step. */
class Site implements InjectionSite {
  readonly injections = new Map<StepId, number>();
  where = '';
  step: StepId = 'reset';

  constructor(readonly count: InjectionSite['count']) {}

  note(where: string): void {
    if (this.where === '') this.where = where;
    this.injections.set(this.step, (this.injections.get(this.step) ?? 0) + 1);
  }
}

/**
 * Injects faults into the migrated side, one at a time, and says which step catches each: a check that catches nothing is
 * not a check. The legacy side is run once. Both sides as they are must pass first (`baseline`).
 *
 * @throws as `validateMigration`
 */
export async function proveSensitivity(
  migration: Migration,
  options: SensitivityOptions = {},
): Promise<SensitivityReport> {
  const began = performance.now();
  const faults = options.faults ?? FAULTS;
  const counts = new Map<string, number>();
  const legacyRuns = new Map();
  const baseline = await validate(migration, options, { legacyRuns, hooks: countingHooks(faults, counts) });
  const steps = baseline.steps.filter(({ status }) => status !== 'skipped');
  const results: FaultResult[] = [];
  for (const [index, fault] of faults.entries()) {
    if (options.signal?.aborted) {
      const { id, title, description } = fault;
      results.push({ id, title, description, injections: 0, status: 'not-run', where: '', steps: [] });
      continue;
    }
    options.onProgress?.({ fault: fault.title, index, count: faults.length });
    const site = new Site((training) => counts.get(countKey(fault.id, training)) ?? 0);
    const hooks = fault.inject(site);
    const report = await validate(
      migration,
      { ...options, steps: steps.map(({ id }) => id) },
      { legacyRuns, hooks },
      site,
    );
    const result = judge(fault, site, steps, report);
    const stopped = options.signal?.aborted === true && result.status !== 'caught';
    results.push(stopped ? { ...result, status: 'not-run' } : result);
  }
  const seconds = (performance.now() - began) / 1000;
  return {
    format: 'tfparity-sensitivity',
    version: 1,
    ...verdict(baseline, results),
    seconds,
    baseline,
    steps: steps.map(({ id, title }) => ({ id, title })),
    faults: results,
  };
}

function validate(
  migration: Migration,
  { steps, signal, stopWhenCaught = false }: SensitivityOptions,
  repetition: Parameters<typeof runValidation>[2],
  site?: Site,
): Promise<ValidationReport> {
  return runValidation(
    migration,
    {
      steps: steps ?? stepsThatCanFail(migration),
      ...(signal ? { signal } : {}),
      stopEarly: stopWhenCaught && site !== undefined,
      onProgress: ({ step }) => {
        if (site) site.step = step;
      },
    },
    repetition,
  );
}

/** Every step that looks at what a fault changes. */
function stepsThatCanFail({ checkpoint, golden, legacy }: Migration): (StepId | 'golden')[] {
  const recorded = [golden, legacy].some((side) => side instanceof GoldenBundle && side.runs.length > 0);
  return [
    'inventory',
    'reset',
    'by-name',
    'inference',
    'training',
    'training-constant',
    'by-name-training',
    ...(checkpoint === undefined ? [] : ['checkpoint' as const]),
    ...(recorded ? ['golden' as const] : []),
  ];
}

function judge(fault: Fault, site: Site, baseline: readonly ValidationStep[], report: ValidationReport): FaultResult {
  const { id, title, description } = fault;
  const steps = baseline.map((step) => {
    const found = report.steps.find((other) => other.id === step.id);
    return { step: step.id, ...outcomeOf(step, found, site.injections.get(step.id) ?? 0) };
  });
  const injections = [...site.injections.values()].reduce((sum, count) => sum + count, 0);
  const caught = steps.some(({ outcome }) => outcome === 'caught' || outcome === 'threw');
  const status = injections === 0 ? 'not-injected' : caught ? 'caught' : 'missed';
  return { id, title, description, injections, status, where: site.where, steps };
}

function outcomeOf(
  baseline: ValidationStep,
  step: ValidationStep | undefined,
  injections: number,
): { outcome: FaultOutcome; by: string } {
  if (!baseline.passed) return { outcome: 'not-run', by: 'the step does not pass without a fault' };
  if (step === undefined) return { outcome: 'not-run', by: 'caught by a step before' };
  if (injections === 0) return { outcome: 'not-run', by: 'the fault has no place in this step' };
  if (step.status === 'skipped') return { outcome: 'not-run', by: step.reason ?? '' };
  const by = step.lines[0] ?? '';
  if (step.status === 'error') return { outcome: 'threw', by };
  return step.passed ? { outcome: 'missed', by: '' } : { outcome: 'caught', by };
}

function verdict(
  baseline: ValidationReport,
  faults: readonly FaultResult[],
): Pick<SensitivityReport, 'passed' | 'summary'> {
  const of = (status: FaultResult['status']) => faults.filter((fault) => fault.status === status);
  const [caught, missed, absent, left] = [of('caught'), of('missed'), of('not-injected'), of('not-run')];
  const thrown = caught.filter(({ steps }) => !steps.some(({ outcome }) => outcome === 'caught')).length;
  if (baseline.verdict !== 'same') {
    return {
      passed: false,
      summary: `the sides do not pass without a fault, so that nothing is proved: ${baseline.summary}`,
    };
  }
  const rest = [
    ...(thrown > 0 ? [`${thrown} of them only because a side threw`] : []),
    ...(absent.length > 0 ? [`${absent.length} have no place in this model`] : []),
    ...(left.length > 0 ? [`stopped: ${left.length} of ${faults.length} faults were not tried to the end`] : []),
  ];
  const names = missed.length > 0 ? `, missed: ${missed.map(({ id }) => id).join(', ')}` : '';
  return {
    passed: missed.length + left.length === 0 && caught.length > 0,
    summary: `${caught.length} of ${caught.length + missed.length} injected faults are caught${names}${rest.map((text) => `; ${text}`).join('')}`,
  };
}
