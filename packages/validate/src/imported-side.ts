import type { NdArray } from '@tfparity/array';
import { type ImportedGraph, TensorFlowSession } from '@tfparity/graph';
import { captureInventory, normalizeName } from '@tfparity/inventory';
import type { Tree } from '@tfparity/numerics';
import type { LedgerEntry, RandomTestMode } from '@tfparity/random';
import { changedValues } from './eager-side.js';
import type { ModelInputs, ModelSide, NamedLoss, RunHooks, RunRequest, SideInspection, SideRun } from './model-side.js';
import { inputItems } from './tensor-tree.js';

/** Names of tensors in nested lists and records. */
export type NameTree = string | readonly NameTree[] | { readonly [name: string]: NameTree };

/** A TF1 program as TensorFlow wrote it, run in TensorFlow's own session; needs the backend `tensorflow`. */
export interface ImportedModel {
  readonly graph: ImportedGraph;
  /** Names of the tensors to feed, in the structure of the inputs. */
  readonly inputs: ModelInputs<string>;
  /** Names of the tensors to fetch: `net/logits:0`. */
  readonly outputs: NameTree;
  /** Whether it was built in training mode; false unless said. */
  readonly training?: boolean;
  /** The mode of the test tool under which it was built; without it initial values and dropout can't be aligned. */
  readonly random?: RandomTestMode;
  readonly ledger?: readonly LedgerEntry[];
  /** Op that initialises the variables; their own initializers unless said. */
  readonly initialize?: string;
}

const itemsOf = (names: ModelInputs<string>): readonly string[] =>
  typeof names === 'string' ? [names] : Array.isArray(names) ? (names as readonly string[]) : Object.values(names);

/** A side that TensorFlow's own session runs. */
export class ImportedSide implements ModelSide {
  readonly description = 'an imported TensorFlow graph';

  constructor(
    private readonly model: ImportedModel,
    private readonly rename: (name: string) => string,
  ) {}

  cannot({ training, random, prepare }: RunRequest): string | undefined {
    const { model } = this;
    if ((model.training ?? false) !== training) {
      return `the graph was built ${model.training ? 'in training mode' : 'for inference'} only`;
    }
    if ((prepare.kind === 'values' && !training) || model.random === random) return undefined;
    return `the graph was ${model.random === undefined ? 'not built under a test tool' : `built in the test tool's mode ${model.random}`}, and the step needs mode ${random}; say so in 'random'`;
  }

  inspect(): SideInspection {
    const entries = this.model.graph.variables.map((v) => ({ ...v, name: this.nameOf(v.name) }));
    return { inventory: { ...captureInventory(entries), source: this.description }, created: null };
  }

  run(asked: RunRequest, hooks: RunHooks = {}): SideRun {
    const request = hooks.request?.(asked) ?? asked;
    const { graph } = this.model;
    using session = new TensorFlowSession(graph);
    if (graph.variables.length > 0) this.prepare(session, request);
    const before = graph.variables.length > 0 ? this.variables(session) : new Map<string, NdArray>();
    const losses = this.losses(session);
    const outputs = this.forward(session, request);
    const untrained = graph.variables.filter(({ trainable }) => !trainable).map(({ name }) => this.nameOf(name));
    const after = untrained.length > 0 ? this.variables(session) : before;
    return {
      outputs,
      losses: hooks.losses?.(losses) ?? losses,
      // A frozen graph's variables are constants by now, whose names nobody kept.
      ...(request.keepVariables && graph.variables.length > 0 ? { variables: Object.fromEntries(before) } : {}),
      updates: changedValues(
        before,
        untrained.flatMap((name) => (after.has(name) ? [[name, () => after.get(name)!] as const] : [])),
      ),
      untrained: untrained.length,
      ledger: this.model.ledger ?? null,
    };
  }

  private nameOf(name: string): string {
    return this.rename(normalizeName(name));
  }

  private prepare(session: TensorFlowSession, { prepare }: RunRequest): void {
    const { graph, initialize } = this.model;
    if (initialize === undefined) session.initialize();
    else session.runArrays(initialize);
    if (prepare.kind !== 'values') return;
    const values = graph.variables.flatMap((variable) => {
      const array = prepare.valueOf({ ...variable, name: this.nameOf(variable.name) });
      return array === undefined ? [] : [[variable.name, array] as const];
    });
    session.assign(new Map(values));
  }

  private variables(session: TensorFlowSession): Map<string, NdArray> {
    return new Map([...session.variables()].map(([name, array]) => [this.nameOf(name), array]));
  }

  private losses(session: TensorFlowSession): NamedLoss[] {
    const names = this.model.graph.collection('regularization_losses');
    if (names.length === 0) return [];
    const values = session.runArrays([...names]) as NdArray[];
    return names.map((name, i) => {
      const [variable, rest] = name.split('/Regularizer/');
      return {
        name: rest === undefined ? null : this.nameOf(variable!),
        value: (values[i]!.data as Float32Array)[0]!,
      };
    });
  }

  private forward(session: TensorFlowSession, { inputs, training }: RunRequest): Tree {
    const values = inputItems(inputs);
    const feeds = itemsOf(this.model.inputs).map((name, i) => [name, values[i]!.value] as const);
    const updates = training ? [...this.model.graph.collection('update_ops')] : [];
    const [outputs] = session.runArrays([this.model.outputs, updates] as never, feeds) as unknown as [Tree];
    return outputs;
  }
}
