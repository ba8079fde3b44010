import type { Step } from '../step.js';
import { arraysStep } from './arrays.js';
import { checkpointInference, checkpointTraining } from './checkpoint.js';
import { createdOnce } from './created-once.js';
import { graphVsEager } from './graph-vs-eager.js';
import { inventoryStep } from './inventory.js';
import { modelSteps } from './model-run.js';
import { realGraphStep } from './real-graph.js';
import { sensitivityStep } from './sensitivity.js';
import { trainingSteps } from './training.js';

const [reset, ...aligned] = modelSteps;

/** The guide's steps, in its order. */
export const STEPS: readonly Step[] = [
  realGraphStep,
  createdOnce,
  inventoryStep,
  reset!,
  checkpointInference,
  arraysStep('constant'),
  arraysStep('num_random_ops'),
  ...aligned,
  checkpointTraining,
  graphVsEager,
  ...trainingSteps,
  sensitivityStep,
];
