import { defineConfig } from 'vitest/config'

/** `npm run test:infra`: the stack, synthesised many times, and the bundled functions on Lambda's own Node. */
export default defineConfig({
  test: {
    include: ['test/infra/**/*.test.ts'],
    setupFiles: 'test/each-file.ts',
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
})
