import * as tf from '@tensorflow/tfjs-core';
import { exactKey } from '../exact-key.js';
import type { Graph } from '../graph.js';
import { GraphError, isGraphError } from '../graph-error.js';
import { AttrValue, GraphDef, NodeDef, VersionDef } from '../import/graph-protos.js';
import { ImportedGraph } from '../import/imported-graph.js';
import { createMessage } from '../import/message.js';
import { nativeBackend } from '../native/addon.js';
import type { Operation, OutputRef } from '../operation.js';
import { outsideGraphs } from '../recording.js';
import { resolvedAttrs, takesOwnSizes } from '../unknown-sizes.js';
import { asBiasAdd } from './bias-add.js';
import { sizedConstants, sizedNodes } from './dynamic-nodes.js';
import { type InPlaceUpdate, inPlaceUpdate } from './in-place-update.js';
import { type CapturedRef, cannotLower, captureKernel, dtypeNumber, type KernelCapture } from './kernel-capture.js';
import { constAttrs, nodeAttrs, shapeAttr, typeAttr } from './node-attributes.js';

/** A recorded graph as TensorFlow's own: nodes by the recorded names, and which tensor stands for which output. */
export interface LoweredGraph {
  readonly graph: ImportedGraph;
  readonly graphDef: GraphDef;
  /** Whether an op has sizes in its attributes that are unknown: tensors that share one then have to agree in it. */
  readonly usesSizes: boolean;
  /** TensorFlow's tensor for an output of a recorded op. */
  tensorName(ref: OutputRef): string;
}

// The version of TensorFlow 2.21's graphs: which defaults and shape functions hold.
const PRODUCER = 2474;
const MIN_CONSUMER = 12;

/**
 * Turns a recorded graph into a TensorFlow `GraphDef`: each kernel runs once on the backend `tensorflow` on stand-ins of
 * its inputs, and the ops that it calls become nodes. Nodes have the recorded ops' names; where a kernel calls several
 * ops, the others stand below that name.
 *
 * @throws {GraphError} `Unavailable` without the backend, `CannotLower` with the line that made the op
 */
export function lowerGraph(graph: Graph): LoweredGraph {
  const lowering = new Lowering(graph);
  outsideGraphs('tensorflow', () => {
    for (const op of graph.operations) lowering.add(op);
  });
  return lowering.finish();
}

class Lowering {
  private readonly backend = nativeBackend();
  private readonly nodes: NodeDef[] = [];
  private readonly names: Set<string>;
  private readonly tensors = new Map<OutputRef, string>();
  private readonly captures = new Map<string, KernelCapture>();
  private usesSizes = false;
  /** The variables that take an output of a kernel as their value. */
  private readonly takers = new Map<OutputRef, Operation[]>();
  /** The variable that has an output of a kernel already, because the kernel became an op that changes it in place. */
  private readonly updated = new Map<OutputRef, Operation>();

  constructor(private readonly graph: Graph) {
    this.names = new Set(graph.operations.map((op) => op.name));
    for (const { type, inputs } of graph.operations) {
      if (type !== 'AssignVariableOp') continue;
      const [variable, value] = inputs.map((ref) => ref.op.symbolicId(ref.index));
      this.takers.set(value!, [...(this.takers.get(value!) ?? []), variable!.op]);
    }
  }

  add(op: Operation): void {
    if (op.isKernel) this.addKernel(op);
    else this.addOwn(op);
  }

  finish(): LoweredGraph {
    const versions = createMessage(VersionDef, { producer: PRODUCER, minConsumer: MIN_CONSUMER });
    const graphDef = createMessage(GraphDef, { node: this.nodes, versions });
    const variables = this.graph.variables.map((variable) => ({
      name: `${variable.name}:0`,
      shape: variable.shape,
      dtype: variable.dtype as 'float32',
      trainable: variable.trainable,
      node: variable.handle.name,
      initializer: variable.initializer.name,
      snapshot: this.tensorName(variable.snapshot.op.symbolicId(variable.snapshot.index)),
    }));
    const graph = new ImportedGraph({ graphDef, source: 'lowered', variables });
    return { graph, graphDef, usesSizes: this.usesSizes, tensorName: (ref) => this.tensorName(ref) };
  }

