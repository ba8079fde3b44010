import type * as tf from '@tensorflow/tfjs-core';
import type { VariableContext } from './context.js';
import { valueError } from './errors.js';
import type { GetterArguments } from './variable-arguments.js';

/** to come */
export function getPartitioned(
  context: VariableContext,
  args: GetterArguments,
  getSingle: (context: VariableContext, args: GetterArguments) => tf.Variable,
): tf.Variable {
  if (context.kind !== 'graph') {
    throw valueError(
      '`partitioner` arg for `get_variable` is unsupported in TF2. File a bug if you need help. ' +
        `You passed ${String(args.partitioner)}`,
      { name: args.name },
    );
  }
  return getSingle(context, { ...args, partitioner: null });
}
