import * as tf from '@tensorflow/tfjs-core';
import { type NdArray, sizeOf } from '@tfparity/array';
import { uniform } from '@tfparity/random';
import { type Fault, type InjectionSite, placeOf } from './fault.js';
import { type Interceptor, interceptKernels } from './kernel-interceptor.js';
import type { RunHooks, VariableHandle } from './model-side.js';
import { mapInputs } from './tensor-tree.js';

/** A fault in what the model is given: the first array that fits is changed. */
function inputFault(
  facts: Pick<Fault, 'id' | 'title' | 'description'>,
  fits: (array: NdArray) => boolean,
  change: (values: Float32Array, array: NdArray) => Float32Array,
): Fault {
  return {
    ...facts,
    inject: (site) => ({
      request: (request) => {
        let done = false;
        const inputs = mapInputs(request.inputs, (array, name) => {
          if (done || array.dtype !== 'float32' || !fits(array)) return array;
          done = true;
          site.note(`${name} [${array.shape}]`);
          return { ...array, data: change(array.data as Float32Array, array) };
        });
        return { ...request, inputs };
      },
    }),
  };
}

function reverseChannels(values: Float32Array): Float32Array {
  return values.map((_, i) => values[i - (i % 3) + 2 - (i % 3)]!);
}

/** [batch, height, width, …] with height and width swapped. */
function swapAxes(values: Float32Array, { shape }: NdArray): Float32Array {
  const size = shape[1]!;
  const depth = sizeOf(shape.slice(3));
  const image = size * size * depth;
  return values.map((_, i) => {
    const pixel = Math.floor((i % image) / depth);
    const from = (pixel % size) * size + Math.floor(pixel / size);
    return values[i - (i % image) + from * depth + (i % depth)]!;
  });
}

/** A fault in the values that variables are given; nothing where the model draws them itself. */
function restoreFault(
  facts: Pick<Fault, 'id' | 'title' | 'description'>,
  change: (variables: readonly VariableHandle[], site: InjectionSite) => void,
): Fault {
  return {
    ...facts,
    inject: (site) => ({
      prepared: (variables, kind) => {
        if (kind === 'values') change(variables, site);
      },
    }),
  };
}

const weights = (variables: readonly VariableHandle[]): VariableHandle[] =>
  variables.filter(({ trainable, shape }) => trainable && shape.length > 1);

/** A fault in the moving averages that a training pass makes: in the middle one of them. */
function updateFault(
  facts: Pick<Fault, 'id' | 'title' | 'description'>,
  change: (variable: tf.Variable, value: tf.Tensor) => tf.Tensor | undefined,
): Fault {
  const isPlace = ({ trainable }: tf.Variable): boolean => !trainable;
  return {
    ...facts,
    countsAssignments: isPlace,
    inject: (site) => ({
      call: (_, body, training) => {
        const place = placeOf('middle', site.count(training));
        let seen = 0;
        const assign: Interceptor['assign'] = (variable, value) => {
          if (!isPlace(variable) || seen++ !== place) return value;
          site.note(variable.name);
          return change(variable, value);
        };
        return interceptKernels({ assign }, body);
      },
    }),
  };
}

/** Moves a moving average after a pass that should leave it alone. */
function moveInInference(variables: readonly VariableHandle[], site: InjectionSite): void {
  const averages = variables.filter(({ trainable, dtype }) => !trainable && dtype === 'float32');
  const average = averages[placeOf('middle', averages.length)];
  if (average === undefined) return;
  const values = average.read();
  // A step of momentum 0.9 towards -1: an average of ones or zeros moves too.
  average.write({ ...values, data: (values.data as Float32Array).map((value) => 0.9 * value - 0.1) });
  site.note(average.name);
}

/** A fault in the list of variables. */
function inventoryFault(
  facts: Pick<Fault, 'id' | 'title' | 'description'>,
  change: (entry: { name: string; trainable: boolean }) => { name?: string; trainable?: boolean },
): Fault {
  return {
    ...facts,
    inject: (site): RunHooks => ({
      inspected: (inspection) => {
        const { entries, source } = inspection.inventory;
        const place = Math.floor(entries.length / 2);
        const changed = entries.map((entry, i) => {
          if (i !== place) return entry;
          site.note(entry.name);
          return { ...entry, ...change({ name: entry.name, trainable: entry.trainable ?? true }) };
        });
        return { ...inspection, inventory: { source, entries: changed } };
      },
    }),
  };
}

