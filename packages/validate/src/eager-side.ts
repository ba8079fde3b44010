import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { bytesOf, type NdArray } from '@tfparity/array';
import { captureInventory, normalizeName } from '@tfparity/inventory';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { Module, tf1VariableStore, trackTf1StyleVariables, variableCreatorScope } from '@tfparity/variables';
import { assignArray } from './fill.js';
import type {
  ModelFunction,
  ModelInputs,
  ModelSide,
  NamedLoss,
  Preparation,
  RunHooks,
  RunRequest,
  SideInspection,
  SideRun,
  TensorTree,
  VariableHandle,
} from './model-side.js';
import { downloadTensor, downloadTree, uploadInputs } from './tensor-tree.js';

/** An eager model in one state: its call, and what it holds after it. */
export interface EagerModel {
  call(inputs: ModelInputs<tf.Tensor>, training: boolean): TensorTree;
  variables(): readonly tf.Variable[];
  /** Computed now; tensors of losses are freed. */
  losses(): NamedLoss[];
  /** What the model is compiled with. */
  optimizer?(): tf.Optimizer | undefined;
}

/** A loss function's value. */
function lossValue(loss: () => tf.Tensor | null): number | undefined {
  return tf.tidy(() => loss()?.dataSync()[0]);
}

/** A function in a shim of its own, so that TF1-style variables are made once and kept. */
export function functionModel(call: ModelFunction): EagerModel {
  class FunctionModule extends Module {
    readonly call = trackTf1StyleVariables(
      (inputs: ModelInputs<tf.Tensor>, training: boolean): TensorTree => call(inputs, { training }),
      { resetCounts: true },
    );
  }
  const module = new FunctionModule();
  return {
    call: (inputs, training) => module.call(inputs, training),
    variables: () => [...(tf1VariableStore(module)?.variables.values() ?? [])],
    losses: () => storeLosses(module),
  };
}

function storeLosses(owner: object): NamedLoss[] {
  return [...(tf1VariableStore(owner)?.regularizers ?? [])].flatMap(([key, loss]) => {
    const value = lossValue(loss);
    return value === undefined ? [] : [{ name: normalizeName(key), value }];
  });
}

/** A tf.layers layer or model, with or without a shim. */
export function layerModel(layer: layers.Layer): EagerModel {
  return {
    call: (inputs, training) => layer.apply(inputs as tf.Tensor | tf.Tensor[], { training }) as TensorTree,
    variables: () => variablesOfLayer(layer),
    losses: () => {
      const own = storeLosses(layer);
      const all = tf.tidy(() => layer.calculateLosses().map((loss) => loss.dataSync()[0]!));
      return own.length === all.length ? own : all.map((value) => ({ name: null, value }));
    },
    // Of the layers only a model has one.
    optimizer: () => (layer as Partial<LayersModel>).optimizer,
  };
}

/** In order of creation where the shim's store knows it, then the layer's other weights. */
function variablesOfLayer(layer: layers.Layer): tf.Variable[] {
  const weights = layer.weights.map((weight) => weight.read() as tf.Variable);
  const stored = [...(tf1VariableStore(layer)?.variables.values() ?? [])];
  return [...new Set([...stored, ...weights])];
}

const sameBytes = (a: NdArray, b: NdArray): boolean => {
  const [x, y] = [bytesOf(a), bytesOf(b)];
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
};

/** The names and values of changed ones among variables, given what they were. */
export function changedValues(
  before: ReadonlyMap<string, NdArray>,
  after: Iterable<readonly [string, () => NdArray]>,
): Record<string, NdArray> {
  const updates: Record<string, NdArray> = {};
  for (const [name, read] of after) {
    const old = before.get(name);
    const now = read();
    if (old === undefined || !sameBytes(old, now)) updates[name] = now;
  }
  return updates;
}

/** An eager side: a fresh model for each run, or one that is put back as it was. */
export class EagerSide implements ModelSide {
  optimizer: tf.Optimizer | undefined;

  constructor(
    readonly description: string,
    private readonly make: () => EagerModel,
    /** Whether `make` gives a fresh model, whose initial values are drawn anew. */
    private readonly fresh: boolean,
    private readonly rename: (name: string) => string = (name) => name,
  ) {}

  cannot({ prepare }: RunRequest): string | undefined {
    if (this.fresh || prepare.kind === 'values') return undefined;
    return `${this.description} exists already, and draws no initial values any more; give a function that makes it`;
  }

  inspect(inputs: ModelInputs<NdArray>): SideInspection {
    return this.withModel(inputs, (model, x) => {
      const made: tf.Variable[] = [];
      {
        using _ = recordCreations((variable) => made.push(variable));
        tf.dispose(tf.tidy(() => asContainer(model.call(x, false))));
      }
      const created: string[] = [];
      {
        using _ = recordCreations((variable) => created.push(variable.name));
        tf.dispose(tf.tidy(() => asContainer(model.call(x, false))));
      }
      const variables = [...new Set([...model.variables(), ...made])];
      const entries = variables.map((v) => ({ ...plain(v), name: this.nameOf(v) }));
      return { inventory: { ...captureInventory(entries), source: this.description }, created };
    });
  }

