import type { GraphDef } from './graph-protos.js';

/** Forgets device placement and colocation, in the graph and its functions: they only matter where the devices are. */
export function clearDevices(graph: GraphDef): void {
  for (const nodes of [graph.node, ...(graph.library?.function.map((f) => f.nodeDef) ?? [])]) {
    for (const node of nodes) {
      node.device = '';
      node.attr.delete('_class');
    }
  }
}
