/** The forms of golden/scopes.json. */
export type Mode = 'graph' | 'shim' | 'eager';

/** One step: its `op`, and the arguments that the op has. */
export interface Step {
  readonly op: string;
  readonly steps?: readonly Step[];
  readonly catch?: boolean;
  readonly [argument: string]: unknown;
}

/** What a step did: a variable, scope, layer or caught error. */
export type Event = Record<string, unknown>;

/** An error that ended a scenario. */
export interface Failure {
  readonly step: number;
  readonly type: string;
  readonly message: string;
  /** The text is Python's own; only the type is compared. */
  readonly python_internal_text?: boolean;
}

/** What is known after the last step; every mode has its own fields. */
export interface Result {
  readonly events: readonly Event[];
  readonly error?: Failure | null;
  readonly global_variables?: readonly string[];
  readonly trainable_variables?: readonly string[];
  readonly local_variables?: readonly string[];
  readonly model_variables?: readonly string[];
  readonly update_ops?: number;
  readonly regularization_losses?: readonly number[];
  readonly regularization_loss_names?: readonly string[];
  readonly store?: readonly string[];
  readonly store_variable_names?: readonly string[];
  readonly layer_variables?: readonly string[];
  readonly regularizer_keys?: readonly string[];
  readonly losses?: readonly number[];
  readonly all_created?: readonly string[];
  readonly log?: readonly unknown[];
}

export interface Scenario {
  readonly id: string;
  readonly category: string;
  readonly description: string;
  readonly steps: readonly Step[];
  readonly results: Partial<Record<Mode, Result>>;
}
