import * as tf from '@tensorflow/tfjs-core';

/** The engine's keys of variables whose name was taken by another variable. */
const engineKeys = new WeakMap<tf.Variable, string>();
let patched = false;

/** The key under which the engine holds a variable; its name unless another variable had that first. */
export function engineKeyOf(variable: tf.Variable): string {
  return engineKeys.get(variable) ?? variable.name;
}

/** Runs `body` while variables answer to their engine keys, which is how tfjs finds them again by name. */
function withEngineKeys<R>(variables: readonly tf.Variable[], body: () => R): R {
  const renamed = variables.filter((variable) => engineKeys.has(variable));
  const names = renamed.map((variable) => variable.name);
  for (const variable of renamed) variable.name = engineKeyOf(variable);
  try {
    return body();
  } finally {
    renamed.forEach((variable, i) => {
      variable.name = names[i] ?? variable.name;
    });
  }
}

/**
 * Makes tfjs's optimizers see engine keys in place of names.
 *
 * An optimizer carries gradients in a map by name and looks variables up by name, so of two variables with one name
 * (two copies of a model side by side) it would update the first with the gradients of the other, silently.
 */
function patchOptimizers(): void {
  if (patched) return;
  patched = true;
  const prototype = tf.Optimizer.prototype;
  const minimize = prototype.minimize;
  prototype.minimize = function (this: tf.Optimizer, f, returnCost, varList) {
    const list = varList ?? Object.values(tf.engine().registeredVariables);
    let names: string[] = [];
    const restore = () => {
      list.forEach((variable, i) => {
        variable.name = names[i] ?? variable.name;
      });
      names = [];
    };
    const loss = () => {
      const value = f();
      names = list.map((variable) => variable.name);
      for (const variable of list) variable.name = engineKeyOf(variable);
      return value;
    };
    try {
      return minimize.call(this, loss, returnCost, varList);
    } finally {
      restore();
    }
  };
}

/** Gives a variable the name that TensorFlow knows it by, while the engine holds it under `key` until it is disposed. */
export function nameVariablesForOptimizers(variable: tf.Variable, name: string, key: string): void {
  patchOptimizers();
  variable.name = name;
  engineKeys.set(variable, key);
  const dispose = variable.dispose.bind(variable);
  variable.dispose = () => withEngineKeys([variable], dispose);
}
