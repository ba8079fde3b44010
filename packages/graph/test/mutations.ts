/** A generator of numbers in [0, n): the same for the same seed (mulberry32). */
export function randomOf(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A damaged copy: some bytes flipped, set, removed, repeated or swapped for others of the file. */
export function mutate(bytes: Uint8Array, random: (n: number) => number): Uint8Array {
  let copy = bytes.slice();
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(copy.length);
    const kind = random(6);
    if (kind === 0) copy[at] = copy[at]! ^ (1 << random(8));
    else if (kind === 1) copy[at] = random(256);
    else if (kind === 2) copy[at] = 255;
    else if (kind === 3) copy.copyWithin(at, random(copy.length), Math.min(copy.length, at + 1 + random(16)));
    else {
      const length = 1 + random(32);
      const rest = kind === 4 ? copy.subarray(at + length) : copy.subarray(Math.max(0, at - length));
      const joined = new Uint8Array(at + rest.length);
      joined.set(copy.subarray(0, at));
      joined.set(rest, at);
      copy = joined;
    }
  }
  return copy;
}
