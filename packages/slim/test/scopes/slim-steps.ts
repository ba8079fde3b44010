import * as tf from '@tensorflow/tfjs-core';
import * as slim from '../../src/index.js';
import { initializerOf } from './arguments.js';
import { createdBy } from './layer-steps.js';
import type { StepKind } from './run-state.js';

type SlimFunction = (...args: unknown[]) => unknown;

const camelCase = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** A function of slim by its Python name. */
function slimFunction(name: string): SlimFunction {
  const found = (slim as unknown as Record<string, SlimFunction>)[camelCase(name)];
  if (typeof found !== 'function') throw new Error(`slim has no ${camelCase(name)}`);
  return found;
}

function argumentsOf(coded: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(coded)) {
    const ours = camelCase(name);
    if (name === 'normalizer_fn' && typeof value === 'string') args[ours] = slimFunction(value);
    else if (name.endsWith('regularizer') && value !== null) {
      args[ours] = slim.l2Regularizer((value as { slim_l2: number }).slim_l2);
    } else if (name.endsWith('initializer') && value !== null) args[ours] = initializerOf(value);
    else args[ours] = value;
  }
  return args;
}

/** The steps that use slim. */
export const SLIM_STEPS: Readonly<Record<string, StepKind>> = {
  enter_arg_scope(step, _index, state) {
    const { ops, ref, args, save } = step as { ops?: string[]; ref?: string; args?: object; save?: string };
    const scope =
      ops === undefined
        ? slim.argScope(state.argScopes.get(ref ?? '') as slim.ArgScope)
        : slim.argScope(ops.map(slimFunction), argumentsOf(args as Record<string, unknown>));
    state.open.push(() => scope[Symbol.dispose]());
    if (save !== undefined) state.argScopes.set(save, scope);
  },
  slim(step, index, state) {
    const kind = step['kind'] as string;
    const args = argumentsOf(step['args'] as Record<string, unknown> | undefined);
    const input = () => tf.ones(step['input'] as number[]);
    let output: unknown;
    const created = createdBy(state, () => {
      if (kind === 'repeat') {
        const layer = slimFunction(step['layer'] as string);
        const positional = (step['positional'] ?? []) as unknown[];
        output = slimFunction('repeat')(input(), step['repetitions'], layer, ...positional, args);
      } else if (kind === 'stack') {
        output = slimFunction('stack')(input(), slimFunction(step['layer'] as string), step['stack_args'], args);
      } else if (kind === 'variable' || kind === 'model_variable') {
        output = slimFunction(kind)(step['name'], args);
      } else {
        output = slimFunction(kind)(input(), ...((step['positional'] ?? []) as unknown[]), args);
      }
    });
    if (kind.endsWith('variable')) state.events.push({ step: index, name: (output as tf.Variable).name, created });
    else state.events.push({ step: index, output_shape: (output as tf.Tensor).shape, created });
  },
  end_points(step, index, state) {
    const points = slim.convertCollectionToDict(step['collection'] as string, { clearCollection: true });
    const names = points instanceof Map ? [...points.keys()] : Object.keys(points);
    state.events.push({ step: index, end_points: names });
  },
};
