// Ports graph collections (Graph.add_to_collection, get_collection; python/framework/ops.py, TF 2.21).
/** The collections of one context: ordered lists under names. */
export class Collections {
  private readonly lists = new Map<string, unknown[]>();

  add(name: string, value: unknown): void {
    this.ref(name).push(value);
  }

  /** A copy of a collection; with `scope`, only the items whose `name` matches that regular expression at its start. */
  get(name: string, scope?: string): unknown[] {
    const items = this.lists.get(name) ?? [];
    if (scope === undefined) return [...items];
    const pattern = new RegExp(`^(?:${scope})`);
    return items.filter((item) => {
      const named = item as { name?: unknown } | null;
      return typeof named?.name === 'string' && pattern.test(named.name);
    });
  }

  /** The collection itself: what is added to it is added to the collection. */
  ref(name: string): unknown[] {
    const items = this.lists.get(name) ?? [];
    this.lists.set(name, items);
    return items;
  }

  clear(name: string): void {
    this.lists.delete(name);
  }

  keys(): string[] {
    return [...this.lists.keys()];
  }
}