  private tensorName(ref: OutputRef): string {
    return this.tensors.get(ref.op.symbolicId(ref.index)) ?? `${ref.op.name}:${ref.index}`;
  }

  private addKernel(op: Operation): void {
    const capture = this.captureOf(op, 0);
    const update = inPlaceUpdate(capture);
    if (update !== undefined) {
      this.addUpdate(op, capture, update);
      return;
    }
    const main = capture.outputs[0];
    const names = capture.nodes.map((node, i) => {
      if (main !== undefined && 'node' in main && main.node === i) return op.name;
      return this.unique(`${op.name}/${node.op}`);
    });
    const inputs = op.inputs.map((ref) => this.tensorName(ref));
    const nameOf = (ref: CapturedRef): string =>
      'input' in ref ? inputs[ref.input]! : this.nodeOutput(op, ref, names);
    this.usesSizes ||= op.dynamic && !takesOwnSizes(op.type, op.attrs) && op.graph.unknowns.showIn(op.attrs, op.id);
    const sized = op.dynamic ? sizedConstants(op, [capture, this.captureOf(op, 1)]) : undefined;
    capture.nodes.forEach((node, i) => {
      const sizes = sized?.get(i);
      if (node.constant !== undefined && sizes !== undefined) {
        const nameOfRef = (ref: OutputRef): string => this.tensorName(ref);
        this.nodes.push(...sizedNodes(names[i]!, node.constant, sizes, nameOfRef, (name) => this.unique(name)));
      } else if (node.constant !== undefined) {
        const { dtype, shape, bytes } = node.constant;
        this.emit(names[i]!, 'Const', [], constAttrs(dtype, shape, bytes));
      } else {
        const lowered = asBiasAdd(op, node);
        this.emit(names[i]!, lowered.op, [...node.inputs.map(nameOf), ...controls(op)], nodeAttrs(lowered));
      }
    });
    capture.outputs.forEach((ref, i) => {
      this.tensors.set(op.symbolicId(i), nameOf(ref));
    });
    if (main === undefined || !('input' in main)) return;
    // A kernel that hands its input on: the name stays, for fetches and control dependencies.
    const dtype = dtypeNumber(op.outputInfos[0]!.dtype);
    this.emit(op.name, 'Identity', [inputs[main.input]!, ...controls(op)], new Map([['T', typeAttr(dtype)]]));
    this.tensors.set(op.symbolicId(0), `${op.name}:0`);
  }

  private nodeOutput(op: Operation, ref: Exclude<CapturedRef, { input: number }>, names: readonly string[]): string {
    if ('node' in ref) return `${names[ref.node]!}:${ref.output}`;
    throw cannotLower(op, 'it computes in a variable of its own');
  }

