import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { VariableScope, VariableScopeManager, VariableStore } from '@tfparity/variables';
import type { Event, Mode, Step } from './scenario.js';

/** What a running scenario holds; the golden recipe's `Ctx`. */
export class RunState {
  readonly events: Event[] = [];
  readonly log: unknown[] = [];
  readonly scopes = new Map<string, VariableScope>();
  readonly managers = new Map<string, VariableScopeManager>();
  readonly variables = new Map<string, tf.Variable>();
  readonly layerObjects = new Map<string, LayerObject>();
  readonly argScopes = new Map<string, object>();
  readonly inner = new Map<string, tfl.layers.Layer>();
  readonly seen = new Set<tf.Variable>();
  readonly wanted: { event: Event; variable: tf.Variable }[] = [];
  /** Every variable that was created, in eager mode. */
  readonly made: tf.Variable[] = [];
  /** Names of the variables that tf.layers layers made, as Keras gives them. */
  readonly layerNames = new Map<tf.Variable, string>();
  /** Closes what the steps opened, the last first. */
  open: (() => void)[] = [];
  error: { step: number; type: string; message: string } | null = null;
  /** The layer whose decorated method is running. */
  layer: tfl.layers.Layer | undefined;

  constructor(
    readonly mode: Mode,
    /** Runs steps, the first of which has number `base`; false after an error. */
    readonly runSteps: (steps: readonly Step[], state: RunState, base: number) => boolean,
    /** The variables that the mode knows of, in creation order. */
    readonly known: (state: RunState) => readonly tf.Variable[],
    readonly storeOf: (layer: object) => VariableStore,
  ) {}

  /** Closes whatever is still open, as Python's unwinding does. */
  unwind(): void {
    for (let close = this.open.pop(); close !== undefined; close = this.open.pop()) {
      try {
        close();
      } catch {
        // What was closed out of order has been reported by its own step.
      }
    }
  }

  nameOf(variable: tf.Variable): string {
    return this.layerNames.get(variable) ?? variable.name;
  }
}

/** A compat.v1 layer that a scenario keeps. */
export interface LayerObject {
  readonly scopeName: string;
  apply(inputs: tf.Tensor): tf.Tensor;
}

/** What one kind of step does. */
export type StepKind = (step: Step, index: number, state: RunState) => void;

/** A decorated method of its own object, run as a step; ends the scenario without an error of its own. */
export class StopScenario extends Error {}

/** The `raise` step: leaves the decorated method through everything. */
export class RaisedThrough extends Error {}
