// The generators that our kernels continue: what TensorFlow keeps in its cache of eager kernels and in a session's nodes.
import { RandomOp, type RandomOpAttributes, type RandomOpName } from './random-op.js';
import { onStreamsReleased } from './seed-context.js';

const states = new Map<string, RandomOp>();
let listening = false;

/** The generator of an op with these attributes in this stream, made on first use; every draw continues it. */
export function randomState(stream: string, op: RandomOpName, attributes: RandomOpAttributes): RandomOp {
  if (!listening) {
    listening = true;
    onStreamsReleased((prefix) => {
      for (const key of states.keys()) if (key.startsWith(prefix)) states.delete(key);
    });
  }
  const key = `${stream}|${op}|${attributes.dtype}|${attributes.seed}|${attributes.seed2}`;
  let state = states.get(key);
  if (state === undefined) {
    state = new RandomOp(op, attributes);
    states.set(key, state);
  }
  return state;
}

/** How many generators are being kept. */
export function randomStateCount(): number {
  return states.size;
}
