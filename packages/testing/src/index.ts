export { backends, useBackend } from './backends.js';
export { describeGolden, goldenFiles, goldenJson, goldenPath } from './golden.js';
