export { BackendError, type BackendErrorCode, isBackendError } from './backend-error.js';
export {
  BACKEND_PACKAGES,
  type BackendName,
  type LoadedBackend,
  type LoadOptions,
  loadBackend,
} from './load-backend.js';
export { cacheFolder, findNativePackage, type NativeOrigin, type NativePackage } from './native-package.js';
export type { Progress } from './native-steps.js';
export { restoreNodeUtil } from './node-util.js';
export { type Probe, probeBackend } from './probe.js';
export { type ProvidedNative, type ProvideOptions, provideNative } from './provide-native.js';
