import type * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import type { Inventory } from '@tfparity/inventory';
import type { Tree } from '@tfparity/numerics';
import type { LedgerEntry, RandomTestMode } from '@tfparity/random';
import type { FillVariable } from './fill.js';

/** What a model is given: an array, several, or arrays by name; tensors are given to it in the same structure. */
export type ModelInputs<T> = T | readonly T[] | { readonly [name: string]: T };

/** How variables get their values before the forward pass: as the model makes them, or these. */
export type Preparation =
  | { readonly kind: 'initial' }
  | {
      readonly kind: 'values';
      /** The values of a variable, by the legacy side's name; `undefined` leaves it as it was made. */
      readonly valueOf: (variable: FillVariable) => NdArray | undefined;
    };

/** One forward pass that a step asks for. */
export interface RunRequest {
  readonly inputs: ModelInputs<NdArray>;
  readonly training: boolean;
  /** Mode of the test tool in whose scope everything random is drawn. */
  readonly random: RandomTestMode;
  /** Seed of that tool; 42 unless said. */
  readonly seed?: number;
  readonly prepare: Preparation;
  /** Whether the values of the variables before the pass are wanted. */
  readonly keepVariables?: boolean;
}

/** What a fault can do to a side's run; absent in ordinary runs. */
export interface RunHooks {
  /** The side's list of variables; returns the one that is compared. */
  inspected?(inspection: SideInspection): SideInspection;
  /** Other inputs or another mode in place of those asked for. */
  request?(request: RunRequest): RunRequest;
  /** Before values are given to variables (`values`), with the values that they have, and after that. */
  prepared?(variables: readonly VariableHandle[], prepare: Preparation['kind']): void;
  /** Around the model's own code, in training or inference. */
  call?<T>(variables: () => readonly VariableHandle[], body: () => T, training: boolean): T;
  /** The losses by name; returns those that are reported. */
  losses?(losses: readonly NamedLoss[]): readonly NamedLoss[];
}

/** A variable that can be read and written at once; `name` is the legacy side's. */
export interface VariableHandle {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly trainable: boolean;
  /** The values that the model made, where others were given to it. */
  readonly initial?: NdArray;
  read(): NdArray;
  write(values: NdArray): void;
}

/** One regularization loss; `name` is its variable's, or null where that is not known. */
export interface NamedLoss {
  readonly name: string | null;
  readonly value: number;
}

/** What one forward pass gave; every array is the caller's own. */
export interface SideRun {
  readonly outputs: Tree;
  readonly losses: readonly NamedLoss[];
  /** Before the pass, by name, where they were asked for. */
  readonly variables?: Readonly<Record<string, NdArray>>;
  /** Variables that are not trained and that the pass changed, with their new values. */
  readonly updates: Readonly<Record<string, NdArray>>;
  /** How many variables are not trained. */
  readonly untrained: number;
  /** null where nobody noted what was drawn. */
  readonly ledger: readonly LedgerEntry[] | null;
}

/** What is known of a side's variables without looking at numbers. */
export interface SideInspection {
  readonly inventory: Inventory;
  /** Variables that a second call made; null where that can't happen. */
  readonly created: readonly string[] | null;
}

/** One side of a migration, whatever it is, as the steps use it. */
export interface ModelSide {
  /** `a layer`, `a graph`, …: for messages. */
  readonly description: string;
  /** What its model is compiled with, as far as a run or an inspection has shown. */
  readonly optimizer?: tf.Optimizer | undefined;
  /** Why a run can't be made; `undefined` where it can. */
  cannot(request: RunRequest): string | undefined;
  run(request: RunRequest, hooks?: RunHooks): SideRun | Promise<SideRun>;
  /** `undefined` where the side has no variables that could be listed. */
  inspect(inputs: ModelInputs<NdArray>): SideInspection | undefined;
}

/** Tensors in nested lists, records and maps, as models return them. */
export type TensorTree =
  | tf.Tensor
  | number
  | string
  | null
  | undefined
  | readonly TensorTree[]
  | ReadonlyMap<string, TensorTree>
  | { readonly [name: string]: TensorTree };

/** A model as a function: tensors in, nested outputs out. */
export type ModelFunction = (inputs: ModelInputs<tf.Tensor>, options: { readonly training: boolean }) => TensorTree;
