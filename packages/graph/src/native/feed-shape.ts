// python/client/session.py, BaseSession._run (TF 2.21): the C API does not look at the shapes of feeds.
import { formatShape } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import { shapeOf } from '../import/collections.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { parseTensorName } from '../import/tensor-name.js';

// Older graphs wrote a shape that is not known as that of a scalar (array_ops.cc, Placeholder).
const SCALARS_SINCE = 24;

/** @throws {GraphError} `WrongValue` for a value of another shape than its placeholder has, in TensorFlow's words */
export function checkFeedShape(
  graph: Pick<ImportedGraph, 'findNode' | 'graphDef'>,
  tensor: string,
  shape: readonly number[],
): void {
  const node = graph.findNode(parseTensorName(tensor).op);
  if (node === undefined || !/^Placeholder/.test(node.op)) return;
  const declared = shapeOf(node.attr.get('shape')?.shape);
  if (declared === undefined) return;
  if (declared.length === 0 && (graph.graphDef.versions?.producer ?? 0) < SCALARS_SINCE) return;
  if (declared.length === shape.length && declared.every((size, i) => size < 0 || size === shape[i])) return;
  const wanted = declared.map((size) => (size < 0 ? null : size));
  throw new GraphError(
    'WrongValue',
    `Cannot feed value of shape ${formatShape(shape)} for Tensor ${tensor}, which has shape ${formatShape(wanted)}`,
    { tensor, expected: wanted, actual: [...shape] },
  );
}
