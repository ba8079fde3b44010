import { GraphError } from '../graph-error.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import type { FeedValue } from './feed-value.js';

/** One run that assigns variables: their values, fed in place of the initial values, and the assign ops to run. */
export interface AssignRun {
  readonly feeds: readonly (readonly [string, FeedValue])[];
  readonly ops: readonly string[];
}

/**
 * How to give variables values in a graph that cannot be added to: each one's own initializer runs, with the value fed
 * in place of the initial value. Variables that share an initial value take turns.
 */
export function variableFeeds(
  graph: ImportedGraph,
  values: Readonly<Record<string, FeedValue>> | ReadonlyMap<string, FeedValue>,
): AssignRun[] {
  const byName = new Map(graph.variables.map((variable) => [variable.name, variable]));
  const runs: { feeds: Map<string, FeedValue>; ops: string[] }[] = [];
  for (const [given, value] of values instanceof Map ? values : Object.entries(values)) {
    const name = given.includes(':') ? given : `${given}:0`;
    const variable = byName.get(name);
    if (variable === undefined) {
      throw new GraphError('NotFound', `the graph has no variable '${name}'`, { name });
    }
    const initializer = variable.initializer === undefined ? undefined : graph.findNode(variable.initializer);
    const source = initializer?.input[1];
    if (initializer === undefined || source === undefined || !/^Assign/.test(initializer.op)) {
      throw new GraphError('NotFound', `the variable '${name}' has no initializer to assign a value by`, { name });
    }
    let run = runs.find((other) => !other.feeds.has(source));
    if (run === undefined) {
      run = { feeds: new Map(), ops: [] };
      runs.push(run);
    }
    run.feeds.set(source, value as FeedValue);
    run.ops.push(initializer.name);
  }
  return runs.map(({ feeds, ops }) => ({ feeds: [...feeds], ops }));
}
