import { GraphError } from '../graph-error.js';
import { saverNodes } from '../import/check-graph.js';
import type { NodeDef } from '../import/graph-protos.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { parseTensorName } from '../import/tensor-name.js';
import { closureOf, findUnsafe, type UnsafeOp } from '../import/unsafe-ops.js';

/** Keeps a session from running the file ops of a graph's saver, unless a restore or a save was asked for. */
export class SessionSafety {
  private readonly unsafe: Map<string, UnsafeOp[]>;
  private readonly nodes: ReadonlyMap<string, NodeDef>;
  private readonly passed = new Set<string>();

  constructor(private readonly graph: ImportedGraph) {
    const allowed = new Set(graph.allowedOps);
    this.unsafe = new Map(
      [...findUnsafe(graph.graphDef)].filter(([, reached]) => reached.some(({ op }) => !allowed.has(op))),
    );
    this.nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  }

  /** @throws {GraphError} `UnsafeOp` where running the ops, with the fed ones cut off, would reach a file op */
  check(ops: readonly string[], fed: readonly string[]): void {
    if (this.unsafe.size === 0) return;
    const key = `${ops.join(' ')}|${fed.join(' ')}`;
    if (this.passed.has(key)) return;
    for (const name of closureOf(this.nodes, ops, new Set(fed))) {
      const found = this.unsafe.get(name)?.[0];
      if (found === undefined) continue;
      throw new GraphError(
        'UnsafeOp',
        `running this would run '${name}' (${found.op}), which ${found.reason}: call restore or save for it, or allow the op when the graph is imported`,
        { node: name, op: found.op },
      );
    }
    this.passed.add(key);
  }

  /** @throws {GraphError} `UnsafeOp` where the saver reads or writes another file than the one that it is given */
  checkSaver(): void {
    const { saver } = this.graph;
    const given = parseTensorName(saver?.filenameTensorName ?? '').op;
    for (const name of saverNodes(this.graph.graphDef, saver)) {
      const node = this.nodes.get(name);
      if (!this.unsafe.has(name) || node === undefined || node.op === 'MergeV2Checkpoints') continue;
      const file = parseTensorName(node.input[0] ?? '').op;
      if (closureOf(this.nodes, [file]).has(given)) continue;
      throw new GraphError(
        'UnsafeOp',
        `the saver's '${name}' (${node.op}) takes its file's name from '${file}', not from '${given}'`,
        {
          node: name,
          op: node.op,
        },
      );
    }
  }
}
