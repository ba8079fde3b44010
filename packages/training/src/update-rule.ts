/** Attributes of an update kernel: booleans of TensorFlow's op (`use_nesterov`, `update_slots`, …). */
export type RuleAttributes = Readonly<Record<string, boolean>>;

/** The scalars of an update by name, each rounded to float32. */
export type Hyper = Readonly<Record<string, number>>;

/**
 * Updates elements in place, in TensorFlow's order of operations, each rounded to float32.
 *
 * @param state  the variable, then its slots
 * @param at  where the range begins in `state`
 * @param from  where it begins in `gradient`
 */
export type RangeUpdate = (
  state: readonly Float32Array[],
  at: number,
  gradient: Float32Array,
  from: number,
  count: number,
  hyper: Hyper,
  attributes: RuleAttributes,
) => void;

/** One optimizer's update of one variable: TensorFlow's kernels for it, and the same arithmetic in TypeScript. */
export interface UpdateRule {
  /** TensorFlow's op for a dense gradient. */
  readonly dense: string;
  /** TensorFlow's op for rows; absent where TensorFlow composes the update of other ops. */
  readonly sparse?: string;
  /** How many slots the kernel updates beside the variable. */
  readonly slots: number;
  /** Where the op takes the variable and its slots in another order: the place in our state of each that it takes. */
  readonly nativeState?: readonly number[];
  /** The op's inputs after the variable and its slots; `grad` and `indices` are the gradient, others are scalars. */
  readonly inputs: readonly string[];
  /** A scalar that the op takes as int64. */
  readonly int64?: string;
  /** Booleans of the op, with their defaults. */
  readonly attributes?: RuleAttributes;
  /** Whether rows that appear twice are summed before the update; false where the op adds each of them. */
  readonly sumsDuplicates?: boolean;
  readonly update: RangeUpdate;
  /** Where the sparse kernel's arithmetic is not the dense one's. */
  readonly updateRows?: RangeUpdate;
  /** What the sparse rule does to the whole of the state before and after its rows. */
  readonly aroundRows?: (state: readonly Float32Array[], rows: () => void, hyper: Hyper) => void;
}
