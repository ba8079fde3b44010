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
