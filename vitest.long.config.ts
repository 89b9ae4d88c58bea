import { configDefaults, defineConfig } from 'vitest/config'

/**
 * Laws over whole archives, faults, damage, kills and memory: what takes too long for each `npm test`; and what puts
 * another module in the place of one of the product's, which needs a worker of its own.
 */
export const LONG = [
  'test/fuzz/**/*.test.ts',
  'test/bench/**/*.test.ts',
  'test/simulation/**/*.test.ts',
  'test/examples/**/*.test.ts',
  'test/**/*faults.test.ts',
  'test/cli/*.property.test.ts',
  'test/queries/{engines/slices,list-changes,trino-grammar,verdict/certain-rows,verdict/histories,verdict/many-changes}.test.ts',
  'test/queries/verdict/sealed-twice.test.ts',
  'test/cli/{altered,asking,files,guides,outside,reconcile,verdict,who}.test.ts',
  'test/{functions/check-journal,journal/kept-index,journal/seal,journal/tampering}.test.ts',
  'test/{evidence/bundle,library/library,queries/answers/receipt,erasure/journey}.test.ts',
  'test/cli/{evidence,journal,plan,restore}.test.ts',
  'test/cli/{baseline-knows,lists,process,table-names,verify}.test.ts',
  'test/cli/{sealed,sealed-papers,sealed-tampering,stack-sealed,stack-uncaptured,wrong-key}.test.ts',
  'test/erasure/{boundaries,boundaries.property,library,personal-keys,places,reveal}.test.ts',
  'test/cli/show/formats.test.ts',
  'test/infra/firehose-buffer.test.ts',
  'test/queries/verdict/row-versions.test.ts',
  'test/derived/{compaction,checkpoints}*.test.ts',
  'test/{store/bits,cli/memory,delivery/memory,delivery/threads,restore/net-changes,restore/nightly}.test.ts',
  'test/{queries,queries/verdict,restore}/{claims,delivery,one-word,reconcile,reconstruct}.property.test.ts',
]

/** `npm run test:long`. */
export default defineConfig({
  test: {
    setupFiles: 'test/each-file.ts',
    include: LONG,
    exclude: [...configDefaults.exclude, 'test/live/**'],
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
