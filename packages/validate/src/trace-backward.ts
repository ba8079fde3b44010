import * as tf from '@tensorflow/tfjs-core';

type GradientFunctions = Record<string, () => tf.Tensor>;

/** The engine's tape, which its types keep to themselves. */
interface TapeEngine {
  addTapeNode(kernelName: string, ...rest: unknown[]): void;
  readonly state: {
    readonly activeTape: { gradient?: (dys: tf.Tensor[]) => GradientFunctions }[] | null;
    readonly scopeStack: readonly { readonly name: string }[];
  };
}

/**
 * Says which forward op's gradient is being computed while TensorFlow.js runs its own tape backwards (`tf.grads`,
 * `tf.variableGrads`, `model.fit`), so that those kernels are named as TensorFlow names them: `gradients/<op>_grad/…`.
 *
 * `variableGrads` and `gradients` of @tfparity/training open such name scopes themselves.
 */
export class BackwardScopes implements Disposable {
  private current: string | null = null;
  private last: { readonly kernel: string; readonly name: string } | null = null;
  private readonly counts = new Map<string, number>();
  private readonly engine = tf.engine() as unknown as TapeEngine;
  private readonly restore: () => void;

  constructor() {
    const { engine } = this;
    const own = Object.hasOwn(engine, 'addTapeNode');
    const { addTapeNode } = engine;
    const named = (kernel: string, ...rest: unknown[]) => {
      addTapeNode.call(engine, kernel, ...rest);
      const node = engine.state.activeTape?.at(-1);
      if (node?.gradient === undefined) return;
      const scope = `gradients/${this.nameOf(kernel)}_grad`;
      const { gradient } = node;
      node.gradient = (dys) => {
        const functions = this.within(scope, () => gradient(dys));
        return Object.fromEntries(
          Object.entries(functions).map(([input, compute]) => [input, () => this.within(scope, compute)]),
        );
      };
    };
    engine.addTapeNode = named;
    this.restore = () => {
      if (engine.addTapeNode !== named) return;
      if (own) engine.addTapeNode = addTapeNode;
      else Reflect.deleteProperty(engine, 'addTapeNode');
    };
  }

  /** Where the backward pass is; null in the forward pass, and where another tape names its scopes. */
  scope(): string | null {
    if (this.current !== null) return this.current;
    // What the engine itself computes there is the sum of two contributions.
    return this.engine.state.scopeStack.some(({ name }) => name === 'backward') ? 'gradients' : null;
  }

  /** Notes a kernel call, which the tape is told of next. */
  called(kernel: string, scope: string): void {
    this.last = { kernel, name: this.unique(scope === '' ? kernel : `${scope}/${kernel}`) };
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  /** A function made by `tf.customGrad` is on the tape without a kernel of its own. */
  private nameOf(kernel: string): string {
    if (this.last?.kernel === kernel) return this.last.name;
    return this.unique('CustomGradient');
  }

  private unique(name: string): string {
    const count = this.counts.get(name) ?? 0;
    this.counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }

  private within<T>(scope: string, body: () => T): T {
    const outside = this.current;
    this.current = scope;
    try {
      return body();
    } finally {
      this.current = outside;
    }
  }
}
