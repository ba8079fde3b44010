import { formatShape, type NdArray, sameShape } from '@tfparity/array';
import { type ImportedGraph, TensorFlowSession } from '@tfparity/graph';
import { leavesOf, type Tree } from '@tfparity/numerics';
import type { NameTree } from './imported-side.js';
import type { ModelInputs } from './model-side.js';
import { inputItems } from './tensor-tree.js';
import { ValidateError } from './validate-error.js';

/** Which tensor of a graph one end point of the migrated side is taken for. */
export interface TensorMatch {
  /** Path in the migrated side's outputs: `endPoints/Mixed_5b`. */
  readonly endPoint: string;
  /** `net/Mixed_5b/concat:0`; null where none fits. */
  readonly tensor: string | null;
  /** `name`: an op of that name. `scope`: the last op in the scope of that name. `shape`: the only output of that shape. */
  readonly by: 'name' | 'scope' | 'shape' | null;
  /** Others that fit as well, nearest first, to be put in its place by hand. */
  readonly others: readonly string[];
}

/** A map from the migrated side's outputs to a graph's tensors, to be looked at, kept as JSON, and given as `outputs`. */
export interface TensorMap {
  readonly format: 'tfparity-tensor-map';
  readonly version: 1;
  /** In the nesting of the migrated side's outputs; what nothing fits is left out. */
  readonly outputs: NameTree;
  readonly matches: readonly TensorMatch[];
}

/** Ops that compute nothing of the model, or only hand on. */
const NO_END_POINTS = new Set(
  (
    'Const Placeholder PlaceholderWithDefault VariableV2 VarHandleOp Variable Assign AssignVariableOp ReadVariableOp NoOp ' +
    'SaveV2 RestoreV2 MergeV2Checkpoints Shape IsVariableInitialized VarIsInitializedOp'
  ).split(' '),
);

const MOST_OTHERS = 5;

interface Candidate {
  readonly name: string;
  readonly by: NonNullable<TensorMatch['by']>;
}

/** Node names of a graph, as end points are looked for in them. */
class NodeNames {
  private readonly computed: readonly string[];
  private readonly last: readonly string[];

  constructor(graph: ImportedGraph) {
    const nodes = graph.nodes.filter(({ op }) => !NO_END_POINTS.has(op));
    this.computed = nodes.map(({ name }) => name);
    const consumed = new Set(graph.nodes.flatMap(({ input }) => input.map((name) => name.replace(/^\^|:\d+$/g, ''))));
    this.last = this.computed.filter((name) => !consumed.has(name));
  }

  candidates(endPoint: string): Candidate[] {
    const parts = endPoint.split(/[./]/);
    const word = parts.at(-1)!.toLowerCase();
    const parent = parts.at(-2)?.toLowerCase();
    const named = this.computed.filter((name) => name.toLowerCase().split('/').at(-1) === word);
    // The same word stands in many scopes: those that know the path before it come first.
    const near = named.filter((name) => name.toLowerCase().split('/').at(-2) === parent);
    const inside = this.computed.filter((name) => name.toLowerCase().split('/').slice(0, -1).includes(word)).reverse();
    const shallow = Math.min(...inside.map((name) => name.split('/').length));
    const direct = inside.filter((name) => name.split('/').length === shallow);
    const of = (names: readonly string[], by: Candidate['by']) => names.map((name): Candidate => ({ name, by }));
    const all = [...of(near, 'name'), ...of(named, 'name'), ...of(direct, 'scope'), ...of(this.last, 'shape')];
    return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i).slice(0, 4 * MOST_OTHERS);
  }
}

