import { DTYPES } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import { AttrValue, FunctionDef, GraphDef, NameAttrList, NodeDef, OpDef } from '../import/graph-protos.js';
import { ImportedGraph } from '../import/imported-graph.js';
import { createMessage } from '../import/message.js';
import { constAttrs, shapeAttr, typeAttr } from '../lower/node-attributes.js';
import { arrayFromTensor, nativeBackend } from './addon.js';
import { withFunctions } from './function-library.js';
import { NativeSession } from './native-session.js';
import { ADDED } from './session-graph.js';

/** The tensor to fetch beside others in every run that TensorFlow's optimizer is to leave alone. */
export const OPTIMIZER_OFF = `${ADDED}/optimizer_off:0`;

const FUNCTION = `${ADDED}_never_optimized`;
const BINDING = '_tfparity';

/**
 * The graph with a constant whose being fetched turns TensorFlow's graph optimizer off for that run.
 *
 * tfjs-node passes `TF_LoadSessionFromSavedModel` no options, and no environment variable turns Grappler off. But
 * TensorFlow runs a graph as it is where optimizing it fails, and optimizing it fails where a function that it mentions
 * cannot be instantiated without attributes (meta_optimizer.cc, MakeGrapplerFunctionItem). The function mentioned here is
 * one, by a placeholder where nothing but instantiation looks; it is called by nobody, and everything else that walks
 * through functions instantiates it with its own attributes.
 */
export function withOptimizerSwitch(graph: ImportedGraph): ImportedGraph {
  const binding = createMessage(AttrValue, { placeholder: BINDING });
  const mention = createMessage(NameAttrList, { name: FUNCTION, attr: new Map([['unbound', binding]]) });
  const body = createMessage(NodeDef, {
    name: 'never',
    op: 'NoOp',
    attr: new Map([['_mentions', createMessage(AttrValue, { func: mention })]]),
  });
  const never = createMessage(FunctionDef, {
    signature: createMessage(OpDef, { name: FUNCTION }),
    attr: new Map([[BINDING, createMessage(AttrValue, { i: 0n })]]),
    nodeDef: [body],
  });
  const mentions = createMessage(AttrValue, { func: createMessage(NameAttrList, { name: FUNCTION }) });
  const node = createMessage(NodeDef, {
    name: OPTIMIZER_OFF.replace(/:0$/, ''),
    op: 'Const',
    attr: new Map([...constAttrs(DTYPES.int32.enumValue, [], new Uint8Array(4)), ['_mentions', mentions]]),
  });
  return withFunctions(graph, [node], [never]);
}

let proven: boolean | undefined;

/**
 * Makes sure, once in a process, that the switch works with the TensorFlow that is loaded.
 *
 * @throws {GraphError} `Unavailable` where its optimizer rewrites x / 3 all the same
 */
export function proveOptimizerOff(): void {
  proven ??= divisionStays();
  if (proven) return;
  throw new GraphError(
    'Unavailable',
    "this version of TensorFlow optimizes graphs whatever is done, and tfjs-node passes its session no options; the engine 'replay' runs a graph as it is",
    { version: nativeBackend().binding.TF_Version },
  );
}

/** Whether x / 3 in a session is the division, and not the product with 1 / 3 that Grappler makes of it. */
function divisionStays(): boolean {
  const { enumValue: float } = DTYPES.float32;
  const values = Float32Array.from({ length: 64 }, (_, i) => i + 1);
  const three = Float32Array.of(3);
  const T = new Map([['T', typeAttr(float)]]);
  const placeholder = new Map([
    ['dtype', typeAttr(float)],
    ['shape', shapeAttr([values.length])],
  ]);
  const node = [
    createMessage(NodeDef, { name: 'x', op: 'Placeholder', attr: placeholder }),
    createMessage(NodeDef, { name: 'c', op: 'Const', attr: constAttrs(float, [], new Uint8Array(three.buffer)) }),
    createMessage(NodeDef, { name: 'square', op: 'Square', input: ['x'], attr: T }),
    createMessage(NodeDef, { name: 'y', op: 'RealDiv', input: ['square', 'c'], attr: T }),
  ];
  const graphDef = createMessage(GraphDef, { node });
  const graph = withOptimizerSwitch(new ImportedGraph({ graphDef, source: 'graphDef' }));
  const session = new NativeSession(graph, { graphDef: graph.graphDef });
  try {
    const x = { dtype: 'float32' as const, shape: [values.length], data: values };
    const handles = session.run([['x:0', x]], ['y:0', OPTIMIZER_OFF]);
    const { data } = arrayFromTensor(session.addon, handles[0]!);
    session.release(handles);
    return values.every((v, i) => data[i] === Math.fround(Math.fround(v * v) / 3));
  } finally {
    session.close();
  }
}
