import * as tf from '@tensorflow/tfjs-core';
import { initializers } from '@tfparity/random';
import type { Constraint, CustomGetter, InitializerLike, Regularizer } from '@tfparity/variables';
import type { RunState } from './run-state.js';

const tagged = new WeakMap<Constraint, number>();

/** Codes of initializers; see SHIM.md, section 7, of the golden data's documentation. */
export function initializerOf(code: unknown): InitializerLike | null {
  if (code === null || code === undefined) return null;
  if (code === 'zeros') return initializers.zeros();
  if (code === 'ones') return initializers.ones();
  if (code === 'ones_class') {
    return class {
      apply(shape: number[], dtype?: tf.DataType) {
        return tf.ones(shape, dtype);
      }
    };
  }
  const coded = code as Record<string, tf.TensorLike>;
  if ('constant' in coded) return initializers.constant(coded['constant']);
  if ('value' in coded) {
    return tf.tensor(coded['value'] as tf.TensorLike, undefined, (coded['dtype'] ?? 'float32') as tf.DataType);
  }
  if ('raw' in coded) return coded['raw'] as tf.TensorLike;
  if ('noarg' in coded || 'noarg_raw' in coded) {
    const value = (coded['noarg'] ?? coded['noarg_raw']) as tf.TensorLike;
    return () => value;
  }
  throw new Error(`unknown initializer ${JSON.stringify(code)}`);
}

/** Codes of regularizers. */
export function regularizerOf(code: unknown): Regularizer | null {
  if (code === null || code === undefined) return null;
  if (code === 'none') return () => null;
  const coded = code as Record<string, number>;
  if (coded['l2'] !== undefined) return (v) => tf.mul(coded['l2'] as number, tf.sum(tf.square(v)));
  if (coded['l1'] !== undefined) return (v) => tf.mul(coded['l1'] as number, tf.sum(tf.abs(v)));
  if (coded['sum_plus'] !== undefined) return (v) => tf.add(tf.sum(v), coded['sum_plus'] as number);
  throw new Error(`unknown regularizer ${JSON.stringify(code)}`);
}

/** Constraints are told apart by their factor. */
export function constraintOf(factor: unknown): Constraint | null {
  if (typeof factor !== 'number') return null;
  const constraint: Constraint = (value) => tf.mul(value, factor);
  tagged.set(constraint, factor);
  return constraint;
}

export function constraintTag(constraint: Constraint | undefined): number | undefined {
  return constraint && tagged.get(constraint);
}

/** Codes of custom getters; each call is logged. */
export function getterOf(code: unknown, state: RunState): CustomGetter | null {
  if (code === null || code === undefined) return null;
  // A scenario passes a number, to see it refused.
  if (typeof code === 'number') return code as unknown as CustomGetter;
  const { id, suffix, override, log } = code as {
    id?: string;
    suffix?: string;
    override?: Record<string, unknown>;
    log?: string;
  };
  return (getter, args) => {
    state.log.push(['getter', id ?? log ?? suffix ?? 'o', args.name]);
    return getter({ ...args, ...override, name: args.name + (suffix ?? '') });
  };
}
