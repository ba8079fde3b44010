import { noiseGradients } from '@tfparity/training';
import type { LegacySide } from './legacy-side.js';
import { type Engine, MigratedTrainedNet, Tf1TrainedNet, type TrainedNet } from './training-sides.js';

/** Both sides after one forward and backward pass. */
export interface TrainedPair {
  readonly tf1: TrainedNet;
  readonly migrated: TrainedNet;
  /** The gradients whose true value is zero. */
  readonly noise: readonly string[];
}

/** Who runs the graph of a TF1 side that trains: TensorFlow's own session where the side is `lowered`, else it is replayed. */
export function engineOf({ kind }: LegacySide): Engine {
  return kind === 'lowered' ? 'tensorflow' : 'replay';
}

/** Both sides of the training steps: their gradients are computed once, and shared by the steps that need them. */
export class TrainedSides implements Disposable {
  private pair: TrainedPair | undefined;

  constructor(private readonly legacy: LegacySide) {}

  /** The gradients of both sides. */
  gradients(progress: (message: string) => void): TrainedPair {
    this.pair ??= this.compute(progress);
    return this.pair;
  }

  /** Frees the gradients and values that are kept; asked for again, they are computed again. */
  [Symbol.dispose](): void {
    this.pair?.tf1[Symbol.dispose]();
    this.pair?.migrated[Symbol.dispose]();
    this.pair = undefined;
  }

  private compute(progress: (message: string) => void): TrainedPair {
    progress('TF1 side: graph, gradients and session');
    const tf1 = new Tf1TrainedNet(engineOf(this.legacy));
    progress('migrated side: layer and gradients');
    const migrated = new MigratedTrainedNet();
    return { tf1, migrated, noise: noiseGradients(tf1.run.gradients, migrated.run.gradients) };
  }
}
