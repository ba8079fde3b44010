import * as tf from '@tensorflow/tfjs-core';
import { releaseStreams } from '@tfparity/random';
import { GraphError, isGraphError } from './graph-error.js';
import type { Operation, OutputRef } from './operation.js';
import { type OptimizerOptions, type OptimizerReport, optimizeRun } from './optimize/optimizer.js';
import { recordedRun } from './optimize/planned-run.js';
import { outsideGraphs } from './recording.js';
import { makePlan, type Plan, type PlanStep } from './replay-plan.js';
import type { RunRequest, SessionEngine } from './session-engine.js';
import { fedSizes, isUnknown, knownShape, resolvedAttrs, Sizes } from './unknown-sizes.js';

/** A value while a run goes on; what is not owned belongs to the session or the caller. */
interface Held {
  readonly tensor: tf.Tensor;
  readonly owned: boolean;
}

/** A plan, and what the optimizer did on the way to it. */
interface OptimizedPlan {
  readonly plan: Plan;
  readonly report: OptimizerReport | undefined;
}

let sessions = 0;

/** Computes runs by calling the recorded kernels again, in the order of recording, on a TensorFlow.js backend. */
export class ReplayEngine implements SessionEngine {
  private readonly stream = `session_${++sessions}/`;
  private readonly variables = new Map<Operation, tf.Tensor>();
  private readonly constants = new Map<Operation, tf.Tensor>();
  private readonly plans = new Map<string, OptimizedPlan>();
  private lastReport: OptimizerReport | undefined;
  /** What the run that is going on has in the places of unknown sizes. */
  private sizes = new Sizes();

  /** @param optimizer  the passes that rewrite each run; none where left out, and then replay is what was recorded */
  constructor(
    private readonly backendName: string,
    private readonly optimizer?: OptimizerOptions,
  ) {}

  /** What the optimizer did to the last run; undefined before the first, or without an optimizer. */
  get report(): OptimizerReport | undefined {
    return this.lastReport;
  }

  run(request: RunRequest): tf.Tensor[] {
    const feeds = [...request.feeds.keys()];
    // Inside tidy, so that nothing is left behind where a step fails; what lives on is kept or returned.
    return outsideGraphs(this.backendName, () => {
      const { plan, report } = this.planFor(request.fetches, request.targets, feeds);
      this.lastReport = report;
      this.sizes = fedSizes(request.feeds);
      return tf.tidy(() => this.execute(plan, [...request.feeds.values()]));
    });
  }

  close(): void {
    for (const tensor of [...this.variables.values(), ...this.constants.values()]) tensor.dispose();
    this.variables.clear();
    this.constants.clear();
    this.plans.clear();
    releaseStreams(this.stream);
  }

  private planFor(
    fetches: readonly OutputRef[],
    targets: readonly Operation[],
    feeds: readonly OutputRef[],
  ): OptimizedPlan {
    const key = [fetches, feeds].map((refs) => refs.map((ref) => `${ref.op.id}:${ref.index}`).join()).join(';');
    const full = `${key};${targets.map((op) => op.id).join()}`;
    let planned = this.plans.get(full);
    if (planned === undefined) {
      const recorded = recordedRun(fetches, targets, feeds);
      const optimized = this.optimizer && optimizeRun(recorded, this.optimizer, (op) => this.evaluate(op));
      planned = { plan: makePlan(optimized?.run ?? recorded, feeds), report: optimized?.report };
      this.plans.set(full, planned);
    }
    return planned;
  }

  /** The values that an op computes from constants. */
  private evaluate(op: Operation): ArrayLike<unknown>[] | undefined {
    return tf.tidy(() => {
      try {
        const inputs = op.inputs.map((ref) => constantTensor(ref.op));
        return this.runKernel(op, inputs).map((tensor) => tf.engine().readSync(tensor.dataId) as Float32Array);
      } catch {
        // The op stays, and says what is wrong with it when it runs.
        return undefined;
      }
    });
  }

