/** The package as it is published, in apps as others have them: packed, installed, compiled and synthesised. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const built = existsSync(join(ROOT, 'dist', 'infra', 'app.js'))

/** TypeScript as most apps have it, fetched once; the one of this project is newer. */
const TYPESCRIPT = 'typescript@5.9.3'
const CACHED = join(ROOT, '.cache', TYPESCRIPT)
const TSC = join(CACHED, 'node_modules', 'typescript', 'bin', 'tsc')

function fetched(): boolean {
  if (existsSync(TSC)) return true
  mkdirSync(CACHED, { recursive: true })
  writeFileSync(join(CACHED, 'package.json'), '{"private":true}')
  return spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-save', TYPESCRIPT], { cwd: CACHED }).status === 0
}

const ready = built && fetched()
const why = !built ? ' (skipped: npm run build makes them)' : ` (skipped: ${TYPESCRIPT} cannot be fetched)`

const APP = `
import { App, Stack } from 'aws-cdk-lib'
import { AttributeType, StreamViewType, Table, type ITable } from 'aws-cdk-lib/aws-dynamodb'
import { AuditArchive, ConfigurationError, type CapturedTable } from 'PACKAGE'

const app = new App()
const stack = new Stack(app, 'Shop')
const orders = new Table(stack, 'Orders', {
  tableName: 'Orders',
  partitionKey: { name: 'id', type: AttributeType.STRING },
  stream: StreamViewType.NEW_AND_OLD_IMAGES,
})
const archive = new AuditArchive(stack, 'Audit', { lock: { mode: 'governance', days: 30 } })
const captured: CapturedTable = archive.capture(orders as ITable, { since: '2026-11-22' })
try {
  archive.capture(orders as ITable, { since: '2026-11-22' })
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error
}
console.log(app.synth().stacks.length, captured.configuration.table)
`

/** The packages that have the construct. */
const PACKAGES = ['itemtrail/infra', 'itemtrail-infra']
const fileOf = (name: string) => name.replace('/', '-')

interface Kind {
  readonly package: 'commonjs' | 'module'
  readonly module: string
  readonly moduleResolution: string
}

const KINDS: { readonly [name: string]: Kind } = {
  'CommonJS, as cdk init made it for years': { package: 'commonjs', module: 'commonjs', moduleResolution: 'node10' },
  'CommonJS with nodenext, as cdk init makes it': {
    package: 'commonjs',
    module: 'nodenext',
    moduleResolution: 'nodenext',
  },
  'ES modules with nodenext': { package: 'module', module: 'nodenext', moduleResolution: 'nodenext' },
  'ES modules for a bundler': { package: 'module', module: 'esnext', moduleResolution: 'bundler' },
}

describe.skipIf(!ready)(`an app that installs what is published${ready ? '' : why}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'consumer-'))
  const packages = join(folder, 'node_modules')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  beforeAll(() => {
    mkdirSync(packages)
    for (const name of ['aws-cdk-lib', 'constructs', 'zod', '@types', 'undici-types'])
      if (existsSync(join(ROOT, 'node_modules', name)))
        symlinkSync(join(ROOT, 'node_modules', name), join(packages, name))
    execFileSync(process.execPath, ['pack-infra.mjs', join(folder, 'infra')], { cwd: ROOT })
    unpack(ROOT, 'itemtrail')
    unpack(join(folder, 'infra'), 'itemtrail-infra')
  })

  /** What npm would install of a folder. */
  function unpack(from: string, name: string): void {
    const options = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
    const file = execFileSync('npm', options, { cwd: from, encoding: 'utf8' }).trim()
    const to = join(packages, name)
    mkdirSync(to)
    execFileSync('tar', ['-xzf', join(folder, file), '--strip-components', '1', '-C', to])
  }

  it.each(Object.entries(KINDS))('%s', (_, kind) => {
    const app = mkdtempSync(join(folder, 'app-'))
    writeFileSync(join(app, 'package.json'), JSON.stringify({ type: kind.package }))
    for (const name of PACKAGES) writeFileSync(join(app, `${fileOf(name)}.ts`), APP.replace('PACKAGE', name))
    const { module, moduleResolution } = kind
    const compilerOptions = { target: 'es2022', module, moduleResolution, strict: true, skipLibCheck: true, types: [] }
    const files = PACKAGES.map(name => `${fileOf(name)}.ts`)
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const compiled = spawnSync(process.execPath, [TSC], { cwd: app, encoding: 'utf8' })
    expect(compiled.stdout).toBe('')
    const env = { PATH: process.env.PATH, HOME: folder, CDK_VALIDATION: 'false' }
    for (const name of PACKAGES) {
      const { stdout, stderr } = spawnSync(process.execPath, [`${fileOf(name)}.js`], {
        cwd: app,
        encoding: 'utf8',
        env,
      })
      expect([stdout, stderr], name).toEqual(['1 Orders\n', expect.not.stringMatching(/Error/)])
    }
  })

  it('deploys without a clone, by the app of the package', () => {
    const app = join(packages, 'itemtrail', 'dist', 'infra', 'app.js')
    const options = ['synth', '--quiet', '--no-notices', '--app', `node ${app}`, '-c', 'demo=true']
    const out = join(folder, 'assembly')
    const cdk = join(ROOT, 'node_modules', '.bin', 'cdk')
    const env = { PATH: process.env.PATH, HOME: folder, CDK_DISABLE_CLI_TELEMETRY: 'true' }
    const { status, stderr } = spawnSync(cdk, [...options, '--output', out], { cwd: folder, encoding: 'utf8', env })
    expect([status, stderr]).toEqual([0, expect.not.stringMatching(/error/i)])
    expect(existsSync(join(out, 'Itemtrail-demo.template.json'))).toBe(true)
  })

  it('is told what to install where there is no CDK', () => {
    const bare = mkdtempSync(join(tmpdir(), 'bare-'))
    mkdirSync(join(bare, 'node_modules'))
    symlinkSync(join(ROOT, 'node_modules', 'zod'), join(bare, 'node_modules', 'zod'))
    execFileSync('cp', ['-r', join(packages, 'itemtrail'), join(bare, 'node_modules', 'itemtrail')])
    const app = join(bare, 'node_modules', 'itemtrail', 'dist', 'infra', 'app.js')
    const { status, stderr } = spawnSync(process.execPath, [app], { cwd: bare, encoding: 'utf8' })
    rmSync(bare, { recursive: true })
    expect([status, stderr]).toEqual([
      1,
      'package aws-cdk-lib is not installed, which deploying needs\n  npm install aws-cdk-lib constructs aws-cdk\n',
    ])
  })
})