/** Faults in inputs, variables, updates, losses and draws. */
export const PROGRAM_FAULTS: readonly Fault[] = [
  inputFault(
    { id: 'rgb-bgr', title: 'Colour channels are swapped', description: 'images read as BGR for RGB' },
    ({ shape }) => shape.length === 4 && shape[3] === 3,
    reverseChannels,
  ),
  inputFault(
    { id: 'height-width', title: 'Height and width are swapped', description: 'images read in another axis order' },
    ({ shape }) => shape.length === 4 && shape[1] === shape[2] && shape[1]! > 1,
    swapAxes,
  ),
  inputFault(
    { id: 'input-range', title: 'Inputs in another range', description: 'preprocessing to [0, 1] for [-1, 1]' },
    () => true,
    (values) => values.map((value) => (value + 1) / 2),
  ),
  restoreFault(
    {
      id: 'variable-not-restored',
      title: 'A variable is not restored',
      description: 'a name that the restore did not find, so that the variable keeps its initial value',
    },
    (variables, site) => {
      const candidates = weights(variables).filter(({ initial }) => initial !== undefined);
      const chosen = candidates[Math.floor(candidates.length / 2)];
      if (chosen?.initial === undefined) return;
      chosen.write(chosen.initial);
      site.note(chosen.name);
    },
  ),
  restoreFault(
    {
      id: 'swapped-variables',
      title: 'Two variables of one shape are swapped',
      description: 'weights carried over by their order, where the orders differ',
    },
    (variables, site) => {
      const seen = new Map<string, VariableHandle>();
      for (const variable of weights(variables)) {
        const other = seen.get(String(variable.shape));
        seen.set(String(variable.shape), variable);
        if (other === undefined) continue;
        const [a, b] = [other.read(), variable.read()];
        other.write(b);
        variable.write(a);
        site.note(`${other.name} and ${variable.name}`);
        return;
      }
    },
  ),
  updateFault(
    {
      id: 'dropped-update',
      title: 'A moving average is not updated',
      description: 'an update op that no train step runs',
    },
    () => undefined,
  ),
  updateFault(
    {
      id: 'wrong-decay',
      title: 'A moving average with another decay',
      description: 'momentum 0.99 for decay 0.9997, or 1 - decay: the average moves twice as far',
    },
    (variable, value) => tf.sub(tf.mul(value, 2), variable),
  ),
  {
    id: 'update-in-inference',
    title: 'A moving average moves in inference',
    description: 'a training flag that reaches all but the update, or a frozen layer whose averages still move',
    inject: (site) => ({
      call: (variables, body, training) => {
        const result = body();
        if (!training) moveInInference(variables(), site);
        return result;
      },
    }),
  },
  {
    id: 'training-flag',
    title: 'The training flag is not passed on',
    description: 'the model computes inference where training is meant',
    inject: (site) => ({
      request: (request) => {
        if (!request.training) return request;
        site.note('training');
        return { ...request, training: false };
      },
    }),
  },
  {
    id: 'missing-regularizer',
    title: 'A variable has lost its regularizer',
    description: 'a layer made outside the arg scope that gave it one',
    inject: (site) => ({
      losses: (losses) => {
        if (losses.length > 0) site.note(losses.at(-1)!.name ?? `loss ${losses.length - 1}`);
        return losses.slice(0, -1);
      },
    }),
  },
  {
    id: 'extra-random-op',
    title: 'One random op more is drawn',
    description: 'an initializer or dropout that only one side has: every later draw is another',
    inject: (site) => ({
      call: (_, body) => {
        tf.dispose(uniform([1]));
        site.note('before the first op');
        return body();
      },
    }),
  },
  inventoryFault(
    { id: 'renamed-variable', title: 'A variable has another name', description: 'a scope that is missing or doubled' },
    ({ name }) => ({ name: `${name}_1` }),
  ),
  inventoryFault(
    {
      id: 'trainable-flag',
      title: 'A variable is trainable on one side alone',
      description: 'moving averages among the trained variables, or a frozen layer that is trained',
    },
    ({ trainable }) => ({ trainable: !trainable }),
  ),
];
