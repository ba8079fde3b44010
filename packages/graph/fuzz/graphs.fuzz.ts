import { readFileSync } from 'node:fs';
import { goldenPath, useBackend } from '@tfparity/testing';
import { beforeAll, expect, it } from 'vitest';
import { importGraphDef } from '../src/import/frozen-graph.js';
import { GraphDef } from '../src/import/graph-protos.js';
import type { ImportedGraph } from '../src/import/imported-graph.js';
import { encodeMessage } from '../src/import/message.js';
import { importMetaGraph } from '../src/import/meta-graph.js';
import { SAVER_OPS } from '../src/import/unsafe-ops.js';
import { isGraphError, TensorFlowSession } from '../src/index.js';
import { mutate, mutateGraph, randomOf } from '../test/mutations.js';

// npm run fuzz: mutations of golden graphs are imported, and what passes is loaded and run by TensorFlow in this process.
const COUNT = Number(process.env['FUZZ_COUNT'] ?? 10_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const allowOps = [...SAVER_OPS];
const limits = { constantValues: 2 ** 20 };

// A graph that is sound as a protobuf and says nonsense.
const reread = (graph: ImportedGraph): ImportedGraph =>
  importGraphDef(encodeMessage(GraphDef, mutateGraph(graph.graphDef, random)), { limits, allowOps });
const random = randomOf(SEED);

const files: [string, (bytes: Uint8Array) => ImportedGraph][] = [
  ['checkpoints/tf1_graph.ckpt-3.meta', (bytes) => importMetaGraph(bytes, { limits })],
  ['checkpoints/tf1_frozen.pb', (bytes) => importGraphDef(bytes, { limits })],
  ['checkpoints/v2_partitioned.meta', (bytes) => importMetaGraph(bytes, { limits })],
];

beforeAll(() => useBackend('tensorflow'));

it(`survives ${COUNT} mutations of each golden graph`, { timeout: 3_600_000 }, () => {
  const counts: Record<string, number> = {};
  const note = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  for (const [name, read] of files) {
    const bytes = new Uint8Array(readFileSync(goldenPath(name)));
    for (let i = 0; i < COUNT; i++) {
      try {
        const graph = read(mutate(bytes, random));
        note('imported');
        using session = new TensorFlowSession(graph);
        note('loaded');
        if (graph.variables.length > 0) session.initialize();
        note('initialised');
      } catch (error) {
        if (!isGraphError(error)) throw new Error(`${name}, mutation ${i} of seed ${SEED}`, { cause: error });
        note(error.code);
      }
    }
  }
  for (const [name, read] of files) {
    const graph = read(new Uint8Array(readFileSync(goldenPath(name))));
    for (let i = 0; i < COUNT; i++) {
      try {
        const nonsense = reread(graph);
        note('nonsense imported');
        new TensorFlowSession(nonsense).close();
        note('nonsense loaded');
      } catch (error) {
        if (!isGraphError(error)) throw new Error(`${name}, nonsense ${i} of seed ${SEED}`, { cause: error });
        note(error.code);
      }
    }
  }
  console.log(counts);
  expect(counts['Malformed']).toBeGreaterThan(0);
});
