import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { filesOf, read } from '../source.js'

const ROOT = join(import.meta.dirname, '..', '..')
const built = existsSync(join(ROOT, 'dist', 'infra', 'index.js'))

/** Somebody's app in TypeScript, which names what the constructs show. */
const app = (name: string) => `
import { App, Duration, Size, Stack } from 'aws-cdk-lib'
import { AttributeType, StreamViewType, TableV2, type ITable } from 'aws-cdk-lib/aws-dynamodb'
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam'
import { Topic, type ITopic } from 'aws-cdk-lib/aws-sns'
import {
  type ArchiveBucket, AuditArchive, type CapturedTable, type DeliveryStream, type DerivedStore, type QueryWorkgroup,
  type RefusedBucket, type Roles, sourceTableOf, type SourceTable, type TableConfiguration, type TableDeployment,
} from '${name}'

const stack = new Stack(new App(), 'Shop')
const orders = new TableV2(stack, 'Orders', {
  tableName: 'Orders',
  partitionKey: { name: 'id', type: AttributeType.STRING },
  dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
})
const alarmTopic: ITopic = new Topic(stack, 'Alarms')
const archive = new AuditArchive(stack, 'Audit', {
  lock: { mode: 'governance', days: 2557 },
  compact: true,
  refusedRetention: Duration.days(90),
  scanCutoff: Size.gibibytes(200),
  alarmTopic,
  notify: ['oncall@example.com'],
})
const buffer = { size: Size.mebibytes(64), interval: Duration.minutes(5) }
const captured: CapturedTable = archive.capture(orders, { since: '2026-11-22', columns: { status: 'string' }, buffer })
archive.grantQuery(new Role(stack, 'Analyst', { assumedBy: new AccountRootPrincipal() })).assertSuccess()

/** What somebody may hand on, by its own type. */
export const shown: {
  readonly archive: ArchiveBucket
  readonly refused: RefusedBucket
  readonly derived: DerivedStore | undefined
  readonly workgroup: QueryWorkgroup
  readonly roles: Roles
  readonly delivery: DeliveryStream
  readonly tables: readonly CapturedTable[]
} = { ...archive, delivery: captured.delivery, derived: archive.derived, tables: archive.tables }
export const source: SourceTable = sourceTableOf(stack, orders as ITable)
export function attachAll(tables: ReadonlyMap<SourceTable, readonly [TableConfiguration, TableDeployment]>): void {
  for (const [source, [configuration, deployment]] of tables) archive.attach(source, configuration, deployment)
}
console.log(archive.databaseName, archive.alarmTopic === alarmTopic)
`

/** Compiles it under `strict` and runs it, in a folder from which Node finds the packages. */
function run(folder: string, name: string): string {
  writeFileSync(join(folder, 'app.mts'), app(name))
  const options = ['--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext', '--types', '']
  execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), [...options, 'app.mts'], { cwd: folder, stdio: 'pipe' })
  return execFileSync(process.execPath, ['app.mjs'], { cwd: folder, encoding: 'utf8' }).trim()
}

