import { expect, it } from 'vitest';
import * as main from '../src/index.js';
import * as node from '../src/node.js';

it('exports these names and no others', () => {
  expect(Object.keys(main).sort()).toMatchInlineSnapshot(`
    [
      "BlobSource",
      "BytesSource",
      "Checkpoint",
      "CheckpointError",
      "FileMap",
      "MemorySink",
      "OptimizerState",
      "assignFromCheckpoint",
      "castArray",
      "coverage",
      "filterVariables",
      "formatCoverage",
      "initFromCheckpoint",
      "invertLayouts",
      "isCheckpointError",
      "latestCheckpoint",
      "mapCheckpoint",
      "nameMap",
      "openCheckpoint",
      "planAssignFromCheckpoint",
      "planInitFromCheckpoint",
      "transposeArray",
      "writeCheckpoint",
      "writeObjectCheckpoint",
    ]
  `);
  expect(Object.keys(node).sort()).toMatchInlineSnapshot(`
    [
      "FileSource",
      "Folder",
    ]
  `);
});
