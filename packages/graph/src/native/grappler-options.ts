// tf.config.optimizer.set_experimental_options (python/framework/config.py, TF 2.21) as the ConfigProto that a call of a
// function carries (core/protobuf/config.proto, rewriter_config.proto).
import { GraphError } from '../graph-error.js';
import { WireWriter } from '../import/wire.js';

/**
 * Which passes of TensorFlow's own graph optimizer (Grappler) may rewrite what a run computes: the options of
 * `tf.config.optimizer.set_experimental_options`, by their names; what is left out is as TensorFlow has it.
 */
export interface GrapplerOptions {
  /** Chooses layouts of tensors for devices. */
  readonly layoutOptimizer?: boolean;
  /** Computes what is constant ahead; x / c becomes x * (1 / c). */
  readonly constantFolding?: boolean;
  /** Simplifies what computes shapes. */
  readonly shapeOptimization?: boolean;
  /** Makes one kernel of several: a convolution, its bias and its activation. */
  readonly remapping?: boolean;
  /** Takes common factors out of sums, and other identities of arithmetic. */
  readonly arithmeticOptimization?: boolean;
  /** Takes out control dependencies that say nothing. */
  readonly dependencyOptimization?: boolean;
  /** Moves what does not change out of loops. */
  readonly loopOptimization?: boolean;
  /** Inlines functions. */
  readonly functionOptimization?: boolean;
  /** Takes out asserts and prints; off unless said. */
  readonly debugStripper?: boolean;
  /** Leaves nodes that nothing needs where they are. */
  readonly disableModelPruning?: boolean;
  /** Lets collective ops share memory; off unless said. */
  readonly scopedAllocatorOptimization?: boolean;
  /** Puts small ops on the CPU; off unless said. */
  readonly pinToHostOptimization?: boolean;
  /** Chooses among implementations of a function. */
  readonly implementationSelector?: boolean;
  /** Computes in half precision where it may; off unless said. */
  readonly autoMixedPrecision?: boolean;
  /** Turns all of it off. */
  readonly disableMetaOptimizer?: boolean;
  /** Graphs with fewer nodes are left alone; 4 unless said, -1 for none. */
  readonly minGraphNodes?: number;
}

const ON = 1;
const OFF = 2;

// Number in RewriterConfig, and whether the field is a Toggle or a plain bool.
const FIELDS: Readonly<Record<keyof GrapplerOptions, readonly [id: number, kind: 'toggle' | 'bool' | 'int']>> = {
  layoutOptimizer: [1, 'toggle'],
  disableModelPruning: [2, 'bool'],
  constantFolding: [3, 'toggle'],
  arithmeticOptimization: [7, 'toggle'],
  dependencyOptimization: [8, 'toggle'],
  loopOptimization: [9, 'toggle'],
  functionOptimization: [10, 'toggle'],
  debugStripper: [11, 'toggle'],
  shapeOptimization: [13, 'toggle'],
  remapping: [14, 'toggle'],
  scopedAllocatorOptimization: [15, 'toggle'],
  minGraphNodes: [17, 'int'],
  pinToHostOptimization: [18, 'toggle'],
  disableMetaOptimizer: [19, 'bool'],
  implementationSelector: [22, 'toggle'],
  autoMixedPrecision: [23, 'toggle'],
};

const GRAPH_OPTIONS = 10;
const REWRITE_OPTIONS = 10;

/** The options that TensorFlow's optimizer has, by name. */
export const GRAPPLER_OPTIONS: readonly (keyof GrapplerOptions)[] = Object.keys(FIELDS) as (keyof GrapplerOptions)[];

/**
 * Checks that the options are TensorFlow's.
 *
 * @throws {GraphError} `Unavailable` for an option that TensorFlow's optimizer has not, or that cannot be carried to it
 */
export function checkGrapplerOptions(options: object): asserts options is GrapplerOptions {
  for (const [name, value] of Object.entries(options)) {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof GrapplerOptions] : undefined;
    if (field === undefined) {
      const message = `the engine 'tensorflow' has no optimizer option '${name}'; TensorFlow's are ${GRAPPLER_OPTIONS.join(', ')}`;
      throw new GraphError('Unavailable', message, { option: name, there: GRAPPLER_OPTIONS });
    }
    const fits =
      field[1] === 'int' ? Number.isInteger(value) && Math.abs(value as number) < 2 ** 31 : typeof value === 'boolean';
    if (value !== undefined && !fits) {
      const wanted = field[1] === 'int' ? 'a whole number' : 'true or false';
      throw new GraphError('WrongValue', `optimizer option '${name}' is ${String(value)}; ${wanted} is needed`, {
        option: name,
      });
    }
  }
}

/** The options as a serialized `ConfigProto`. */
export function encodeConfigProto(options: GrapplerOptions): Uint8Array {
  const writer = new WireWriter();
  writer.key(GRAPH_OPTIONS, 2);
  writer.nested(() => {
    writer.key(REWRITE_OPTIONS, 2);
    writer.nested(() => {
      for (const name of GRAPPLER_OPTIONS) {
        const value = options[name];
        if (value === undefined) continue;
        const [id, kind] = FIELDS[name];
        writer.key(id, 0);
        writer.varint(BigInt(kind === 'toggle' ? (value ? ON : OFF) : Number(value)));
      }
    });
  });
  return writer.finish();
}
