import { defineConfig } from 'vitest/config'

/** `npm run test:trino`: what runs on a real Trino. One server for all files, one file after the other. */
export default defineConfig({
  test: {
    include: ['test/trino/**/*.test.ts'],
    setupFiles: 'test/each-file.ts',
    globalSetup: 'test/trino/global-setup.ts',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
})
