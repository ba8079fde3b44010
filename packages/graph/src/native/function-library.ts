import { type FunctionDef, FunctionDefLibrary, type NodeDef } from '../import/graph-protos.js';
import { ImportedGraph } from '../import/imported-graph.js';
import { createMessage } from '../import/message.js';

/** The same graph with more nodes and more functions in its library. */
export function withFunctions(
  graph: ImportedGraph,
  nodes: readonly NodeDef[],
  functions: readonly FunctionDef[],
): ImportedGraph {
  const { graphDef } = graph;
  const library = createMessage(FunctionDefLibrary, {
    ...graphDef.library,
    function: [...(graphDef.library?.function ?? []), ...functions],
  });
  return new ImportedGraph({ ...graph, graphDef: { ...graphDef, library, node: [...graph.nodes, ...nodes] } });
}
