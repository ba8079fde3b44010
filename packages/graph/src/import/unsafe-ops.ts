import { reachedByNodes } from './function-uses.js';
import type { GraphDef, NodeDef } from './graph-protos.js';
import { parseInput } from './tensor-name.js';

/** Why an op is refused unless it is asked for. */
export interface UnsafeOp {
  readonly op: string;
  readonly reason: string;
}

const list = (names: string, reason: string): [string, string][] => names.split(' ').map((name) => [name, reason]);

// Every op of TensorFlow 2.21 that has state, takes strings or has attributes that are strings was looked at: what is not
// here stands in test/reviewed-ops.ts, whose test fails for an op that is in neither.
const REASONS: ReadonlyMap<string, string> = new Map([
  ...list(
    `ReadFile MatchingFiles MatchingFilesDataset ExperimentalMatchingFilesDataset WholeFileReader WholeFileReaderV2
     TextLineReader TextLineReaderV2 TFRecordReader TFRecordReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2
     LMDBReader LMDBDataset ExperimentalLMDBDataset TextLineDataset TFRecordDataset TFRecordDatasetV2
     FixedLengthRecordDataset FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2 ExperimentalCSVDataset SqlDataset
     ExperimentalSqlDataset LoadDataset ListDataset ListSnapshotChunksDataset SnapshotDatasetReader
     SnapshotNestedDatasetReader SnapshotChunkDataset InitializeTableFromTextFile InitializeTableFromTextFileV2
     LoadAndRemapMatrix GenerateVocabRemapping ImmutableConst Restore RestoreV2 RestoreSlice DTensorRestoreV2 RecordInput
     Skipgram`.replace(/\s+/g, ' '),
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
  ...list('Abort WorkerHeartbeat', 'ends the process'),
  ...list(
    `DatasetFromGraph RemoteFusedGraphExecute XlaCallModule XlaCustomCall XlaCustomCallV2 MlirPassthroughOp TPUCompile
     _TPUCompileMlir _XlaCompileMlirPlaceholderProgramKey _XlaHostComputeMlir _XlaRun`.replace(/\s+/g, ' '),
    'runs a program that is hidden in a value',
  ),
  ...list(
    `RpcClient RpcCall RpcServer RpcServerStart RpcServerRegister RpcCheckStatus RpcGetValue DataServiceDataset
     DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 RemoteCall Send
     Recv _Send _Recv _HostSend _HostRecv CollectiveReduce CollectiveReduceV2 CollectiveReduceV3 CollectiveGather
     CollectiveGatherV2 CollectiveBcastSend CollectiveBcastRecv CollectiveBcastSendV2 CollectiveBcastRecvV2
     CollectivePermute CollectiveAllToAllV2 CollectiveAllToAllV3 CollectiveReduceScatterV2 CollectiveAssignGroupV2
     CollectiveInitializeCommunicator NcclAllReduce NcclBroadcast NcclReduce _NcclBroadcastRecv _NcclBroadcastSend
     _NcclReduceRecv _NcclReduceSend XlaHostCompute XlaSend XlaRecv XlaSendToHost XlaRecvFromHost _XlaRecvAtHost
     _XlaRecvAtHostV2 _XlaSendFromHost _XlaSendFromHostV2 ConfigureAndInitializeGlobalTPU ConfigureDistributedTPU
     ShutdownDistributedTPU ShutdownTPUSystem _ConfigureDistributedTPU _DisconnectHostFromDistributedTPUSystem
     _InitializeHostForDistributedTPU _SetGlobalTPUArray _ShutdownDistributedTPU _WaitForDistributedTPU
     UpdateTaskIdAndGlobalCoreArray DTensorSetGlobalTPUArray ConnectTPUEmbeddingHosts`.replace(/\s+/g, ' '),
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
  if (/^(DecodeProtoV2|EncodeProto)$/.test(node.op) && !/^$|^local:\/\/$|^bytes:\/\//.test(text('descriptor_source'))) {
    return 'reads files';
  }
  if (/^Copy(Host)?$/.test(node.op) && (node.attr.get('debug_ops_spec')?.list?.s.length ?? 0) > 0) {
    return 'sends values to where its attribute says';
  }
  if (node.op === 'FixedUnigramCandidateSampler' && text('vocab_file') !== '') return 'reads files';
  return undefined;
}

/** The unsafe ops that running a node can reach, itself and through the functions it calls, each once, by the node's name. */
export function findUnsafe(graph: GraphDef): Map<string, UnsafeOp[]> {
  const known = new Map<string, UnsafeOp>();
  const unsafeOf = (node: NodeDef): UnsafeOp | undefined => {
    const reason = unsafeReason(node);
    if (reason === undefined) return undefined;
    // One object for an op, so that a set holds it once.
    const found = known.get(node.op) ?? { op: node.op, reason };
    known.set(node.op, found);
    return found;
  };
  return new Map([...reachedByNodes(graph, unsafeOf)].map(([name, ops]) => [name, [...ops]]));
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
