// What tsc leaves: the SQL beside its catalog, and each function on AWS as one file.
import { chmodSync, cpSync } from 'node:fs'
import { build } from 'esbuild'

for (const folder of ['sql', 'internal', 'parts'])
  cpSync(`queries/${folder}`, `dist/queries/${folder}`, { recursive: true })
// what the page's browser loads is as it stands here
cpSync('view/page.js', 'dist/view/page.js')
chmodSync('dist/cli/itemtrail.js', 0o755)

const FUNCTIONS = {
  transform: 'functions/transform.ts',
  'sealing-transform': 'functions/sealing-transform.ts',
  'make-key-store': 'functions/make-key-store-lambda.ts',
  forwarder: 'functions/forwarder.ts',
  'lock-objects': 'functions/lock-objects-lambda.ts',
  'watch-refused': 'functions/watch-refused-lambda.ts',
  'compact-table': 'functions/compact-table.ts',
  'seal-archive': 'functions/seal-archive-lambda.ts',
  'check-journal': 'functions/check-journal-lambda.ts',
  'keep-configuration': 'functions/keep-configuration-lambda.ts',
  'kinesis-destination': 'functions/kinesis-destination-lambda.ts',
}

for (const [name, entryPoint] of Object.entries(FUNCTIONS)) {
  await build({
    entryPoints: [entryPoint],
    outfile: `dist/lambda/${name}/index.mjs`,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // the AWS SDK's ES modules: of its CommonJS nothing can be left out
    mainFields: ['module', 'main'],
    legalComments: 'none',
  })
}

// the questions that a checkpoint is proven by
for (const folder of ['sql', 'internal', 'parts'])
  cpSync(`queries/${folder}`, `dist/lambda/compact-table/${folder}`, { recursive: true })

// what a bundle brings to be verified with: to be read by whoever runs it, so nothing is minified
await build({
  entryPoints: ['evidence/verify-bag.ts'],
  outfile: 'dist/evidence/verify.mjs',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  legalComments: 'none',
})
cpSync('evidence/HOWTO.txt', 'dist/evidence/HOWTO.txt')