  /** An optimizer's update: TensorFlow's op changes the variables themselves, and what assigned the new values waits for it. */
  private addUpdate(op: Operation, { nodes }: KernelCapture, update: InPlaceUpdate): void {
    const variables = new Map<number, Operation>();
    for (const input of update.outputs) {
      const read = op.inputs[input]!.op;
      if (read.type !== 'ReadVariableOp') throw cannotLower(op, 'it updates what is no variable');
      variables.set(input, read.inputs[0]!.op);
    }
    update.outputs.forEach((input, i) => {
      const variable = variables.get(input)!;
      if (this.takers.get(op.symbolicId(i))?.includes(variable)) return;
      const why = `TensorFlow's op would change the variable '${variable.name}' in place, to which nothing assigns the new value as it is`;
      throw cannotLower(op, why);
    });
    const names = new Map(update.needed.map((i) => [i, this.unique(`${op.name}/${nodes[i]!.op}`)]));
    const nameOf = (ref: CapturedRef): string =>
      'input' in ref ? this.tensorName(op.inputs[ref.input]!) : `${'node' in ref ? names.get(ref.node) : ''}:0`;
    for (const [i, name] of names) {
      const { constant, op: type, inputs } = nodes[i]!;
      if (constant !== undefined) {
        this.emit(name, 'Const', [], constAttrs(constant.dtype, constant.shape, constant.bytes));
      } else this.emit(name, type, inputs.map(nameOf), nodeAttrs(nodes[i]!));
    }
    const apply = nodes[update.apply]!;
    const inputs = apply.inputs.map((ref, i) => {
      const variable = variables.get(update.variables.get(i) ?? -1);
      return variable === undefined ? nameOf(ref) : this.tensorName(variable.symbolicId(0));
    });
    this.emit(op.name, apply.op, [...inputs, ...controls(op)], nodeAttrs(apply));
    update.outputs.forEach((input, i) => {
      const variable = variables.get(input)!;
      const read = this.unique(`${op.name}/ReadVariableOp`);
      const dtype = typeAttr(dtypeNumber(op.outputInfos[i]!.dtype));
      const handle = this.tensorName(variable.symbolicId(0));
      this.emit(read, 'ReadVariableOp', [handle, `^${op.name}`], new Map([['dtype', dtype]]));
      this.tensors.set(op.symbolicId(i), `${read}:0`);
      this.updated.set(op.symbolicId(i), variable);
    });
  }

  /** What a kernel calls; where sizes are unknown, at one trial of them. */
  private captureOf(op: Operation, trial: 0 | 1): KernelCapture {
    const shapes = op.inputs.map((ref) => {
      const { shape, tried } = ref.op.outputInfos[ref.index]!;
      return tried?.[trial] ?? shape;
    });
    const called = op.dynamic ? atTrial(op, shapes, trial) : op;
    const inputs = op.inputs.map((ref, i) => {
      const { dtype } = ref.op.outputInfos[ref.index]!;
      return [dtype, shapes[i], ref.op.type === 'Const' ? ref.op.id : -1];
    });
    // Streams differ from op to op, and are no attribute of TensorFlow's.
    const { stream: _, ...attrs } = called.attrs;
    const key = exactKey([op.type, attrs, op.inputNames, inputs]);
    const known = this.captures.get(key);
    if (known !== undefined) return known;
    let capture: KernelCapture | undefined;
    tf.tidy(() => {
      const standIns = op.inputs.map((ref, i) => {
        // Indices may be beyond the trial, and are no part of what is captured.
        const indices = op.dynamic && op.inputNames?.[i] === 'indices';
        return indices ? tf.zeros([...shapes[i]!], 'int32') : standIn(ref, shapes[i]!);
      });
      try {
        capture = captureKernel(this.backend, called, standIns);
      } catch (error) {
        throw isGraphError(error) ? error : cannotLower(op, `its kernel said: ${(error as Error).message}`, error);
      }
    });
    this.captures.set(key, capture!);
    return capture!;
  }

  /** The graph's own ops, which are TensorFlow's by name already. */
  private addOwn(op: Operation): void {
    const inputs = [...op.inputs.map((ref) => this.tensorName(ref)), ...controls(op)];
    const [variable, value] = op.inputs;
    if (op.type === 'AssignVariableOp' && this.updated.get(value!.op.symbolicId(value!.index)) === variable!.op) {
      this.emit(op.name, 'NoOp', [`^${value!.op.name}`, ...controls(op)], new Map());
      return;
    }
    this.emit(op.name, op.type, inputs, ownAttrs(op));
  }

  private emit(name: string, op: string, inputs: readonly string[], attr: Map<string, AttrValue>): void {
    // NodeDefs write output 0 without its number, as TensorFlow does.
    const input = inputs.map((tensor) => tensor.replace(/:0$/, ''));
    this.nodes.push(createMessage(NodeDef, { name, op, input, attr }));
  }

