import { GraphError } from '../graph-error.js';
import type { Operation } from '../operation.js';
import type { RunRequest } from '../session-engine.js';

/** Which random ops have drawn in a session of TensorFlow's: their streams go with it when the graph is loaded anew. */
export class DrawnStreams {
  private readonly drawn = new Set<Operation>();
  private readonly lost = new Set<Operation>();
  private readonly needs = new Map<string, readonly Operation[]>();

  /** Notes that the session was replaced. */
  reloaded(): void {
    for (const op of this.drawn) this.lost.add(op);
    this.drawn.clear();
  }

  /**
   * Notes what a run draws.
   *
   * @throws {GraphError} `Unavailable` where a random op would start its numbers again
   */
  draw(request: RunRequest): void {
    const ops = this.randomOps(request);
    const again = ops.find((op) => this.lost.has(op));
    if (again !== undefined) {
      throw new GraphError(
        'Unavailable',
        `this run needs '${again.name}', which would start afresh: ops were recorded after the first run, so that TensorFlow's session was loaded anew. Record all ops before the first run, or use the engine 'replay'`,
        { node: again.name, callSite: again.callSite },
      );
    }
    for (const op of ops) this.drawn.add(op);
  }

  private randomOps({ fetches, targets, feeds }: RunRequest): readonly Operation[] {
    const fed = new Set(feeds.keys());
    const key = [fetches.map(({ op }) => op.id), targets.map(({ id }) => id), [...fed].map(({ op }) => op.id)].join(
      '|',
    );
    const known = this.needs.get(key);
    if (known !== undefined) return known;
    const found = new Set<Operation>();
    const waiting = [...fetches.filter((ref) => !fed.has(ref)).map(({ op }) => op), ...targets];
    for (let op = waiting.pop(); op !== undefined; op = waiting.pop()) {
      if (found.has(op)) continue;
      found.add(op);
      waiting.push(...op.controlInputs, ...op.inputs.filter((ref) => !fed.has(ref)).map((ref) => ref.op));
    }
    const random = [...found].filter((op) => op.attrs['stream'] !== undefined);
    this.needs.set(key, random);
    return random;
  }
}