  private execute(plan: Plan, feeds: readonly tf.Tensor[]): tf.Tensor[] {
    const slots = new Array<Held | undefined>(plan.slotCount);
    plan.feedSlots.forEach((slot, i) => {
      slots[slot] = { tensor: feeds[i]!, owned: false };
    });
    for (const step of plan.steps) {
      this.runStep(plan, step, slots);
      for (const slot of step.release) {
        const held = slots[slot];
        if (held?.owned) held.tensor.dispose();
        slots[slot] = undefined;
      }
    }
    const results = plan.fetchSlots.map((slot) => tf.clone(slots[slot]!.tensor));
    for (const slot of plan.rest) if (slots[slot]!.owned) slots[slot]!.tensor.dispose();
    return results;
  }

  private runStep(plan: Plan, step: PlanStep, slots: (Held | undefined)[]): void {
    const { op } = step;
    if (!op.isKernel) {
      const held = this.runOwn(plan, step, slots);
      if (held !== undefined) slots[step.output] = held;
      return;
    }
    const outputs = this.runKernel(
      op,
      step.inputs.map((slot) => slots[slot]!.tensor),
    );
    outputs.forEach((tensor, i) => {
      slots[step.output + i] = { tensor, owned: true };
    });
  }

  private runKernel(op: Operation, tensors: readonly tf.Tensor[]): tf.Tensor[] {
    const names = op.inputNames;
    const inputs = names === null ? tensors : Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
    let attrs = op.dynamic ? this.resolvedAttrs(op, tensors) : op.attrs;
    // An op's generator is its own, and each session starts it afresh, as TensorFlow's kernels do.
    if (attrs['stream'] !== undefined) attrs = { ...attrs, stream: `${this.stream}${op.id}` };
    let result: tf.Tensor | tf.Tensor[];
    try {
      result = tf.engine().runKernel(op.type, inputs as tf.NamedTensorMap, attrs as tf.NamedAttrMap);
    } catch (error) {
      throw isGraphError(error) ? error : failed(op, (error as Error).message, error);
    }
    const outputs = Array.isArray(result) ? result : [result];
    checkShapes(op, outputs);
    op.outputInfos.forEach((info, i) => {
      this.sizes.bindShape(info, outputs[i]!.shape);
    });
    return outputs;
  }

  private resolvedAttrs(op: Operation, tensors: readonly tf.Tensor[]): Operation['attrs'] {
    const inputs = op.inputs.map((ref) => ref.op.outputInfos[ref.index]!);
    const shapes = tensors.map(({ shape }) => shape);
    try {
      return resolvedAttrs(op.graph.unknowns, { ...op, inputs }, shapes, this.sizes);
    } catch (error) {
      if (!isGraphError(error)) throw error;
      const details = { ...error.details, node: op.name, kernel: op.type, callSite: op.callSite };
      throw new GraphError(error.code, `${op.name} (${op.type}): ${error.message}${nodeSuffix(op)}`, details, {
        cause: error,
      });
    }
  }

  /** The graph's own ops, which are no kernels. */
  private runOwn(plan: Plan, step: PlanStep, slots: readonly (Held | undefined)[]): Held | undefined {
    const { op } = step;
    const value = () => slots[step.inputs[step.inputs.length - 1]!]!.tensor;
    switch (op.type) {
      case 'Const':
        return { tensor: this.constant(op), owned: false };
      case 'ReadVariableOp': {
        const handle = op.inputs[0]!.op;
        const current = this.variable(handle, op);
        // A value that this run replaces has to outlive the assignment.
        return plan.assigned.has(handle)
          ? { tensor: tf.clone(current), owned: true }
          : { tensor: current, owned: false };
      }
      case 'AssignVariableOp':
        this.setVariable(op.inputs[0]!.op, tf.clone(value()));
        return undefined;
      case 'AssignAddVariableOp':
      case 'AssignSubVariableOp': {
        const handle = op.inputs[0]!.op;
        const combine = op.type === 'AssignAddVariableOp' ? tf.add : tf.sub;
        this.setVariable(handle, combine(this.variable(handle, op), value()));
        return undefined;
      }
      case 'PlaceholderWithDefault':
        this.sizes.bindShape(op.outputInfos[0]!, value().shape);
        return { tensor: tf.clone(value()), owned: true };
      case 'Placeholder':
        throw unfed(op);
      case 'NoOp':
      case 'VarHandleOp':
        return undefined;
      default:
        throw failed(op, `the replay engine has no op '${op.type}'`);
    }
  }