  private unique(name: string): string {
    let unique = name;
    for (let i = 1; this.names.has(unique); i++) unique = `${name}_${i}`;
    this.names.add(unique);
    return unique;
  }
}

/** An op with its attributes as they are at one trial of the unknown sizes. */
function atTrial(op: Operation, shapes: readonly (readonly number[])[], trial: 0 | 1): Operation {
  const { unknowns } = op.graph;
  const inputs = op.inputs.map((ref) => ref.op.outputInfos[ref.index]!);
  const attrs = resolvedAttrs(unknowns, { ...op, inputs }, shapes, unknowns.atTrial(trial));
  const outputInfos = op.outputInfos.map((info) => ({ ...info, shape: info.tried?.[trial] ?? info.shape }));
  return Object.create(op, { attrs: { value: attrs }, outputInfos: { value: outputInfos } }) as Operation;
}

const controlSets = new WeakMap<Operation, ReadonlySet<Operation>>();

function controlSet(op: Operation): ReadonlySet<Operation> {
  const known = controlSets.get(op) ?? new Set(op.controlInputs);
  controlSets.set(op, known);
  return known;
}

/** The ops that an op waits for, but for those that one of its inputs waits for: a scope puts hundreds on each of its ops. */
function controls(op: Operation): string[] {
  const inputs = [...new Set(op.inputs.map((ref) => ref.op))].filter(({ controlInputs }) => controlInputs.length > 0);
  return op.controlInputs
    .filter((control) => !inputs.some((input) => controlSet(input).has(control)))
    .map((control) => `^${control.name}`);
}

function ownAttrs(op: Operation): Map<string, AttrValue> {
  const dtype = typeAttr(dtypeNumber(String(op.attrs['dtype'] ?? op.outputInfos[0]?.dtype)));
  switch (op.type) {
    case 'Const':
      return constOf(op);
    case 'NoOp':
      return new Map();
    case 'Placeholder':
    case 'PlaceholderWithDefault':
    case 'VarHandleOp': {
      const attrs = new Map([
        ['dtype', dtype],
        ['shape', shapeAttr(op.attrs['shape'] as (number | null)[])],
      ]);
      const shared = createMessage(AttrValue, { s: new TextEncoder().encode(op.name) });
      return op.type === 'VarHandleOp' ? attrs.set('shared_name', shared) : attrs;
    }
    case 'ReadVariableOp':
    case 'AssignVariableOp':
    case 'AssignAddVariableOp':
    case 'AssignSubVariableOp':
      return new Map([['dtype', dtype]]);
    default:
      throw new GraphError('CannotLower', `the op '${op.name}' (${op.type}) has no counterpart in TensorFlow`, {
        node: op.name,
        op: op.type,
      });
  }
}

function constOf(op: Operation): Map<string, AttrValue> {
  const { dtype, shape } = op.outputInfos[0]!;
  const values = op.attrs['value'] as Float32Array | Uint8Array[];
  const bytes = Array.isArray(values) ? values : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return constAttrs(dtypeNumber(dtype), shape, bytes);
}

/** A tensor like the recorded one: the true values of a constant, zeros else (one for a scalar, which may be a rate). */
function standIn(ref: OutputRef, shape: readonly number[]): tf.Tensor {
  const { dtype } = ref.op.outputInfos[ref.index]!;
  if (ref.op.type === 'Const') {
    const values = (ref.op.attrs['value'] as Float32Array).slice();
    return tf.engine().makeTensor(values as tf.DataValues, [...shape], dtype as tf.DataType);
  }
  if (dtype === 'string') return tf.fill([...shape], '', 'string');
  return dtype === 'float32' && shape.length === 0 ? tf.scalar(1) : tf.zeros([...shape], dtype as 'float32');
}
