import { ArgDef, AttrListValue, AttrValue, FunctionDef, NameAttrList, NodeDef, OpDef } from '../import/graph-protos.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { createMessage } from '../import/message.js';
import { outputTypes } from '../import/node-arguments.js';
import { outputNames } from '../import/op-output-names.js';
import { opSignature } from '../import/op-registry.js';
import { argumentShapes } from './argument-shapes.js';
import { type StagedNode, stagesOf } from './function-stages.js';

/** A run whose computation is in functions: what is added to the graph, and what to fetch in place of each fetch. */
export interface FunctionCalls {
  readonly nodes: readonly NodeDef[];
  readonly functions: readonly FunctionDef[];
  readonly fetches: readonly string[];
  /** The ops of the graph that the run needs. */
  readonly needed: ReadonlySet<string>;
}

/**
 * Puts what a run computes into functions that are called with a `ConfigProto` of their own: TensorFlow optimizes the body
 * of a function when it is first called, by the passes that the call's `config_proto` says. What has state (variables,
 * random ops) stays in the graph around the calls.
 *
 * @param prefix  stands before the names of what is added
 * @throws {GraphError} `Unavailable` for control flow of TF1
 */
export function callFunctions(
  graph: ImportedGraph,
  fetches: readonly string[],
  fed: ReadonlySet<string>,
  configProto: Uint8Array,
  prefix: string,
): FunctionCalls {
  const staged = stagesOf((name) => graph.findNode(name), fetches, fed);
  return new CallBuilder(graph, staged, fed, configProto, prefix).build(fetches);
}

interface Stage {
  readonly nodes: StagedNode[];
  /** Tensors that come in, by name, and those that are used elsewhere. */
  readonly inputs: Map<string, number>;
  readonly outputs: Map<string, number>;
  readonly controls: Set<string>;
}

class CallBuilder {
  private readonly stages: Stage[] = [];
  private readonly nodes: NodeDef[] = [];
  private readonly functions: FunctionDef[] = [];
  /** Nodes with state whose inputs are computed in functions, by the names of their copies. */
  private readonly copies = new Map<string, string>();

  constructor(
    private readonly graph: ImportedGraph,
    private readonly staged: ReadonlyMap<string, StagedNode>,
    private readonly fed: ReadonlySet<string>,
    private readonly configProto: Uint8Array,
    private readonly prefix: string,
  ) {}

  build(fetches: readonly string[]): FunctionCalls {
    for (const each of this.staged.values()) {
      if (each.where === 'stage') this.stageAt(each.stage).nodes.push(each);
      else if (each.where === 'outside' && each.inputs.some((input) => this.moved(input.op))) {
        this.copies.set(each.node.name, `${this.prefix}/${each.node.name}`);
      }
    }
    const needed = new Set(this.staged.keys());
    if (this.stages.length === 0) return { nodes: [], functions: [], fetches, needed };
    for (const each of this.staged.values()) this.connect(each);
    for (const fetch of fetches) this.use(fetch);
    this.stages.forEach((stage, i) => {
      if (stage !== undefined) this.emitStage(stage, i);
    });
    for (const [name, copy] of this.copies) this.emitCopy(this.staged.get(name)!, copy);
    const { nodes, functions } = this;
    return { nodes, functions, fetches: fetches.map((fetch) => this.outside(fetch)), needed };
  }

  /** Whether an op is found under another name than its own. */
  private moved(op: string): boolean {
    return this.staged.get(op)?.where === 'stage' || this.copies.has(op);
  }

  private stageAt(index: number): Stage {
    this.stages[index] ??= { nodes: [], inputs: new Map(), outputs: new Map(), controls: new Set() };
    return this.stages[index];
  }

  /** Notes what a node takes from elsewhere. */
  private connect({ node, inputs, where, stage }: StagedNode): void {
    const own = where === 'stage' ? this.stageAt(stage) : undefined;
    for (const { op, control } of inputs) {
      if (control && own !== undefined && !this.isIn(op, stage)) own.controls.add(this.controlOf(op));
    }
    if (where === 'constant') return;
    for (const input of node.input) {
      const tensor = tensorOf(input);
      if (tensor === undefined || (own !== undefined && this.isInside(tensor, stage))) continue;
      this.use(tensor);
      if (own !== undefined && !own.inputs.has(tensor)) own.inputs.set(tensor, own.inputs.size);
    }
  }

  /** Whether a node is in a stage's function, or is a constant, which is copied into each. */
  private isIn(op: string, stage: number): boolean {
    const found = this.staged.get(op);
    return found?.where === 'constant' || (found?.where === 'stage' && found.stage === stage);
  }

  private isInside(tensor: string, stage: number): boolean {
    return !this.fed.has(tensor) && this.isIn(opOf(tensor), stage);
  }

  /** Makes a tensor one of the outputs of the function that computes it. */
  private use(tensor: string): void {
    const found = this.fed.has(tensor) ? undefined : this.staged.get(opOf(tensor));
    if (found?.where !== 'stage') return;
    const { outputs } = this.stageAt(found.stage);
    if (!outputs.has(tensor)) outputs.set(tensor, outputs.size);
  }

