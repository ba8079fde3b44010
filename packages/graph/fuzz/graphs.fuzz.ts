import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenPath, useBackend } from '@tfparity/testing';
import { beforeAll, expect, it } from 'vitest';
import { importGraphDef } from '../src/import/frozen-graph.js';
import { GraphDef } from '../src/import/graph-protos.js';
import type { ImportedGraph } from '../src/import/imported-graph.js';
import { decodeMessage, encodeMessage } from '../src/import/message.js';
import { importMetaGraph } from '../src/import/meta-graph.js';
import { MetaGraphDef, SavedModel } from '../src/import/meta-graph-protos.js';
import { closureOf, SAVER_OPS } from '../src/import/unsafe-ops.js';
import { isGraphError, TensorFlowSession } from '../src/index.js';
import { mutate, mutateGraph, randomOf } from '../test/mutations.js';

// npm run fuzz: mutations of golden graphs are imported, and what passes is loaded and run by TensorFlow in this process.
const COUNT = Number(process.env['FUZZ_COUNT'] ?? 10_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const limits = { constantValues: 2 ** 20 };
const random = randomOf(SEED);

type Reader = (bytes: Uint8Array) => ImportedGraph;

const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(goldenPath(name)));
const metaGraph: Reader = (bytes) => importMetaGraph(bytes, { limits });
const graphDef: Reader = (bytes) => importGraphDef(bytes, { limits });
const withSaver: Reader = (bytes) => importGraphDef(bytes, { limits, allowOps: [...SAVER_OPS] });

/** The graph of a TF2 SavedModel, which has functions. */
function functionsOf(folder: string): Uint8Array {
  const { metaGraphs } = decodeMessage(SavedModel, bytesOf(join(folder, 'saved_model.pb')));
  return encodeMessage(GraphDef, metaGraphs[0]!.graphDef!);
}

/** The part of a net's graph that some of its tensors need: small enough to be read ten thousand times. */
function partOf(name: string, ends: RegExp): Uint8Array {
  const { graphDef } = decodeMessage(MetaGraphDef, bytesOf(name));
  const nodes = new Map(graphDef!.node.map((node) => [node.name, node]));
  const roots = [...nodes.keys()].filter((node) => ends.test(node));
  const needed = closureOf(nodes, roots);
  return encodeMessage(GraphDef, { ...graphDef!, node: graphDef!.node.filter((node) => needed.has(node.name)) });
}

const NETS = ['infer', 'train', 'constant'];
const netFile = (mode: string): string => `graphs/inception_resnet_v2.${mode}.meta`;
// The first layers with their initializers, and in training their update ops and the dropout's random op.
const LAYERS =
  /^(InceptionResnetV2\/){1,2}Conv2d_[12]a_3x3\/(Relu|weights\/Assign|BatchNorm\/(AssignMovingAvg|moving_mean\/Assign))/;

const corpus: { name: string; bytes: () => Uint8Array; read: Reader; count: number }[] = [
  ...(['checkpoints/tf1_graph.ckpt-3.meta', 'checkpoints/v2_partitioned.meta'] as const).map((name) => ({
    name,
    bytes: () => bytesOf(name),
    read: metaGraph,
    count: COUNT,
  })),
  { name: 'tf1_frozen.pb', bytes: () => bytesOf('checkpoints/tf1_frozen.pb'), read: graphDef, count: COUNT },
  { name: 'saved_model', bytes: () => functionsOf('checkpoints/saved_model'), read: withSaver, count: COUNT },
  ...NETS.flatMap((mode) => [
    { name: `layers of ${mode}`, bytes: () => partOf(netFile(mode), LAYERS), read: graphDef, count: COUNT },
    { name: `all of ${mode}`, bytes: () => bytesOf(netFile(mode)), read: metaGraph, count: Math.ceil(COUNT / 50) },
  ]),
];

beforeAll(() => useBackend('tensorflow'));

it.each(corpus)(
  'survives $count mutations of $name',
  ({ bytes, read, count }) => {
    const original = bytes();
    const counts: Record<string, number> = {};
    const note = (what: string): void => {
      counts[what] = (counts[what] ?? 0) + 1;
    };
    const attempt = (what: string, make: () => ImportedGraph): void => {
      try {
        const graph = make();
        note('imported');
        using session = new TensorFlowSession(graph);
        note('loaded');
        if (graph.variables.length > 0) session.initialize();
        note('run');
      } catch (error) {
        if (!isGraphError(error)) throw new Error(`${what} of seed ${SEED}`, { cause: error });
        note(error.code);
      }
    };
    const graph = read(original);
    for (let i = 0; i < count; i++) {
      // Bytes that are damaged, and then a sound protobuf of a graph that is nonsense.
      attempt(`mutation ${i}`, () => read(mutate(original, random)));
      if (count < COUNT) continue;
      attempt(`nonsense ${i}`, () => withSaver(encodeMessage(GraphDef, mutateGraph(graph.graphDef, random))));
      attempt(`unsafe ${i}`, () => graphDef(encodeMessage(GraphDef, mutateGraph(graph.graphDef, random))));
    }
    console.log(counts);
    // Of few mutations of a large file, all may be malformed.
    const kinds = count < COUNT ? ['Malformed'] : ['Malformed', 'imported', 'loaded'];
    for (const kind of kinds) expect(counts[kind], kind).toBeGreaterThan(0);
  },
  7_200_000,
);
