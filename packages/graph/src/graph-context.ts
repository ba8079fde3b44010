import * as tf from '@tensorflow/tfjs-core';
import { GraphKeys, GraphRulesContext, type VariableOptions } from '@tfparity/variables';
import type { Graph } from './graph.js';
import { GraphError } from './graph-error.js';
import { GraphVariable } from './graph-variable.js';
import type { Operation } from './operation.js';

/** TF1's rules for variables, with variables whose values live in sessions. */
export class GraphContext extends GraphRulesContext {
  constructor(private readonly graph: Graph) {
    super();
  }

  override createVariable(options: VariableOptions): GraphVariable {
    const { graph } = this;
    const variable = graph.withoutControlDependencies(() => GraphVariable.create(graph, options));
    graph.addVariable(variable);
    const wanted = options.collections ?? [GraphKeys.GLOBAL_VARIABLES];
    const all = options.trainable ? [...wanted, GraphKeys.TRAINABLE_VARIABLES] : wanted;
    for (const collection of new Set(all)) this.collections.add(collection, variable);
    return variable;
  }

  override assign(variable: tf.Variable, value: tf.Tensor): Operation {
    return this.own(variable).assign(value);
  }

  /** A copy of a tensor that waits for the ops that `assign` returned. */
  override withDependencies(tensor: tf.Tensor, after: readonly unknown[]): tf.Tensor {
    const leave = this.graph.enterControlDependencies(after as readonly Operation[]);
    try {
      return tf.clone(tensor);
    } finally {
      leave();
    }
  }

  /** The variable of this graph that a tensor is; undefined for every other tensor. */
  variableOf(tensor: tf.TensorInfo): GraphVariable | undefined {
    return tensor instanceof GraphVariable && tensor.graph === this.graph ? tensor : undefined;
  }

  /** The variable itself. @throws {GraphError} `OtherGraph` for an eager one, or one of another graph */
  own(variable: tf.Variable): GraphVariable {
    const own = this.variableOf(variable);
    if (own !== undefined) return own;
    // `instanceof` tells nothing: tfjs takes every variable for one of every subclass.
    const from = 'handle' in variable ? (variable as GraphVariable).graph.name : 'eager code';
    throw new GraphError('OtherGraph', `variable '${variable.name}' belongs to ${from}, not to ${this.graph.name}`, {
      variable: variable.name,
      graph: this.graph.name,
    });
  }
}
