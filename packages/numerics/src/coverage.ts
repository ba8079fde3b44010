type Range = [from: number, to: number];

/** Which elements of an array were seen, as ranges that neither touch nor overlap, in order. */
export class Coverage {
  readonly ranges: Range[] = [];

  /** The first range that a new one shares with those seen. */
  overlap(from: number, to: number): Readonly<Range> | undefined {
    const next = this.ranges[this.#after(from)];
    return next !== undefined && next[0] < to && from < to
      ? [Math.max(from, next[0]), Math.min(to, next[1])]
      : undefined;
  }

  /** Adds a range that overlaps none. */
  add(from: number, to: number): void {
    if (from === to) return;
    const { ranges } = this;
    const at = this.#after(from);
    const [before, next] = [ranges[at - 1], ranges[at]];
    const joinsBefore = before?.[1] === from;
    const joinsNext = next?.[0] === to;
    if (joinsBefore && joinsNext) {
      before[1] = next[1];
      ranges.splice(at, 1);
    } else if (joinsBefore) before[1] = to;
    else if (joinsNext) next[0] = from;
    else ranges.splice(at, 0, [from, to]);
  }

  /** The first range below `size` that was not seen. */
  gap(size: number): Readonly<Range> | undefined {
    const [first, second] = this.ranges;
    if (first === undefined || first[0] > 0) return size > 0 ? [0, first?.[0] ?? size] : undefined;
    return first[1] < size ? [first[1], second?.[0] ?? size] : undefined;
  }

  /** The place of the first range that ends after `from`. */
  #after(from: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle]![1] > from) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
