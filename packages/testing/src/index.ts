export { backends, useBackend } from './backends.js';
export { describeGolden, goldenFiles, goldenJson, goldenPath } from './golden.js';
export { camelCase, describeLayerCases, type LayerCase, type LayerUnderTest } from './layer-cases.js';
