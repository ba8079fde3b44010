import { defineConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

// Inception-ResNet-v2 itself: minutes, and gigabytes.
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ['long/**/*.test.ts'], testTimeout: 1_200_000, hookTimeout: 600_000 },
});
