import { configDefaults, defineConfig } from 'vitest/config'
import { LONG } from './vitest.long.config.js'

/** `npm run test:infra`: the stack, synthesised many times, and the bundled functions on Lambda's own Node. */
export default defineConfig({
  test: {
    include: ['test/infra/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...LONG],
    globalSetup: 'test/infra/one-folder.ts',
    // the CDK takes seconds to load: a worker loads it once, not for each file
    isolate: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
})
