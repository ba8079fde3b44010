/** The `k` greatest keys offered so far with their indices; of equal keys the one of the lower index stays. */
export class TopList {
  readonly keys: number[] = [];
  readonly indices: number[] = [];

  constructor(readonly k: number) {}

  /** Whether an element would enter: its key is among the greatest, or equal to the last at a lower index. */
  admits(key: number, index: number): boolean {
    if (this.keys.length < this.k) return true;
    if (this.k === 0) return false;
    const last = this.keys[this.k - 1]!;
    return key > last || (key === last && index < this.indices[this.k - 1]!);
  }

  offer(key: number, index: number): void {
    if (!this.admits(key, index)) return;
    const { keys, indices } = this;
    let at = keys.length;
    while (at > 0 && (keys[at - 1]! < key || (keys[at - 1] === key && indices[at - 1]! > index))) at--;
    keys.splice(at, 0, key);
    indices.splice(at, 0, index);
    if (keys.length > this.k) {
      keys.pop();
      indices.pop();
    }
  }

  merge(other: TopList): void {
    other.keys.forEach((key, i) => {
      this.offer(key, other.indices[i]!);
    });
  }
}
