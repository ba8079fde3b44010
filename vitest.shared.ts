import { defineConfig } from 'vitest/config';

// Tests run the sources of every package, never their builds.
const conditions = ['@tfparity/source', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Tests stand on TensorFlow.js's one global engine, so each file gets its own process.
  test: { include: ['test/**/*.test.ts'], pool: 'forks', maxWorkers: 1, testTimeout: 60_000, hookTimeout: 120_000 },
  esbuild: { target: 'es2022' },
});
