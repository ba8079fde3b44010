import { GraphError, type GraphErrorCode, isGraphError } from '../graph-error.js';
import type { ImportedGraph } from '../import/imported-graph.js';

const PREFIXES = /^(Session fail to run with error: |Failed to load SavedModel: |Failed to delete SavedModel: )/;

/** TensorFlow's error in its own words, tagged, with the node that it names. */
export function tensorFlowError(error: unknown, graph: Pick<ImportedGraph, 'findNode'>): GraphError {
  if (isGraphError(error)) return error;
  const message = (error instanceof Error ? error.message : String(error)).replace(PREFIXES, '');
  const name = /\{\{node ([^}\s]+)\}\}|[Nn]ode:? '([^']+)'/.exec(message);
  const node = name?.[1] ?? name?.[2];
  const op = node === undefined ? undefined : graph.findNode(node)?.op;
  return new GraphError(codeOf(message), message, { node, op }, { cause: error });
}

// The addon passes on the words of a status, and not its code.
function codeOf(message: string): GraphErrorCode {
  if (/^You must feed a value for placeholder tensor/.test(message)) return 'WrongValue';
  if (
    /^(Could not find variable|Attempting to use uninitialized value|Error while reading resource variable)/.test(
      message,
    )
  ) {
    return 'FailedPrecondition';
  }
  return 'TensorFlow';
}
