import type { GraphLimits } from './graph-limits.js';
import type { GraphDef } from './graph-protos.js';
import type { SaverDef } from './meta-graph-protos.js';

export function checkGraph(
  _g: GraphDef,
  _o: { limits: GraphLimits; allowOps: readonly string[]; saver: SaverDef | undefined },
): void {}
