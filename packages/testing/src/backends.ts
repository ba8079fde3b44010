import { existsSync } from 'node:fs';
import { findNativePackage, loadBackend } from '@tfparity/backend';

const native = findNativePackage();

/** The backends that tests run on: every one that this machine can load, or those that `TFPARITY_TEST_BACKENDS` lists. */
export const backends: string[] = process.env['TFPARITY_TEST_BACKENDS']?.split(',') ?? [
  ...(native !== undefined && existsSync(native.addon) ? ['tensorflow'] : []),
  'wasm',
  'cpu',
];

/** Loads a backend and makes it the current one. */
export async function useBackend(name: string): Promise<void> {
  await loadBackend({ backend: name });
}
