// Ports assert_no_variable_creations and catch_and_raise_created_variables of the guide "Validating correctness &
// numerical equivalence". Departure: the messages go on to say where, and which of the guide's three causes it looks like.
import type * as tf from '@tensorflow/tfjs-core';
import { callStack, type StackFrame, userFrame } from './call-stack.js';
import { currentContext } from './context.js';
import type { VariableOptions } from './creator-chain.js';
import { variableCreatorScope } from './creator-scope.js';
import { VariablesError } from './errors.js';
import { type Body, runBody } from './scope-body.js';
import { formatVariable } from './variable-text.js';

/** The guide's three reasons for variables that are made again, and getVariable outside a decorated method. */
export type CreationCause = 'explicit-variable' | 'layer-in-forward-pass' | 'unnamed-v1-layer' | 'outside-shim' | 'new';

/** What is known of a variable's creation: its arguments, where it happened, and why it probably did. */
export interface CreatedVariable {
  readonly name: string | undefined;
  readonly shape: readonly number[] | undefined;
  readonly dtype: string;
  readonly trainable: boolean;
  readonly cause: CreationCause;
  readonly stack: readonly string[];
}

const EXPLANATIONS: Record<CreationCause, string> = {
  'explicit-variable':
    'It uses an explicit tf.variable call without reusing an already-created variable. ' +
    'Check first whether it has been created, keep it in an attribute, and reuse it.',
  'layer-in-forward-pass':
    'It creates a tf.layers layer or model in the forward pass. ' +
    'Create it once and keep it in an attribute, or use getOrCreateLayer.',
  'unnamed-v1-layer':
    'It uses an unnamed compat.v1 layer or a default-named scope that is not inside a named variableScope, so it is ' +
    'numbered anew in each call. Give the layer an explicit name, or wrap its use in a named variableScope.',
  'outside-shim':
    'It calls getVariable outside a method decorated with trackTf1StyleVariables, where every call makes a variable. ' +
    'Decorate the method.',
  new: 'It asks for a name that no earlier call has made.',
};

/** Whether the first part of a name that ends in a number was made before under its plain name, or another number. */
function isRenumbered(name: string): boolean {
  const match = /^(.*?)(?:_(\d+))?\//.exec(name);
  if (match?.[2] === undefined) return false;
  const pattern = new RegExp(`^${match[1]?.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(_\\d+)?/`);
  const rest = name.slice(match[0].length);
  return [...(currentContext().store?.variables.keys() ?? [])].some(
    (key) => pattern.test(key) && key.replace(pattern, '') === rest,
  );
}

function causeOf(options: VariableOptions, stack: readonly StackFrame[]): CreationCause {
  if (options.origin === 'variable') return 'explicit-variable';
  if (options.origin === 'engine') {
    return stack.some((frame) => /LayerVariable|addWeight/.test(frame.text))
      ? 'layer-in-forward-pass'
      : 'explicit-variable';
  }
  if (currentContext().store === null) return 'outside-shim';
  return isRenumbered(options.name ?? '') ? 'unnamed-v1-layer' : 'new';
}

function describe(options: VariableOptions): CreatedVariable {
  const stack = callStack();
  return {
    name: options.name,
    shape: options.shape,
    dtype: options.dtype,
    trainable: options.trainable,
    cause: causeOf(options, stack),
    stack: stack.map((frame) => frame.text),
  };
}

/** The creator's arguments as the guide's message prints them. */
function formatArguments(options: VariableOptions): string {
  const text = (value: unknown): string => {
    if (value === undefined || value === null) return 'None';
    if (typeof value === 'boolean') return value ? 'True' : 'False';
    if (typeof value === 'function') return `<function ${value.name || 'initial_value'}>`;
    return `'${String(value)}'`;
  };
  const shape = options.shape;
  const entries: [string, string][] = [
    ['initial_value', text(options.initialValue)],
    ['trainable', text(options.trainable)],
    ['validate_shape', text(options.validateShape ?? true)],
    ['name', text(options.name)],
    ['dtype', `tf.${options.dtype}`],
    ['constraint', text(options.constraint)],
    ['synchronization', `<VariableSynchronization.${options.synchronization ?? 'AUTO'}>`],
    ['aggregation', `<VariableAggregation.${options.aggregation ?? 'NONE'}>`],
    ['shape', shape === undefined ? 'None' : `TensorShape([${shape.join(', ')}])`],
  ];
  return `{${entries.map(([key, value]) => `'${key}': ${value}`).join(', ')}}`;
}

function where(stack: readonly StackFrame[]): string {
  const frame = userFrame(stack);
  return frame === undefined ? '' : ` at ${frame.text}`;
}

/**
 * While it is open, creating a variable throws: a model that was called once must reuse what it has.
 *
 * @throws {VariablesError} `ValueError` from the creation, with the creator's arguments, where it was, and the probable
 * cause; `details.created` has the stack.
 */
export function assertNoVariableCreations(): Disposable;
/** Runs `body`, in which creating a variable throws, and returns its result. */
export function assertNoVariableCreations<R>(body: Body<void, R>): R;
export function assertNoVariableCreations<R>(body?: Body<void, R>): Disposable | R {
  const creator = (_next: unknown, options: VariableOptions): never => {
    const created = describe(options);
    const args = formatArguments(options);
    throw new VariablesError(
      'ValueError',
      `Attempted to create a new variable instead of reusing an existing one. Args: ${args}\n` +
        `Created${where(callStack())}. ${EXPLANATIONS[created.cause]}`,
      { created },
    );
  };
  return body === undefined ? variableCreatorScope(creator) : variableCreatorScope(creator, body);
}

/**
 * While it is open it notes every variable that is created, and throws at its end if there were any.
 *
 * @throws {VariablesError} `ValueError` at the end, listing the variables with name, shape, dtype and value, and the
 * probable causes; `details.created` has where each was made.
 */
export function catchAndRaiseCreatedVariables(): Disposable;
/** Runs `body` and throws if it created variables; an error of the body's own goes first. */
export function catchAndRaiseCreatedVariables<R>(body: Body<void, R>): R;
export function catchAndRaiseCreatedVariables<R>(body?: Body<void, R>): Disposable | R {
  const variables: tf.Variable[] = [];
  const created: CreatedVariable[] = [];
  const scope = variableCreatorScope((next, options) => {
    const facts = describe(options);
    const variable = next(options);
    variables.push(variable);
    created.push(facts);
    return variable;
  });
  const close = () => {
    scope[Symbol.dispose]();
    if (variables.length === 0) return;
    const causes = [...new Set(created.map(({ cause }) => cause))].map((cause) => EXPLANATIONS[cause]);
    const list = variables.map(formatVariable).join(', ');
    throw new VariablesError('ValueError', `('Created vars:', [${list}])\n${causes.join('\n')}`, {
      created,
      names: variables.map(({ name }) => name),
    });
  };
  return body === undefined ? { [Symbol.dispose]: close } : runBody(() => body(), close);
}