/** Values by tensor name, of those that can be computed from the feeds. */
function shapesOf(
  session: TensorFlowSession,
  names: readonly string[],
  feeds: readonly (readonly [string, NdArray])[],
) {
  const shapes = new Map<string, readonly number[]>();
  const note = (wanted: readonly string[]): void => {
    const values = session.runArrays(
      wanted.map((name) => `${name}:0`),
      feeds as never,
    ) as NdArray[];
    for (const [i, name] of wanted.entries()) shapes.set(name, values[i]!.shape);
  };
  try {
    note(names);
  } catch {
    // One that wants another feed must not take the others with it.
    for (const name of names) {
      try {
        note([name]);
      } catch {
        shapes.delete(name);
      }
    }
  }
  return shapes;
}

const isLeaf = (tree: Tree): tree is NdArray => typeof tree === 'object' && tree !== null && 'dtype' in tree;

/** The tree with the names of tensors in the place of its arrays, which come in the order of `matches`. */
function nested(tree: Tree, matches: Iterator<TensorMatch>): NameTree | undefined {
  if (isLeaf(tree)) return matches.next().value?.tensor ?? undefined;
  if (typeof tree !== 'object' || tree === null) return undefined;
  const entries = tree instanceof Map ? [...(tree as Map<string, Tree>)] : Object.entries(tree as Record<string, Tree>);
  const kept = entries.flatMap(([name, item]): [string, NameTree][] => {
    const names = nested(item, matches);
    return names === undefined ? [] : [[name, names]];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/**
 * Proposes which tensors of an imported graph the migrated side's end points are: by the names of ops, by the last op of
 * the scope of that name, and by shape among the graph's last ops. Each has the end point's shape when both are run on
 * `values`. It is a proposal, to be read before it is used.
 *
 * @param inputs   names of the tensors to feed, in the structure of `values`
 * @param outputs  what the migrated side returned for `values`
 * @throws {ValidateError} `InvalidArgument` where nothing fits; needs the backend `tensorflow`
 */
export function proposeTensorMap(
  {
    graph,
    inputs,
    initialize,
  }: { readonly graph: ImportedGraph; readonly inputs: ModelInputs<string>; readonly initialize?: string },
  values: ModelInputs<NdArray>,
  outputs: Tree,
): TensorMap {
  const names = inputNames(inputs);
  const feeds = inputItems(values).map(({ value }, i) => [names[i]!, value] as const);
  const nodes = new NodeNames(graph);
  const points = leavesOf(outputs).map(({ name, value }) => ({ name, shape: (value as NdArray).shape }));
  const candidates = new Map(points.map(({ name }) => [name, nodes.candidates(name)]));
  using session = new TensorFlowSession(graph);
  if (initialize !== undefined) session.runArrays(initialize);
  else if (graph.variables.length > 0) session.initialize();
  const wanted = [...new Set([...candidates.values()].flat().map(({ name }) => name))];
  const shapes = shapesOf(session, wanted, feeds);
  const matches = points.map(({ name, shape }): TensorMatch => {
    const fitting = candidates.get(name)!.filter((each) => {
      const found = shapes.get(each.name);
      return found !== undefined && sameShape(found, shape);
    });
    const [best, ...rest] = fitting;
    const others = rest.slice(0, MOST_OTHERS).map((each) => `${each.name}:0`);
    // A shape alone says enough only where nothing else has it.
    if (best === undefined || (best.by === 'shape' && rest.length > 0))
      return {
        endPoint: name,
        tensor: null,
        by: null,
        others: best === undefined ? [] : [`${best.name}:0`, ...others],
      };
    return { endPoint: name, tensor: `${best.name}:0`, by: best.by, others };
  });
  if (matches.every(({ tensor }) => tensor === null)) {
    const wantedShapes = points.map(({ name, shape }) => `${name} ${formatShape(shape)}`).join(', ');
    throw new ValidateError('InvalidArgument', `the graph has no tensor that fits any of ${wantedShapes}`, { matches });
  }
  return { format: 'tfparity-tensor-map', version: 1, outputs: nested(outputs, matches.values()) ?? {}, matches };
}

const inputNames = (inputs: ModelInputs<string>): readonly string[] =>
  typeof inputs === 'string' ? [inputs] : Array.isArray(inputs) ? (inputs as readonly string[]) : Object.values(inputs);