  /** The name of a tensor in the graph around the functions. */
  private outside(tensor: string): string {
    if (this.fed.has(tensor)) return tensor;
    const op = opOf(tensor);
    const found = this.staged.get(op);
    if (found?.where === 'stage') return `${this.call(found.stage)}:${this.stageAt(found.stage).outputs.get(tensor)}`;
    const copy = this.copies.get(op);
    return copy === undefined ? tensor : `${copy}${tensor.slice(op.length)}`;
  }

  private controlOf(op: string): string {
    const found = this.staged.get(op);
    if (found?.where === 'stage') return `^${this.call(found.stage)}`;
    return `^${this.copies.get(op) ?? op}`;
  }

  private call(stage: number): string {
    return `${this.prefix}/stage_${stage}`;
  }

  private emitCopy({ node }: StagedNode, name: string): void {
    const input = node.input.map((each) => {
      const tensor = tensorOf(each);
      return tensor === undefined ? this.controlOf(each.slice(1)) : this.outside(tensor);
    });
    const attr = new Map(node.attr);
    attr.delete('_class');
    this.nodes.push({ ...node, name, input, attr });
  }

  private emitStage(stage: Stage, index: number): void {
    const types = (tensors: Iterable<string>): number[] => Array.from(tensors, (tensor) => this.typeOf(tensor));
    const [given, results] = [types(stage.inputs.keys()), types(stage.outputs.keys())];
    const name = this.call(index);
    const signature = createMessage(OpDef, {
      name: name.replaceAll('/', '_'),
      inputArg: given.map((type, i) => createMessage(ArgDef, { name: argument(i), type })),
      outputArg: results.map((type, i) => createMessage(ArgDef, { name: result(i), type })),
    });
    const constants = new Set<string>();
    const body = stage.nodes.map((each) => this.bodyNode(each, stage, index, constants));
    for (const constant of constants) body.unshift(this.staged.get(constant)!.node);
    const ret = new Map(Array.from(stage.outputs, ([tensor, i]) => [result(i), this.inBody(tensor)]));
    // Inlined, it would be optimized by the session's options.
    const attr = new Map([['_noinline', createMessage(AttrValue, { b: true })]]);
    const shapes = argumentShapes([...stage.inputs.keys()], this.graph);
    this.functions.push(createMessage(FunctionDef, { signature, attr, nodeDef: body, ret, unknown: shapes }));
    const list = (type: number[]): AttrValue =>
      createMessage(AttrValue, { list: createMessage(AttrListValue, { type }) });
    const text = (s: Uint8Array = new Uint8Array(0)): AttrValue => createMessage(AttrValue, { s });
    const call = new Map([
      ['Tin', list(given)],
      ['Tout', list(results)],
      ['f', createMessage(AttrValue, { func: createMessage(NameAttrList, { name: signature.name }) })],
      ['config', text()],
      ['config_proto', text(this.configProto)],
      ['executor_type', text()],
    ]);
    const input = [...Array.from(stage.inputs.keys(), (tensor) => this.outside(tensor)), ...stage.controls];
    // Stateful, so that TensorFlow does not fold a call on constants into a constant.
    this.nodes.push(createMessage(NodeDef, { name, op: 'StatefulPartitionedCall', input, attr: call }));
  }

  private bodyNode({ node }: StagedNode, stage: Stage, index: number, constants: Set<string>): NodeDef {
    const input = node.input.flatMap((each) => {
      const tensor = tensorOf(each);
      if (tensor === undefined)
        return this.staged.get(each.slice(1))?.where === 'stage' && this.isIn(each.slice(1), index) ? [each] : [];
      const argumentAt = stage.inputs.get(tensor);
      if (argumentAt !== undefined) return [argument(argumentAt)];
      const op = opOf(tensor);
      if (this.staged.get(op)?.where === 'constant') constants.add(op);
      return [this.inBody(tensor)];
    });
    return { ...node, input };
  }

  /** A tensor as the nodes of a function name it: `node:output_name:index`. */
  private inBody(tensor: string): string {
    const op = opOf(tensor);
    const node = this.graph.node(op);
    const signature = opSignature(node.op)!;
    let left = Number(tensor.slice(op.length + 1));
    for (const [i, name] of outputNames(node.op).entries()) {
      const count = outputTypes(node, { ...signature, outputs: [signature.outputs[i]!] }).length;
      if (left < count) return `${op}:${name}:${left}`;
      left -= count;
    }
    return tensor;
  }

  private typeOf(tensor: string): number {
    const op = opOf(tensor);
    return this.graph.outputTypes(op)[Number(tensor.slice(op.length + 1))]! % 100;
  }
}

const argument = (i: number): string => `tfparity_in_${i}`;
const result = (i: number): string => `tfparity_out_${i}`;
const opOf = (tensor: string): string => tensor.slice(0, tensor.lastIndexOf(':'));

/** The tensor of a node's input (`op:0`), or `undefined` for a control input. */
function tensorOf(input: string): string | undefined {
  if (input.startsWith('^')) return undefined;
  return /:\d+$/.test(input) ? input : `${input}:0`;
}
