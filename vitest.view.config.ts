import { defineConfig } from 'vitest/config'

/**
 * `npm run test:view`: the page, as what it answers and in a real Chromium. One file after the other, which share two
 * cores with it.
 */
export default defineConfig({
  test: {
    include: ['test/view/**/*.test.ts'],
    setupFiles: 'test/each-file.ts',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
})
