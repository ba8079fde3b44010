import { LAYER_STEPS } from './layer-steps.js';
import type { StepKind } from './run-state.js';
import { SHIM_STEPS } from './shim-steps.js';
import { SLIM_STEPS } from './slim-steps.js';
import { VARIABLE_STEPS } from './variable-steps.js';

/** Every kind of step of golden/scopes.json. */
export const STEP_KINDS: Readonly<Record<string, StepKind>> = {
  ...VARIABLE_STEPS,
  ...SHIM_STEPS,
  ...LAYER_STEPS,
  ...SLIM_STEPS,
};
