import * as tf from '@tensorflow/tfjs-core';
import type { VariableOptions } from './creator-chain.js';

type Engine = ReturnType<typeof tf.engine>;
type MakeVariable = Engine['makeVariable'];
type Create = (options: VariableOptions) => tf.Variable;

interface Installed {
  readonly engine: Engine;
  readonly create: Create;
  holders: number;
}

let installed: Installed | undefined;
let bypassed = 0;

/** Calls tfjs's own `makeVariable`, past the hook. */
export function makeVariableUnhooked(...args: Parameters<MakeVariable>): tf.Variable {
  bypassed += 1;
  try {
    return tf.engine().makeVariable(...args);
  } finally {
    bypassed -= 1;
  }
}

function hooked(engine: Engine, create: Create, original: MakeVariable): MakeVariable {
  return (initialValue, trainable = true, name, dtype) => {
    if (bypassed > 0) return original.call(engine, initialValue, trainable, name, dtype);
    return create({
      name,
      initialValue: () => (dtype === undefined || dtype === null ? initialValue : tf.cast(initialValue, dtype)),
      shape: initialValue.shape,
      dtype: dtype ?? initialValue.dtype,
      trainable,
      origin: 'engine',
    });
  };
}

/**
 * Sends every variable that tfjs makes (`tf.variable`, `tensor.variable`, weights of tf.layers) through `create`.
 *
 * The hook is there only while someone holds it: the result releases it, and the last release takes it away.
 */
export function retainEngineHook(create: Create): () => void {
  const engine = tf.engine();
  if (installed === undefined || installed.engine !== engine) {
    installed = { engine, create, holders: 0 };
    // The prototype's method stays as it is; the engine's own property hides it and is deleted afterwards.
    engine.makeVariable = hooked(engine, create, Object.getPrototypeOf(engine).makeVariable as MakeVariable);
  }
  const held = installed;
  held.holders += 1;
  let released = false;
  return () => {
    if (released) return;
    released = true;
    held.holders -= 1;
    if (held.holders > 0) return;
    Reflect.deleteProperty(held.engine, 'makeVariable');
    if (installed === held) installed = undefined;
  };
}
