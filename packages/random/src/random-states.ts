// The generators that our kernels continue: what TensorFlow keeps in its cache of eager kernels and in a session's nodes.
import { RandomOp, type RandomOpAttributes, type RandomOpName } from './random-op.js';
import { onStreamsReleased } from './seed-context.js';

const states = new Map<string, RandomOp>();
const nativeStreams = new Map<string, string>();
let nativeStreamCount = 0;
let listening = false;

function listen(): void {
  if (listening) return;
  listening = true;
  onStreamsReleased((prefix) => {
    for (const map of [states, nativeStreams]) {
      for (const key of map.keys()) if (key.startsWith(prefix)) map.delete(key);
    }
  });
}

/** The generator of an op with these attributes in this stream, made on first use; every draw continues it. */
export function randomState(stream: string, op: RandomOpName, attributes: RandomOpAttributes): RandomOp {
  listen();
  const key = `${stream}|${op}|${attributes.dtype}|${attributes.seed}|${attributes.seed2}`;
  let state = states.get(key);
  if (state === undefined) {
    state = new RandomOp(op, attributes);
    states.set(key, state);
  }
  return state;
}

/**
 * What a stream is called in TensorFlow's cache of kernels: never the same again once the stream was released, because
 * the cache itself keeps what it has.
 */
export function nativeStream(stream: string): string {
  listen();
  let name = nativeStreams.get(stream);
  if (name === undefined) {
    nativeStreamCount += 1;
    name = `${stream}#${nativeStreamCount}`;
    nativeStreams.set(stream, name);
  }
  return name;
}

/** How many generators and stream names are being kept. */
export function randomStateCount(): number {
  return states.size + nativeStreams.size;
}
