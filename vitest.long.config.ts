import { configDefaults, defineConfig } from 'vitest/config'

/** Laws over whole archives, faults, damage, kills and memory: what takes too long for each `npm test`. */
export const LONG = [
  'test/fuzz/**/*.test.ts',
  'test/bench/**/*.test.ts',
  'test/simulation/**/*.test.ts',
  'test/examples/**/*.test.ts',
  'test/**/*faults.test.ts',
  'test/cli/*.property.test.ts',
  'test/queries/{trino-grammar,verdict/histories}.test.ts',
  'test/cli/{altered,asking,guides,outside,reconcile,verdict}.test.ts',
  'test/journal/{seal,tampering}.test.ts',
  'test/evidence/bundle.test.ts',
  'test/derived/{compaction,checkpoints}*.test.ts',
  'test/{store/bits,delivery/memory}.test.ts',
  'test/{queries,queries/verdict,restore}/{claims,delivery,one-word,reconcile,reconstruct}.property.test.ts',
]

/** `npm run test:long`. */
export default defineConfig({
  test: {
    // what is remembered of an archive goes nowhere, unless a test names a folder for it
    env: { XDG_STATE_HOME: '/dev/null' },
    include: LONG,
    exclude: [...configDefaults.exclude, 'test/live/**'],
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
