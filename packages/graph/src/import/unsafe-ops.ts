import type { FunctionDef, GraphDef, NodeDef } from './graph-protos.js';
import { parseInput } from './tensor-name.js';

/** Why an op is refused unless it is asked for. */
export interface UnsafeOp {
  readonly op: string;
  readonly reason: string;
}

const list = (names: string, reason: string): [string, string][] => names.split(' ').map((name) => [name, reason]);

// Looked through by name and by attribute: all 1910 ops of TensorFlow 2.21.
const REASONS: ReadonlyMap<string, string> = new Map([
  ...list(
    `ReadFile MatchingFiles MatchingFilesDataset ExperimentalMatchingFilesDataset WholeFileReader WholeFileReaderV2
     TextLineReader TextLineReaderV2 TFRecordReader TFRecordReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2
     LMDBReader LMDBDataset ExperimentalLMDBDataset TextLineDataset TFRecordDataset TFRecordDatasetV2
     FixedLengthRecordDataset FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2 ExperimentalCSVDataset SqlDataset
     ExperimentalSqlDataset LoadDataset ListDataset ListSnapshotChunksDataset SnapshotDatasetReader
     SnapshotNestedDatasetReader SnapshotChunkDataset InitializeTableFromTextFile InitializeTableFromTextFileV2
     LoadAndRemapMatrix Restore RestoreV2 RestoreSlice RecordInput Skipgram`.replace(/\s+/g, ' '),
    'reads files',
  ),
  ...list(
    `WriteFile CacheDataset CacheDatasetV2 SaveDataset SaveDatasetV2 SnapshotDataset SnapshotDatasetV2 DistributedSave
     DatasetToTFRecord ExperimentalDatasetToTFRecord Save SaveV2 SaveSlices MergeV2Checkpoints CreateSummaryFileWriter
     CreateSummaryDbWriter CalibrationStatisticsSaver DumpTensor DebugIdentity DebugIdentityV2 DebugIdentityV3
     DebugNanCount DebugNumericSummary ImportEvent`.replace(/\s+/g, ' '),
    'writes files',
  ),
  ...list('FileSystemSetConfiguration', 'changes how files are reached'),
  ...list('PyFunc PyFuncStateless EagerPyFunc', 'runs Python'),
  ...list('Abort', 'ends the process'),
  ...list('DatasetFromGraph RemoteFusedGraphExecute', 'runs a graph that is hidden in a value'),
  ...list(
    `RpcClient RpcCall RpcServer RpcServerStart RpcServerRegister RpcCheckStatus RpcGetValue DataServiceDataset
     DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 RemoteCall Send
     Recv _Send _Recv _HostSend _HostRecv CollectiveReduce CollectiveReduceV2 CollectiveReduceV3 CollectiveGather
     CollectiveGatherV2 CollectiveBcastSend CollectiveBcastRecv CollectiveBcastSendV2 CollectiveBcastRecvV2
     CollectivePermute CollectiveAllToAllV2 CollectiveAllToAllV3 CollectiveReduceScatterV2 CollectiveAssignGroupV2
     CollectiveInitializeCommunicator`.replace(/\s+/g, ' '),
    'talks to other processes',
  ),
]);

/** What a saver is made of: files that are read and written only when a restore or a save is asked for. */
export const SAVER_OPS: ReadonlySet<string> = new Set([
  'Restore',
  'RestoreV2',
  'RestoreSlice',
  'Save',
  'SaveV2',
  'SaveSlices',
  'MergeV2Checkpoints',
]);

/** Why a node is unsafe: by its op, or by an attribute that names a file. `undefined` for a safe one. */
export function unsafeReason(node: NodeDef): string | undefined {
  const reason = REASONS.get(node.op);
  if (reason !== undefined) return reason;
  const text = (name: string): string => new TextDecoder().decode(node.attr.get(name)?.s ?? new Uint8Array(0));
  if (node.op === 'PrintV2' && !/^(|stdout|stderr|log\([a-z]+\))$/.test(text('output_stream'))) return 'writes files';
  if (node.op === 'FixedUnigramCandidateSampler' && text('vocab_file') !== '') return 'reads files';
  return undefined;
}

/** The unsafe ops that running a node can reach, itself and through the functions it calls, by the node's name. */
export function findUnsafe(graph: GraphDef): Map<string, UnsafeOp[]> {
  const functions = new Map((graph.library?.function ?? []).map((f) => [f.signature?.name ?? '', f]));
  const reached = new Map<string, UnsafeOp[]>();
  const ofFunction = (f: FunctionDef): UnsafeOp[] => {
    const name = f.signature?.name ?? '';
    const known = reached.get(name);
    if (known !== undefined) return known;
    reached.set(name, []); // a function that calls itself adds nothing new
    const found = f.nodeDef.flatMap(ofNode);
    reached.set(name, found);
    return found;
  };
  const ofNode = (node: NodeDef): UnsafeOp[] => {
    const reason = unsafeReason(node);
    const own = reason === undefined ? [] : [{ op: node.op, reason }];
    const called = calledFunctions(node).map((name) => functions.get(name));
    return [...own, ...called.flatMap((f) => (f === undefined ? [] : ofFunction(f)))];
  };
  const unsafe = new Map<string, UnsafeOp[]>();
  for (const node of graph.node) {
    const found = ofNode(node);
    if (found.length > 0) unsafe.set(node.name, found);
  }
  return unsafe;
}

/** The names of the functions that a node calls: as its op, or by its attributes. */
export function calledFunctions(node: NodeDef): string[] {
  const names = [node.op];
  for (const value of node.attr.values()) {
    if (value.func !== undefined) names.push(value.func.name);
    for (const f of value.list?.func ?? []) names.push(f.name);
  }
  return names;
}

/** The names of all nodes that running some ops needs, themselves included; `cut` ones are fed, so nothing behind them. */
export function closureOf(
  nodes: ReadonlyMap<string, NodeDef>,
  ops: Iterable<string>,
  cut: ReadonlySet<string> = new Set(),
): Set<string> {
  const found = new Set<string>();
  const waiting = [...ops];
  for (let op = waiting.pop(); op !== undefined; op = waiting.pop()) {
    if (found.has(op)) continue;
    found.add(op);
    if (cut.has(op)) continue;
    for (const input of nodes.get(op)?.input ?? []) waiting.push(parseInput(input).op);
  }
  return found;
}
