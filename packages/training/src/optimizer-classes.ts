import * as tf from '@tensorflow/tfjs-core';

/** The class of an optimizer, as TensorFlow.js makes one of what a model's file says. */
export type OptimizerClass = tf.serialization.SerializableConstructor<tf.serialization.Serializable> & {
  readonly className: string;
};

const registered = new WeakSet<OptimizerClass>();

/** Lets TensorFlow.js find the class by its name; a class that inherits its name leaves it to the one that has it. */
export function registerOptimizerClass(type: OptimizerClass): void {
  if (registered.has(type) || !Object.hasOwn(type, 'className')) return;
  registered.add(type);
  tf.serialization.registerClass(type);
}
