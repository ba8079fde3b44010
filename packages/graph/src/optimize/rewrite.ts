import { Operation, type OperationParts, type OutputInfo, type OutputRef } from '../operation.js';
import { type PlannedRun, symbol, trimmed } from './planned-run.js';

/** What a pass did to one op. */
export interface Rewritten {
  /** The name of the op that was recorded. */
  readonly op: string;
  /** What took its place, in words. */
  readonly into: string;
}

/** What a pass is told about the run that it rewrites, and how it adds ops to it. */
export interface Rewriter {
  /** The op behind a value; undefined for a value that is fed, whatever op it was recorded with. */
  producer(ref: OutputRef): Operation | undefined;
  /** How many inputs, fetches and control dependencies use a value. */
  users(ref: OutputRef): number;
  /** Whether the run assigns to the variable of this handle. */
  assigns(handle: Operation): boolean;
  /** Adds an op in front of the one that is being looked at, which it stands for in errors. */
  add(type: string, inputs: readonly OutputRef[], parts: AddedParts): OutputRef;
  /** Adds a constant. */
  constant(values: ArrayLike<unknown>, info: OutputInfo): OutputRef;
}

/** An added op: its output, and how the kernel takes its inputs (null: as an array). */
export interface AddedParts {
  readonly inputNames: readonly string[] | null;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly output: OutputInfo;
}

/** What takes the place of an op's outputs, and why; undefined where the op stays. */
export type Rule = (
  op: Operation,
  rewriter: Rewriter,
) => { readonly outputs: readonly OutputRef[]; readonly into: string } | undefined;

/** Whether an op computes the same from the same inputs, and nothing else: no draw, no variable, no feed. */
export function isPure(op: Operation): boolean {
  return op.isKernel && op.attrs['stream'] === undefined && !/Random|Multinomial|TruncatedNormal/.test(op.type);
}

/**
 * Goes through a run once, in its order, and lets a rule replace ops. Ops under control dependencies and ops with a fed
 * output stay; what nothing needs any more is left out of the result.
 */
export function rewriteRun(run: PlannedRun, rule: Rule): { run: PlannedRun; rewritten: Rewritten[] } {
  const pass = new Pass(run);
  const rewritten = pass.apply(rule);
  return { run: rewritten.length === 0 ? run : trimmed(pass.result()), rewritten };
}

class Pass implements Rewriter {
  private readonly ops: Operation[] = [];
  private readonly replaced = new Map<OutputRef, OutputRef>();
  private readonly stands = new Map<Operation, readonly Operation[]>();
  private readonly uses = new Map<OutputRef, number>();
  private readonly assigned = new Set<Operation>();
  private current: Operation | undefined;

  constructor(private readonly before: PlannedRun) {
    const use = (ref: OutputRef): void => {
      this.uses.set(symbol(ref), this.users(ref) + 1);
    };
    const useAll = (op: Operation): void => {
      for (let i = 0; i < op.outputInfos.length; i++) use(op.symbolicId(i));
    };
    for (const op of before.ops) {
      for (const ref of op.inputs) use(ref);
      op.controlInputs.forEach(useAll);
      if (op.type.startsWith('Assign')) this.assigned.add(op.inputs[0]!.op);
    }
    for (const ref of before.fetches) use(ref);
    before.targets.forEach(useAll);
  }

  apply(rule: Rule): Rewritten[] {
    const rewritten: Rewritten[] = [];
    for (const recorded of this.before.ops) {
      const op = this.withNewInputs(recorded);
      this.current = op;
      const open = op.controlInputs.length === 0 && !recorded.outputInfos.some((_, i) => this.isFed(recorded, i));
      const found = open ? rule(op, this) : undefined;
      if (found !== undefined) {
        rewritten.push({ op: op.name, into: found.into });
        this.replace(recorded, found.outputs);
        continue;
      }
      this.ops.push(op);
      if (op !== recorded)
        this.replace(
          recorded,
          op.outputInfos.map((_, i) => op.symbolicId(i)),
          [op],
        );
    }
    return rewritten;
  }

  result(): PlannedRun {
    const fetches = this.before.fetches.map((ref) => this.resolve(ref));
    const targets = this.before.targets.flatMap((op) => this.stands.get(op) ?? [op]);
    return { ops: this.ops, fetches, targets, fed: this.before.fed };
  }

  producer(ref: OutputRef): Operation | undefined {
    return this.before.fed.has(symbol(ref)) ? undefined : ref.op;
  }

  users(ref: OutputRef): number {
    return this.uses.get(symbol(ref)) ?? 0;
  }

  assigns(handle: Operation): boolean {
    return this.assigned.has(handle);
  }

  add(type: string, inputs: readonly OutputRef[], { inputNames, attrs = {}, output }: AddedParts): OutputRef {
    return this.push({ type, inputs: inputs.map(symbol), inputNames, attrs, outputs: [output], isKernel: true });
  }

  constant(values: ArrayLike<unknown>, info: OutputInfo): OutputRef {
    const attrs = { dtype: info.dtype, value: values };
    return this.push({ type: 'Const', inputs: [], inputNames: null, attrs, outputs: [info], isKernel: false });
  }

  private push(parts: Omit<OperationParts, 'returnsArray' | 'dynamic' | 'madeWith'>): OutputRef {
    const { graph, id, name } = this.current!;
    const dynamic = parts.inputs.some((ref) => ref.op.dynamic);
    const op = new Operation(graph, id, name, [], { ...parts, returnsArray: false, dynamic, madeWith: this.current });
    this.ops.push(op);
    for (const ref of parts.inputs) this.uses.set(ref, this.users(ref) + 1);
    return op.symbolicId();
  }

  private replace(recorded: Operation, outputs: readonly OutputRef[], ops = outputs.map((ref) => ref.op)): void {
    outputs.forEach((ref, i) => {
      const from = recorded.symbolicId(i);
      if (!this.before.fed.has(from)) this.replaced.set(from, symbol(ref));
      this.uses.set(symbol(ref), this.users(ref) + this.users(from));
    });
    this.stands.set(recorded, [...new Set(ops)]);
  }

  private resolve(ref: OutputRef): OutputRef {
    return this.replaced.get(symbol(ref)) ?? symbol(ref);
  }

  private isFed(op: Operation, index: number): boolean {
    return this.before.fed.has(op.symbolicId(index));
  }

  /** The op with what took its inputs' places; the op itself where all of them stayed. */
  private withNewInputs(op: Operation): Operation {
    const inputs = op.inputs.map((ref) => this.resolve(ref));
    const controls = op.controlInputs.flatMap((control) => this.stands.get(control) ?? [control]);
    const same = inputs.every((ref, i) => ref === symbol(op.inputs[i]!));
    if (same && controls.every((control, i) => control === op.controlInputs[i])) return op;
    const { graph, id, name, type, inputNames, attrs, outputInfos, returnsArray, isKernel, dynamic } = op;
    const parts = { type, inputs, inputNames, attrs, outputs: outputInfos, returnsArray, isKernel, dynamic };
    return new Operation(graph, id, name, controls, { ...parts, madeWith: op });
  }
}
