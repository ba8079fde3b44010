import type { Step } from '../step.js';
import { gradientsStep } from './training-gradients.js';
import { tenStepsStep } from './training-ten-steps.js';
import { updatesStep } from './training-updates.js';

/** Step 6: the migrated model trains as the TF1 one does. */
export const trainingSteps: readonly Step[] = [gradientsStep, updatesStep, tenStepsStep];
