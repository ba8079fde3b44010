// Checkpoints by TensorFlow's own writer where it is loaded.
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { DTYPES, type DType } from '@tfparity/array';
import { writeCheckpoint } from '@tfparity/checkpoint';
import { type ImportedGraph, importGraphDef, TensorFlowSession } from '@tfparity/graph';

type NodeDef = ImportedGraph['nodes'][number];
type Attribute = NodeDef['attr'] extends Map<string, infer A> ? A : never;

/** Who wrote a checkpoint. */
export type Writer = 'TensorFlow SaveV2' | '@tfparity/checkpoint';

function node(name: string, op: string, input: string[], attr: Record<string, Attribute>): NodeDef {
  return { name, op, input, device: '', attr: new Map(Object.entries(attr)) };
}

function placeholder(name: string, dtype: DType): NodeDef {
  return node(name, 'Placeholder', [], {
    dtype: { type: DTYPES[dtype].enumValue },
    shape: { shape: { dim: [], unknownRank: true } },
  });
}

/** A graph of one `SaveV2`, whose file, names and values are all fed. */
function saverGraph(dtypes: readonly DType[]): ImportedGraph {
  const strings = ['file', 'names', 'slices'];
  const values = dtypes.map((_, i) => `value_${i}`);
  const type = dtypes.map((dtype) => DTYPES[dtype].enumValue);
  const list = { type, s: [], i: [], f: [], b: [], shape: [], tensor: [], func: [] };
  return importGraphDef(new Uint8Array(0), { allowOps: ['SaveV2'] }).withNodes([
    ...strings.map((name) => placeholder(name, 'string')),
    ...values.map((name, i) => placeholder(name, dtypes[i]!)),
    node('save', 'SaveV2', [...strings, ...values], { dtypes: { list } }),
  ]);
}

function saveV2(prefix: string, variables: ReadonlyMap<string, tf.Tensor>): void {
  const tensors = [...variables.values()];
  using session = new TensorFlowSession(saverGraph(tensors.map(({ dtype }) => dtype as DType)));
  session.run('save', [
    ['file', resolve(prefix)],
    ['names', [...variables.keys()]],
    // An empty specification is the whole tensor.
    ['slices', tensors.map(() => '')],
    ...tensors.map((tensor, i) => [`value_${i}`, tensor] as const),
  ]);
}

/**
 * Writes a name-based checkpoint: by TensorFlow's `SaveV2` kernel where that runs in this process, else by our writer.
 *
 * @returns who wrote it
 */
export async function saveByName(prefix: string, variables: ReadonlyMap<string, tf.Tensor>): Promise<Writer> {
  if (tf.getBackend() === 'tensorflow') {
    saveV2(prefix, variables);
    return 'TensorFlow SaveV2';
  }
  await writeCheckpoint(prefix, variables);
  return '@tfparity/checkpoint';
}
