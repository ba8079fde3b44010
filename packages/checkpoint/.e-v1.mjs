import { readFileSync } from 'node:fs';
import { writeCheckpoint } from '@tfparity/checkpoint';
const { variables } = JSON.parse(readFileSync('/work/main/golden/nets/inception_resnet_v2.reset.json','utf8'));
function values(shape, seed) { const data = new Float32Array(shape.reduce((a, b) => a * b, 1)); let state = seed * 2654435761 + 1; for (let i = 0; i < data.length; i++) { state = (Math.imul(state, 1664525) + 1013904223) | 0; data[i] = state / 2 ** 31; } return { dtype: 'float32', shape: [...shape], data }; }
await writeCheckpoint('/tmp/E/v2', variables.map(({ name, shape }, i) => [name.replace(/:0$/, ''), values(shape, i)]));
