import { configDefaults, defineConfig } from 'vitest/config'

/** `npm test`. What needs a Trino is `npm run test:trino`. */
export default defineConfig({
  test: {
    exclude: [...configDefaults.exclude, 'test/trino/**', '.cache/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
