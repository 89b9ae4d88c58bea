import { configDefaults, defineConfig } from 'vitest/config'
import { LONG } from './vitest.long.config.js'

/**
 * `npm test`. What needs a Trino is `npm run test:trino`, a DynamoDB `test:live`; what is of the page `test:view`;
 * what synthesises the stack `test:infra`, what deploys it `test:emulator`; what Go judges `test:foreign`; what takes
 * long `test:long`.
 */
export default defineConfig({
  test: {
    setupFiles: 'test/each-file.ts',
    // a worker loads the product once, not for each file
    isolate: false,
    exclude: [
      ...configDefaults.exclude,
      'test/emulator/**',
      'test/trino/**',
      'test/live/**',
      'test/infra/**',
      'test/foreign/**',
      'test/view/**',
      ...LONG,
      '.cache/**',
    ],
    // one core less, the default, leaves half of a small machine idle
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
