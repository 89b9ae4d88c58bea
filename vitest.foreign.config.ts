import { defineConfig } from 'vitest/config'

/** `npm run test:foreign`: what programs of others say of our proofs. */
export default defineConfig({
  test: {
    include: ['test/foreign/**/*.test.ts'],
    setupFiles: 'test/each-file.ts',
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
})
