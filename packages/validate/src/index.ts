export { type BisectionOptions, type BisectionRecord, type BisectionResult, bisectBlocks } from './bisect.js';
export { type Fault, type FaultPlace, type InjectionSite, type KernelFault, kernelFault } from './fault.js';
export { type FillOptions, type FillVariable, fill, fillValue } from './fill.js';
export { formatTriage } from './format-triage.js';
export {
  assertMigration,
  formatAnnotations,
  formatJUnit,
  formatSensitivity,
  formatValidation,
} from './format-validation.js';
export {
  type BundleManifest,
  type BundleRun,
  type BundleVariable,
  GoldenBundle,
  type RecordedRun,
  type Recording,
} from './golden-bundle.js';
export type { GraphModel, TracedModel } from './graph-side.js';
export type { ImportedModel, NameTree } from './imported-side.js';
export type { CallInputs, InterceptedCall, Proceed } from './kernel-interceptor.js';
export type {
  ModelFunction,
  ModelInputs,
  NamedLoss,
  Preparation,
  RunHooks,
  RunRequest,
  SideInspection,
  TensorTree,
  VariableHandle,
} from './model-side.js';
export { type NoiseFloor, type NoiseOptions, noiseFloor } from './noise-floor.js';
export { FAULTS, proveSensitivity, type SensitivityOptions } from './prove-sensitivity.js';
export { type OpRepro, reproOf, writeRepro } from './repro.js';
export { gamma, type RoundingBound, roundingBound, UNIT_ROUNDOFF } from './rounding-bounds.js';
export type { ShadowArray } from './shadow-array.js';
export { SHADOW_KERNELS } from './shadow-kernels.js';
export { checkAgainstShadow, type ShadowCheck, shadowRun } from './shadow-run.js';
export type { CallableModel, LayerLike, Side } from './side.js';
export { proposeTensorMap, type TensorMap, type TensorMatch } from './tensor-map.js';
export type { ArrayDigest, InputOrigin, Trace, TraceEndPoint, TraceInput, TraceOp } from './trace.js';
export { type AblationOptions, ablate } from './trace-ablation.js';
export {
  type CaptureOptions,
  captureTrace,
  type KernelNaming,
  type TraceSide,
} from './trace-capture.js';
export { type GradientSide, traceGradients } from './trace-gradients.js';
export { isSerializedTrace, parseTrace, type SerializedTrace, serializeTrace } from './trace-json.js';
export { type RecordedSample, traceOfArrays, traceOfSamples } from './trace-recorded.js';
export { traceSession } from './trace-session.js';
export { type TriageInput, type TriageOptions, type TriageRequest, triage } from './triage.js';
export { type MigrationTriageOptions, triageMigration } from './triage-migration.js';
export type {
  Amplification,
  BackwardPass,
  Culprit,
  DifferenceFigures,
  FirstDivergence,
  GradientPoint,
  GrowthPoint,
  IsolatedDifference,
  OpReference,
  ParentDiffers,
  TriageCause,
  TriageReport,
  TriageSideSummary,
  TriageVerdict,
} from './triage-report.js';
export { isValidateError, ValidateError, type ValidateErrorCode } from './validate-error.js';
export {
  type Migration,
  type StepTolerances,
  type ValidationOptions,
  type ValidationProgress,
  validateMigration,
} from './validate-migration.js';
export type {
  FaultOutcome,
  FaultResult,
  SensitivityReport,
  StepComparison,
  StepId,
  StepStatus,
  StepWarning,
  UpdateSummary,
  ValidationEnvironment,
  ValidationReport,
  ValidationStep,
} from './validation-report.js';
