// tf.compat.v1.train.Saver's ops (python/training/saver.py, TF 2.21): one file, every variable under its own name.
import { DTYPES } from '@tfparity/array';
import { AttrListValue, AttrValue, NodeDef } from '../import/graph-protos.js';
import { ImportedGraph } from '../import/imported-graph.js';
import { createMessage } from '../import/message.js';
import { SaverDef } from '../import/meta-graph-protos.js';
import { constAttrs, shapeAttr, typeAttr } from '../lower/node-attributes.js';

const SAVE = 'save';

/** A lowered graph with a saver of its variables, as `tf.train.Saver()` adds one; the same where it has no variables. */
export function withSaver(graph: ImportedGraph): ImportedGraph {
  const variables = graph.variables.filter((variable) => variable.snapshot !== undefined);
  if (variables.length === 0) return graph;
  let scope = SAVE;
  for (let i = 1; graph.nodes.some((node) => node.name.startsWith(`${scope}/`)); i++) scope = `${SAVE}_${i}`;
  const string = DTYPES.string.enumValue;
  const encoder = new TextEncoder();
  const names = variables.map((variable) => encoder.encode(variable.name.replace(/:0$/, '')));
  const slices = variables.map(() => new Uint8Array(0));
  const types = variables.map((variable) => DTYPES[variable.dtype].enumValue);
  const dtypes = new Map([
    ['dtypes', createMessage(AttrValue, { list: createMessage(AttrListValue, { type: types }) })],
  ]);
  const file = `${scope}/Const`;
  const node = (name: string, op: string, input: string[], attr: Map<string, AttrValue>): NodeDef =>
    createMessage(NodeDef, { name: `${scope}/${name}`, op, input, attr });
  const strings = (name: string, values: readonly Uint8Array[]): NodeDef =>
    node(name, 'Const', [], constAttrs(string, [values.length], values));
  const placeholder = new Map([
    ['dtype', typeAttr(string)],
    ['shape', shapeAttr([])],
  ]);
  const assigns = variables.map((variable, i) =>
    node(
      `Assign_${i}`,
      'AssignVariableOp',
      [variable.node, `${scope}/RestoreV2:${i}`],
      new Map([['dtype', typeAttr(types[i]!)]]),
    ),
  );
  const parts = [`${scope}/names`, `${scope}/slices`];
  const added = [
    node('Const', 'Placeholder', [], placeholder),
    strings('names', names),
    strings('slices', slices),
    node('RestoreV2', 'RestoreV2', [file, ...parts], dtypes),
    ...assigns,
    node(
      'restore_all',
      'NoOp',
      assigns.map(({ name }) => `^${name}`),
      new Map(),
    ),
    node('SaveV2', 'SaveV2', [file, ...parts, ...variables.map(({ snapshot }) => snapshot!)], dtypes),
    node('control_dependency', 'Identity', [file, `^${scope}/SaveV2`], new Map([['T', typeAttr(string)]])),
  ];
  const saver = createMessage(SaverDef, {
    filenameTensorName: `${file}:0`,
    saveTensorName: `${scope}/control_dependency:0`,
    restoreOpName: `${scope}/restore_all`,
  });
  const extended = graph.withNodes(added);
  return new ImportedGraph({ ...extended, saver });
}
