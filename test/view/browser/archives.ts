/** Archives that a page has to bear: one of orders, one with everything that could go wrong in it, and some broken. */
import { mkdirSync, readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { fileOf, linesOf, makeFolder, ORDERS, ORDERS_CONFIG, run } from '../../cli/command-line.js'
import { rowsOfRecord, writeRows } from '../../delivery/desk.js'
import { type Attributes, type RecordContent, streamsRecord, tableConfiguration } from '../../factories.js'
import { change } from '../../queries/story.js'
import { writeExport } from '../../table-export.js'

/** What a page would run, or load, if it were ever more than text. */
export const MARKUP = `<script>alert(1)</script>"><img src="http://evil.invalid/x" onerror=alert(2)>'&lt;</td>{{7*7}}`
/** What turns lines round, hides, or goes back over what was written. */
export const UNSEEN = 'to\u202egnp.exe\u2066\u200b\u0007\u001b[2J\u0000\ufeffend'
/** How many changes the item `MANY` has. */
export const MANY = 10_000
/** How many characters the text of `LONG` has. */
export const LONG = 5_000_000

/** The bundled orders. */
export async function makeOrders(): Promise<string> {
  const root = join(makeFolder(), 'orders')
  await expectRun(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG])
  return root
}

/** An archive and the key that its journal is believed by. */
export interface SealedArchive {
  readonly root: string
  readonly key: string
}

/** An archive of table Orders with whatever a page could trip over, sealed. */
export async function makeNasty(): Promise<SealedArchive> {
  const root = join(makeFolder(), 'nasty')
  const config = fileOf('config.json', JSON.stringify({ tables: { Orders: CONFIGURATION } }))
  const ingest = (stdin: string) => run(['ingest', '-', '--archive', root, '--config', config], { stdin })
  await ended(ingest(linesOf([...nastyRecords(), ...manyRecords()])))
  // no function may answer with as much, so they are written as rows
  const rows = longRecords().flatMap(record => rowsOfRecord(record, TABLE, Date.UTC(2026, 10, 23, 12)))
  await writeRows(root, rows, TABLE)
  // refused lines end with 1
  await ingest(linesOf([`no json ${MARKUP}`, { ...streamsRecord(), eventName: MARKUP }]))
  const exported = writeExport(makeFolder(), {
    files: [[{ Item: { order_id: { S: 'BASE' }, status: { S: MARKUP } } }]],
  })
  await expectRun(['baseline', 'Orders', '--export', exported, '--archive', root, '--config', config])
  return seal(root)
}

/** The bundled orders, sealed. */
export async function makeSealedOrders(): Promise<SealedArchive> {
  return seal(await makeOrders())
}

async function seal(root: string): Promise<SealedArchive> {
  const key = join(makeFolder(), 'seal.key')
  await expectRun(['seal', '--init', '--key', key, '--origin', 'orders.audit.example/test', '--archive', root])
  await expectRun(['seal', '--archive', root, '--key', key])
  return { root, key }
}

const TABLE = tableConfiguration({
  actor: ['updated_by'],
  columns: [{ column: 'status', path: ['status'], type: 'string' }],
})
const CONFIGURATION = { keys: ['order_id'], actor: 'updated_by', columns: { status: 'string' } }

/** An archive of which nothing was delivered yet. */
export function makeEmpty(): string {
  const root = join(makeFolder(), 'empty')
  mkdirSync(root)
  return root
}

/** An archive with an object that was cut off. */
export async function makeDamaged(): Promise<string> {
  const root = join(makeFolder(), 'damaged')
  await expectRun(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG])
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.parquet'))
  truncateSync(join(root, files.sort()[0] as string), 100)
  return root
}

function nastyRecords(): readonly unknown[] {
  const evil: Attributes = { [MARKUP]: { S: MARKUP }, status: { S: UNSEEN }, updated_by: { S: MARKUP } }
  const wide = (text: string) =>
    Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`attribute_${i}`, { S: `${text} ${i}` }]))
  const bytes = { B: Buffer.from('binary\0').toString('base64') }
  return [
    change(MARKUP, '22T10:00:00', undefined, evil),
    change(MARKUP, '22T11:00:00', evil, { ...evil, [UNSEEN]: { SS: [MARKUP, UNSEEN] }, status: { S: MARKUP } }),
    change(UNSEEN, '22T10:00:01', undefined, { status: { S: UNSEEN }, bytes }),
    change(UNSEEN, '22T10:30:00', { status: { S: UNSEEN }, bytes }, undefined),
    change('a/../b?c=d#e%2f', '22T10:00:02', undefined, { status: { S: 'a slash in a key' } }),
    change('WIDE', '22T10:00:03', undefined, wide('first')),
    change('WIDE', '23T10:00:03', wide('first'), wide('then')),
    change('GAP', '22T10:00:04', undefined, { n: { N: '1' } }),
    change('GAP', '23T10:00:04', { n: { N: '3' } }, { n: { N: '12345678901234567890.12345678901234567' } }),
    // a day without changes lies between
    change('GAP', '25T10:00:04', { n: { N: '12345678901234567890.12345678901234567' } }, undefined),
  ]
}

function* manyRecords(): Generator<unknown> {
  const image = (version: number) => ({ version: { N: String(version) } })
  for (let i = 0; i < MANY; i++) {
    const at = new Date(Date.UTC(2026, 10, 22, 12) + i * 7000).toISOString().slice(8, 19)
    yield change('MANY', at, i === 0 ? undefined : image(i - 1), image(i))
  }
}

function longRecords(): readonly RecordContent[] {
  const words = 'the quick brown fox jumps over the lazy dog and '
  const text = words.repeat(Math.ceil(LONG / words.length)).slice(0, LONG)
  const other = `${text.slice(0, LONG / 2)}TWELVE SIGNS${text.slice(LONG / 2 + 12)}`
  return [
    change('LONG', '22T10:00:05', undefined, { text: { S: text } }),
    change('LONG', '23T10:00:05', { text: { S: text } }, { text: { S: other } }),
  ]
}

async function expectRun(argv: readonly string[]): Promise<void> {
  await ended(run(argv))
}

async function ended(running: ReturnType<typeof run>): Promise<void> {
  const { exit, err } = await running
  if (exit !== 0) throw new Error(`the command ended with ${exit}: ${err}`)
}