describe.skipIf(!built)('what is built', () => {
  it('has no file that no source stands for', () => {
    const isSource = (path: string) => existsSync(join(ROOT, path))
    const sources = (file: string) =>
      ['.ts', '.tsx', '.js'].map(end => file.replace(/^dist\//, '').replace(/\.js$/, end))
    // the program's own files are of many sources each
    const dist = filesOf(['dist'], /\.js$/).filter(file => !file.startsWith('dist/cli/'))
    expect(dist.length).toBeGreaterThan(400)
    expect(dist.filter(file => !sources(file).some(isSource))).toEqual([])
  })
})

describe.skipIf(!built)(`the constructs${built ? '' : ' (skipped: npm run build makes them)'}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'app-'))
  const packages = join(folder, 'node_modules')

  beforeAll(() => {
    mkdirSync(packages)
    for (const name of ['aws-cdk-lib', 'constructs', 'zod'])
      symlinkSync(join(ROOT, 'node_modules', name), join(packages, name))
    execFileSync(process.execPath, ['pack-infra.mjs', join(packages, 'itemtrail-infra')], { cwd: ROOT })
  })

  it('are a package that needs CDK and zod and nothing else', () => {
    const manifest = JSON.parse(readFileSync(join(packages, 'itemtrail-infra', 'package.json'), 'utf8'))
    expect(Object.keys(manifest.dependencies)).toEqual(['zod'])
    expect(Object.keys(manifest.peerDependencies)).toEqual(['aws-cdk-lib', 'constructs'])
    expect(run(folder, 'itemtrail-infra')).toMatch(/^[a-z][a-z0-9_]* true$/)
  })

  it('are the same in the package that has everything', () => {
    symlinkSync(ROOT, join(packages, 'itemtrail'))
    expect(run(folder, 'itemtrail/infra')).toMatch(/^[a-z][a-z0-9_]* true$/)
  })
})

describe.skipIf(!built)('what is published', () => {
  const answer = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const [{ files, size }] = JSON.parse(answer) as [{ files: readonly { readonly path: string }[]; size: number }]
  const paths = files.map(({ path }) => path)

  it('has no test, no source, no map, and no type that nobody can import', () => {
    expect(
      paths.filter(path => /^(test|site|bench|simulation)\/|\.map$|\.tsx?$/.test(path) && !path.endsWith('.d.ts')),
    ).toEqual([])
    expect(paths.filter(path => path.endsWith('.d.ts')).length).toBeLessThan(200)
    expect(size).toBeLessThan(4_600_000)
  })

  it('has each module once: alone where a program can import it, else in the files of the command line', () => {
    expect(paths).toEqual(expect.arrayContaining(['dist/library/archive.js', 'dist/delivery/block-worker.js']))
    expect(paths).toEqual(expect.arrayContaining(['dist/infra/app.js', 'dist/cli/itemtrail.js']))
    expect(paths.filter(path => /^dist\/(cost|doctor|functions|view\/screens)\//.test(path))).toEqual([])
  })

  it('has the licences of the packages whose code is in its files', () => {
    expect(paths).toContain('dist/THIRD-PARTY.txt')
    const texts = read('dist/THIRD-PARTY.txt')
    for (const name of ['apache-arrow', 'zod', '@smithy/core']) expect(texts).toContain(`${name} `)
    expect(texts).toContain('The Apache Software Foundation')
    // Arrow asks for its notices, too
    expect(texts).toContain('Apache Arrow')
  })

  it('has what the commands read: SQL, the verifier, the orders of demo, each function on AWS', () => {
    const read = ['dist/queries/sql/item-history.sql', 'dist/evidence/verify.mjs', 'dist/view/page.js']
    const orders = ['orders.jsonl.gz', 'itemtrail.config.json'].map(name => `examples/orders/${name}`)
    expect(paths).toEqual(
      expect.arrayContaining([...read, ...orders, 'dist/lambda/transform/index.mjs', 'docs/deploy.md']),
    )
  })
})

describe('itemtrail/infra', () => {
  it('exports the type of everything that its constructs show', () => {
    const index = read('infra/index.ts')
    const exported = new Set(index.match(/\b[A-Z]\w+/g))
    const files = [...index.matchAll(/from '\.\/([\w-]+)\.js'/g)].map(([, name]) => `infra/${name}.ts`)
    const shown = files.flatMap(file => {
      const own = [...read(file).matchAll(/import (?:type )?\{([^}]*)\} from '\.\//g)].flatMap(([, names = '']) =>
        names.match(/\b[A-Z]\w+/g),
      )
      return [...read(file).matchAll(/^ {2}(?:readonly|get) \w+[^:\n]*: (?:readonly )?(\w+)/gm)]
        .map(([, type]) => type as string)
        .filter(type => own.includes(type))
    })
    expect(shown.length).toBeGreaterThan(10)
    expect([...new Set(shown)].filter(type => !exported.has(type))).toEqual([])
  })
})
