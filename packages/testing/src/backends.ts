import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

const require = createRequire(import.meta.url);

function nativeIsProvided(): boolean {
  try {
    return existsSync(
      join(dirname(require.resolve('@tensorflow/tfjs-node/package.json')), 'lib/napi-v8/tfjs_binding.node'),
    );
  } catch {
    return false;
  }
}

/** The backends that tests run on: every one that this machine can load, or those that `TFPARITY_TEST_BACKENDS` lists. */
export const backends: string[] = process.env['TFPARITY_TEST_BACKENDS']?.split(',') ?? [
  ...(nativeIsProvided() ? ['tensorflow'] : []),
  'wasm',
  'cpu',
];

/** Loads a backend and makes it the current one. */
export async function useBackend(name: string): Promise<void> {
  if (tf.findBackend(name) === null) {
    if (name === 'tensorflow') {
      process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
      require('@tensorflow/tfjs-node');
    } else if (name === 'wasm') require('@tensorflow/tfjs-backend-wasm');
    else if (name === 'cpu') require('@tensorflow/tfjs-backend-cpu');
  }
  if (!(await tf.setBackend(name))) throw new Error(`backend ${name} could not be loaded`);
  await tf.ready();
}
