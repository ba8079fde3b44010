// The passes of TensorFlow's graph optimizer over a run of the replay engine; see docs of tf.config.optimizer.
import { arithmeticOptimization } from './arithmetic-optimization.js';
import { batchNormFolding } from './batch-norm-folding.js';
import { canonicalInputOrder } from './canonical-input-order.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { constantFolding, type Evaluate } from './constant-folding.js';
import { deadCode } from './dead-code.js';
import type { PlannedRun } from './planned-run.js';
import { remapping } from './remapping.js';
import { type Rewritten, type Rule, rewriteRun } from './rewrite.js';

/** Which passes rewrite a run; the names are those of `tf.config.optimizer.set_experimental_options` where it has them. */
export interface OptimizerOptions {
  /** Computes what depends on constants alone while the run is planned; x / c becomes x * (1 / c), c1 * (c2 * x) one product. */
  readonly constantFolding?: boolean;
  /** Adds the terms of an AddN in the order of their names, as TensorFlow's session does. */
  readonly canonicalInputOrder?: boolean;
  /** Computes equal ops on equal inputs once. Moves no bit. */
  readonly commonSubexpressions?: boolean;
  /** Takes common factors out of sums, joins sums, reshapes and inverse transposes, x * x to a square, x + -y to x - y. */
  readonly arithmeticOptimization?: boolean;
  /** Puts the factor of a batch norm (in inference) into the filter of the convolution before it. */
  readonly batchNormFolding?: boolean;
  /** Makes one kernel of a convolution, its bias and its activation. */
  readonly remapping?: boolean;
  /** Leaves out ops that hand on their input. Moves no bit. */
  readonly deadCode?: boolean;
}

/** A pass, by its option. */
export type OptimizerPass = keyof OptimizerOptions;

/** One thing that a pass did. */
export interface OptimizerChange extends Rewritten {
  readonly pass: OptimizerPass;
}

/** What the optimizer did to one run. */
export interface OptimizerReport {
  /** How many ops the run had as it was recorded, and how many it has. */
  readonly opsBefore: number;
  readonly opsAfter: number;
  /** How often each pass that is on rewrote something. */
  readonly counts: Readonly<Partial<Record<OptimizerPass, number>>>;
  readonly changes: readonly OptimizerChange[];
}

/** Every pass, in the order in which they are applied. */
export const OPTIMIZER_PASSES: readonly OptimizerPass[] = [
  'deadCode',
  'canonicalInputOrder',
  'commonSubexpressions',
  'constantFolding',
  'arithmeticOptimization',
  'batchNormFolding',
  'remapping',
];

/** As Grappler: what a pass leaves may be more work for one before it. */
const ROUNDS = 2;

function ruleOf(pass: OptimizerPass, evaluate: Evaluate): Rule {
  switch (pass) {
    case 'constantFolding':
      return constantFolding(evaluate);
    case 'canonicalInputOrder':
      return canonicalInputOrder;
    case 'commonSubexpressions':
      return commonSubexpressions();
    case 'arithmeticOptimization':
      return arithmeticOptimization;
    case 'batchNormFolding':
      return batchNormFolding;
    case 'remapping':
      return remapping;
    case 'deadCode':
      return deadCode;
  }
}

/** Rewrites a run with the passes that are on, and says what each of them did. */
export function optimizeRun(
  recorded: PlannedRun,
  options: OptimizerOptions,
  evaluate: Evaluate,
): { readonly run: PlannedRun; readonly report: OptimizerReport } {
  const passes = OPTIMIZER_PASSES.filter((pass) => options[pass] === true);
  const changes: OptimizerChange[] = [];
  let run = recorded;
  for (let round = 0; round < ROUNDS; round++) {
    const before = changes.length;
    for (const pass of passes) {
      const result = rewriteRun(run, ruleOf(pass, evaluate));
      run = result.run;
      changes.push(...result.rewritten.map((rewritten) => ({ pass, ...rewritten })));
    }
    if (changes.length === before) break;
  }
  const counts = Object.fromEntries(
    passes.map((pass) => [pass, changes.filter((change) => change.pass === pass).length]),
  );
  return { run, report: { opsBefore: recorded.ops.length, opsAfter: run.ops.length, counts, changes } };
}
