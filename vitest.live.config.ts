import { defineConfig } from 'vitest/config'

/** `npm run test:live`: what runs against a real DynamoDB (DynamoDB Local). One file after the other. */
export default defineConfig({
  test: {
    include: ['test/live/**/*.test.ts'],
    setupFiles: 'test/each-file.ts',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
