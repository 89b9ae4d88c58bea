// The constructs as a package of their own, `itemtrail-infra`: a CDK app needs neither a native database nor clients of
// AWS, and npm can leave out only what everything in an app can do without. docs/decisions/0017-two-packages.md says why.
// Usage: node pack-infra.mjs [FOLDER], after npm run build; then npm pack FOLDER, or npm publish FOLDER.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reach } from './reach.mjs'

const folder = process.argv[2] ?? 'dist-infra'
const { files, packages } = reach('dist', ['infra/index.js', 'infra/index.d.ts'])

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const texts = readdirSync('dist/queries', { recursive: true }).filter(name => name.endsWith('.sql'))
for (const path of [...files, 'lambda', 'THIRD-PARTY.txt', ...texts.map(name => `queries/${name}`)])
  cpSync(join('dist', path), join(folder, 'dist', path), { recursive: true })
cpSync('LICENSE', join(folder, 'LICENSE'))
cpSync('docs/deploy.md', join(folder, 'README.md'))

const whole = JSON.parse(readFileSync('package.json', 'utf8'))
const { version, license, type, engines, peerDependencies, exports } = whole
const needed = [...packages].filter(name => !Object.hasOwn(peerDependencies, name))
const dependencies = Object.fromEntries(needed.sort().map(name => [name, whole.dependencies[name]]))
const description = 'The constructs of Itemtrail, an audit archive for DynamoDB, for a CDK app'
writeFileSync(
  join(folder, 'package.json'),
  JSON.stringify(
    {
      name: 'itemtrail-infra',
      version,
      description,
      license,
      type,
      engines,
      exports: exports['./infra'],
      // for TypeScript and tools that do not read `exports`
      main: exports['./infra'].default,
      types: exports['./infra'].types,
      dependencies,
      peerDependencies,
    },
    null,
    2,
  ),
)
