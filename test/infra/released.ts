/**
 * The templates of each kind of archive, and as a release has them: `npx tsx test/infra/released.ts VERSION` keeps those
 * of now as that version's, once, when it is released.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { App, type Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { parseConfiguration } from '../../config/configuration.js'
import { ArchiveStack } from '../../infra/archive-stack.js'
import { archiveOf, ORDERS, type Resources, TABLE_KINDS } from './archives.js'
import { nestedStacks } from './whole-template.js'

/** A stack with its nested ones, by the names of their files. */
export type Templates = Readonly<Record<string, { readonly Resources: Resources }>>

const ERASABLE = [{ subject: 'buyer.id', attributes: ['buyer.name'] }]
const ROOT = join(import.meta.dirname, '..', '..')
const RELEASED = join(ROOT, 'test', 'fixtures', 'templates')

/** Where the archive of a configuration file is deployed: an emulator can. */
export const UPGRADED = {
  stack: 'Itemtrail-upgrade',
  env: { account: '000000000000', region: 'us-east-1' },
  streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/Parcels/stream/2026-11-22T10:00:00.000',
}

/** A configuration with everything that can be switched on, of tables that are there already. */
export const upgradedConfiguration = (streamArn = UPGRADED.streamArn): object => ({
  environment: 'upgrade',
  lock: { mode: 'governance', days: 30 },
  compact: true,
  seal: true,
  tables: {
    Parcels: { since: '2026-10-01', keys: ['id'], streamArn, columns: { status: 'string' } },
    Crates: { since: '2026-10-01', keys: ['pk', 'sk'], capture: 'kinesis' },
  },
})

const sealed = { seal: { mail: ['auditor@example.com'] } }
const streams = { Orders: ORDERS }
const VARIANTS: { readonly [variant: string]: () => Stack } = {
  streams: () => archiveOf(streams).stack,
  kinesis: () => archiveOf({ Orders: { ...ORDERS, capture: 'kinesis' } }).stack,
  'kinesis-table-v2': () => archiveOf({ Orders: { ...ORDERS, capture: 'kinesis', table: TABLE_KINDS.TableV2 } }).stack,
  'kinesis-imported': () =>
    archiveOf({ Orders: { ...ORDERS, keys: ['order_id'], capture: 'kinesis', table: TABLE_KINDS.imported } }).stack,
  unlocked: () => archiveOf(streams, { lock: { mode: 'none' } }).stack,
  'locked-by-bucket': () =>
    archiveOf(streams, { lock: { mode: 'compliance', days: 30, confirm: true, by: 'bucket' } }).stack,
  compacted: () => archiveOf(streams, { compact: true }).stack,
  sealed: () => archiveOf(streams, sealed).stack,
  erasable: () => archiveOf({ Orders: { ...ORDERS, erasable: ERASABLE } }).stack,
  'configuration-file': () => {
    const configuration = parseConfiguration(JSON.stringify(upgradedConfiguration()), 'itemtrail.config.json')
    const app = new App({ context: JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context })
    const props = { configuration, configurationPath: 'itemtrail.config.json', env: UPGRADED.env }
    return new ArchiveStack(app, UPGRADED.stack, props)
  },
}

/** Every kind of archive by its name. */
export const KINDS = Object.keys(VARIANTS)

/** The templates of now. */
export function templatesOfNow(kind: string): Templates {
  const stack = VARIANTS[kind]?.()
  if (stack === undefined) throw new Error(`an archive is called ${JSON.stringify(kind)}, expected one of ${KINDS}`)
  const parts = [stack, ...nestedStacks(stack)]
  return Object.fromEntries(parts.map(part => [part.templateFile, Template.fromStack(part).toJSON()])) as Templates
}

/** Releases whose templates were kept, oldest first. */
export function releases(): readonly string[] {
  return readdirSync(RELEASED).sort(new Intl.Collator('en', { numeric: true }).compare)
}

/** The templates of a release; undefined where it had no such kind. */
export function templatesOf(release: string, kind: string): Templates | undefined {
  const file = join(RELEASED, release, `${kind}.json.gz`)
  return existsSync(file) ? (JSON.parse(gunzipSync(readFileSync(file)).toString()) as Templates) : undefined
}

if (process.argv[1] === import.meta.filename) {
  const folder = join(RELEASED, process.argv[2] ?? '')
  if (!/\d+\.\d+\.\d+$/.test(folder)) throw new Error('usage: npx tsx test/infra/released.ts VERSION')
  mkdirSync(folder)
  for (const kind of KINDS) {
    const text = JSON.stringify(templatesOfNow(kind))
    writeFileSync(join(folder, `${kind}.json.gz`), gzipSync(text, { level: 9 }))
  }
}
