export { type NoiseFloor, type NoiseOptions, noiseFloor } from './noise-floor.js';
export type { ArrayDigest, InputOrigin, Trace, TraceEndPoint, TraceInput, TraceOp } from './trace.js';
export {
  type CaptureOptions,
  captureTrace,
  type KernelNaming,
  type TensorTree,
  type TraceSide,
} from './trace-capture.js';
export { type TriageInput, type TriageOptions, type TriageRequest, triage } from './triage.js';
export type {
  Amplification,
  Culprit,
  DifferenceFigures,
  FirstDivergence,
  GrowthPoint,
  IsolatedDifference,
  OpReference,
  ParentDiffers,
  TriageCause,
  TriageReport,
  TriageSideSummary,
  TriageVerdict,
} from './triage-report.js';
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