  run(asked: RunRequest, hooks: RunHooks = {}): SideRun {
    const request = hooks.request?.(asked) ?? asked;
    return this.withModel(request.inputs, (model, x) => {
      const initial = new Map<tf.Variable, NdArray>();
      const { prepare, training } = request;
      const handles = (): VariableHandle[] => model.variables().map((v) => this.handle(v, initial.get(v)));
      if (prepare.kind === 'values') {
        if (hooks.prepared !== undefined) this.buildFirst(model, x, training, initial);
        for (const variable of model.variables()) this.give(variable, prepare);
      }
      hooks.prepared?.(handles(), prepare.kind);
      const tool = new DeterministicRandomTestTool({ mode: request.random, seed: request.seed ?? 42 });
      return tool.scope(() => this.forward(model, x, request, { hooks, handles, tool }));
    });
  }

  /** Makes the variables by a first call, for a fault that asks for the values that the model made. */
  private buildFirst(
    model: EagerModel,
    x: ModelInputs<tf.Tensor>,
    training: boolean,
    initial: Map<tf.Variable, NdArray>,
  ): void {
    const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops', seed: 1 });
    if (this.fresh || model.variables().length === 0) {
      tool.scope(() => tf.dispose(tf.tidy(() => asContainer(model.call(x, training)))));
    }
    for (const variable of model.variables()) initial.set(variable, downloadTensor(variable));
  }

  /** Gives a variable its values; false where there are none for it. */
  private give(variable: tf.Variable, prepare: Preparation): boolean {
    if (prepare.kind === 'initial') return false;
    const values = prepare.valueOf({ ...plain(variable), name: this.nameOf(variable) });
    if (values !== undefined) assignArray(variable, values);
    return values !== undefined;
  }

  /** Variables that a call makes: they get their values at once where values are given, and are shown to `note`. */
  private prepareCreations(prepare: Preparation, note: (variable: tf.Variable) => void): Disposable {
    if (prepare.kind === 'initial') return recordCreations(note);
    return variableCreatorScope((next, options) => {
      const { shape, dtype } = options;
      if (!shape || dtype !== 'float32') {
        const variable = next(options);
        this.give(variable, prepare);
        note(variable);
        return variable;
      }
      // Its own initial values are not drawn, unless there turn out to be no others: the name is known only now.
      const variable = next({ ...options, initialValue: () => tf.zeros([...shape]) });
      if (!this.give(variable, prepare)) tf.tidy(() => variable.assign(options.initialValue()));
      note(variable);
      return variable;
    });
  }

  private forward(
    model: EagerModel,
    x: ModelInputs<tf.Tensor>,
    { training, keepVariables, prepare }: RunRequest,
    { hooks, handles, tool }: { hooks: RunHooks; handles: () => VariableHandle[]; tool: DeterministicRandomTestTool },
  ): SideRun {
    const before = new Map<string, NdArray>();
    const note = (variable: tf.Variable) => {
      if (keepVariables || !variable.trainable) before.set(this.nameOf(variable), downloadTensor(variable));
    };
    for (const variable of model.variables()) note(variable);
    let outputs: TensorTree;
    {
      // Variables that this call makes are looked at when they are made: a training call moves averages.
      using _ = this.prepareCreations(prepare, note);
      const call = () => tf.tidy(() => asContainer(model.call(x, training)));
      outputs = (hooks.call?.(handles, call, training) ?? call()).value;
    }
    // Before the losses, which draw nothing, but a layer's own code may.
    const ledger = [...tool.ledger];
    const losses = model.losses().map(({ name, value }) => ({ name: name === null ? null : this.rename(name), value }));
    const untrained = model.variables().filter((variable) => !variable.trainable);
    const after = untrained.map((v) => [this.nameOf(v), () => downloadTensor(v)] as const);
    return {
      outputs: downloadTree(outputs),
      losses: hooks.losses?.(losses) ?? losses,
      ...(keepVariables ? { variables: Object.fromEntries(before) } : {}),
      updates: changedValues(before, after),
      untrained: untrained.length,
      ledger,
    };
  }

  /** Calls `body` with a model and its inputs as tensors; afterwards frees what is ours and puts back what is not. */
  private withModel<T>(inputs: ModelInputs<NdArray>, body: (model: EagerModel, x: ModelInputs<tf.Tensor>) => T): T {
    const x = uploadInputs(inputs);
    const model = this.make();
    this.optimizer ??= model.optimizer?.();
    const saved = this.fresh ? [] : model.variables().map((v) => [v, downloadTensor(v)] as const);
    try {
      return body(model, x);
    } finally {
      for (const [variable, values] of saved) assignArray(variable, values);
      if (this.fresh) tf.dispose([...model.variables()]);
      tf.dispose(x as tf.TensorContainer);
    }
  }

  private nameOf(variable: tf.Variable): string {
    return this.rename(normalizeName(variable.name));
  }

  private handle(variable: tf.Variable, initial: NdArray | undefined): VariableHandle {
    return {
      ...plain(variable),
      name: this.nameOf(variable),
      ...(initial ? { initial } : {}),
      read: () => downloadTensor(variable),
      write: (values) => assignArray(variable, values),
    };
  }
}

const plain = ({ name, shape, dtype, trainable }: tf.Variable) => ({ name, shape, dtype, trainable });

/** `tf.tidy` keeps what it finds in plain objects; maps are not among them. */
function asContainer(tree: TensorTree): { value: TensorTree } & tf.TensorContainerObject {
  const unfolded = (item: TensorTree): TensorTree => {
    if (item instanceof Map) return Object.fromEntries([...item].map(([k, v]) => [k, unfolded(v as TensorTree)]));
    return item;
  };
  return { value: unfolded(tree) } as { value: TensorTree } & tf.TensorContainerObject;
}

function recordCreations(note: (variable: tf.Variable) => void): Disposable {
  return variableCreatorScope((next, options) => {
    const variable = next(options);
    note(variable);
    return variable;
  });
}
