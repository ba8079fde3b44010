import type { NdArray } from '@tfparity/array';
import type { ImportedGraph } from '../import/imported-graph.js';
import { arrayFromTensor, type TensorHandle } from './addon.js';
import type { SessionRuns } from './native-session.js';

/** The values of those variables of a session that have one, by name, to be assigned in a session that takes its place. */
export function assignedVariables(
  graph: Pick<ImportedGraph, 'variables'>,
  isSet: ReadonlyMap<string, string>,
  session: Pick<SessionRuns, 'addon' | 'run' | 'release'>,
): Map<string, NdArray> {
  const variables = graph.variables.filter(({ name, initializer }) => initializer !== undefined && isSet.has(name));
  const read = (tensors: readonly string[]): NdArray[] => {
    // A tensor is fetched once: variables that share one share its value.
    const names = [...new Set(tensors)];
    const handles: TensorHandle[] = session.run([], names);
    try {
      const arrays = new Map(names.map((name, i) => [name, arrayFromTensor(session.addon, handles[i]!)]));
      return tensors.map((name) => arrays.get(name)!);
    } finally {
      session.release(handles);
    }
  };
  const flags = read(variables.map(({ name }) => isSet.get(name)!));
  const assigned = variables.filter((_, i) => Number(flags[i]!.data[0]) === 1);
  const values = read(assigned.map(({ snapshot }) => (/:\d+$/.test(snapshot!) ? snapshot! : `${snapshot}:0`)));
  return new Map(assigned.map(({ name }, i) => [name, values[i]!]));
}
