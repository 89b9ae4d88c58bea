// What tsc leaves: the SQL beside its catalog, and the transform function as one file for Lambda.
import { chmodSync, cpSync } from 'node:fs'
import { build } from 'esbuild'

for (const folder of ['sql', 'parts']) cpSync(`queries/${folder}`, `dist/queries/${folder}`, { recursive: true })
chmodSync('dist/cli/itemtrail.js', 0o755)

await build({
  entryPoints: ['transform/lambda.ts'],
  outfile: 'dist/lambda/transform/index.mjs',
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  legalComments: 'none',
})