  private constant(op: Operation): tf.Tensor {
    let tensor = this.constants.get(op);
    if (tensor === undefined) {
      tensor = tf.keep(constantTensor(op));
      this.constants.set(op, tensor);
    }
    return tensor;
  }

  private variable(handle: Operation, reader: Operation): tf.Tensor {
    const tensor = this.variables.get(handle);
    if (tensor !== undefined) return tensor;
    const status =
      this.variables.size === 0
        ? `Container localhost does not exist. (Could not find resource: localhost/${handle.name})`
        : `Resource localhost/${handle.name}/N10tensorflow3VarE does not exist.`;
    throw new GraphError(
      'FailedPrecondition',
      `Could not find variable ${handle.name}. This could mean that the variable has been deleted. In TF1, it can also ` +
        `mean the variable is uninitialized. Debug info: container=localhost, status error message=${status}` +
        nodeSuffix(reader),
      { variable: handle.name, node: reader.name, callSite: handle.callSite },
    );
  }

  private setVariable(handle: Operation, value: tf.Tensor): void {
    this.variables.get(handle)?.dispose();
    this.variables.set(handle, tf.keep(value));
  }
}

function constantTensor(op: Operation): tf.Tensor {
  const { dtype, shape } = op.outputInfos[0]!;
  const values = op.attrs['value'] as tf.DataValues;
  // Backends may keep the very array that they are given, and a graph's constants are never changed.
  return tf.engine().makeTensor(values.slice() as tf.DataValues, [...shape], dtype as tf.DataType);
}

function nodeSuffix(op: Operation): string {
  const site = op.callSite;
  return `\n\t [[{{node ${op.name}}}]]${site === undefined ? '' : ` made at ${site.file}:${site.line}`}`;
}

function failed(op: Operation, message: string, cause?: unknown): GraphError {
  const details = { node: op.name, kernel: op.type, callSite: op.callSite };
  // tfjs-node puts its own words before those of TensorFlow.
  const said = message.replace(/^Invalid TF_Status: \d+\s+Message: /, '');
  return new GraphError('Failed', `${said}${nodeSuffix(op)}`, details, { cause });
}

const DTYPE_NAMES: Readonly<Record<string, string>> = { float32: 'float', complex64: 'complex64' };

function unfed(op: Operation): GraphError {
  const dtype = String(op.attrs['dtype']);
  const shape = (op.attrs['shape'] as (number | null)[]).map((axis) => axis ?? '?').join(',');
  return new GraphError(
    'WrongValue',
    `You must feed a value for placeholder tensor '${op.name}' with dtype ${DTYPE_NAMES[dtype] ?? dtype} and shape ` +
      `[${shape}]${nodeSuffix(op)}`,
    { node: op.name, dtype, shape: op.attrs['shape'] },
  );
}

function checkShapes(op: Operation, outputs: readonly tf.Tensor[]): void {
  outputs.forEach(({ shape }, i) => {
    const { shape: recorded, tried } = op.outputInfos[i]!;
    const fits = (size: number, axis: number): boolean =>
      size === shape[axis] || (tried !== undefined && isUnknown(tried, axis));
    if (shape.length === recorded.length && recorded.every(fits)) return;
    throw failed(
      op,
      `output ${i} has shape [${shape}], and was recorded as [${knownShape(op.outputInfos[i]!).map((size) => size ?? 'unknown')}]: the shape ` +
        'depends on values, which a graph does not have while it is built; compute it outside the graph and feed it',
    );
  });
}
