/** One thread or several: the same archive. Needs `npm run build`, because a thread runs compiled code. */
import { describe, expect, it } from 'vitest'
import { orderRecords } from '../../bench/orders.js'
import { SpareMemory } from '../../capture/spare-memory.js'
import type { TableSummary } from '../../delivery/table-delivery.js'
import { DiskArchive } from '../../store/folder.js'
import { readRefused } from '../../store/refused-reader.js'
import { ARRIVAL, kinesisDocument, streamsRecord, tableConfiguration } from '../factories.js'
import { temporaryFolder } from './desk.js'
import { readParquet } from './parquet-reader.js'

const DIST = new URL('../../dist/', import.meta.url)
const { ingest } = (await import(new URL('delivery/ingest.js', DIST).href)) as typeof import('../../delivery/ingest.js')
const DAY_MS = 86_400_000
const SEALED = streamsRecord({ eventSourceARN: 'arn:aws:dynamodb:us-east-1:1:table/Sealed/stream/x' })

/** Some 10 MB: plain lines, and among them all that is not; a document of many lines is cut by most blocks. */
function* linesOf(): Generator<string> {
  let i = 0
  for (const record of orderRecords({ count: 2500, days: 3 })) {
    yield record
    i++
    if (i % 50 === 0) yield JSON.stringify(JSON.parse(record), null, 1)
    if (i % 90 === 0) yield record
    if (i % 400 === 0) yield JSON.stringify({ Records: [streamsRecord({ SequenceNumber: String(i) }), { odd: true }] })
    if (i % 500 === 0) yield `{"cut":"${record.slice(0, 300)}`
    if (i % 600 === 0) yield JSON.stringify({ ...kinesisDocument(), tableName: 'Counts', awsRegion: 'us-east-1' })
    if (i % 700 === 0) yield JSON.stringify(SEALED)
    if (i % 800 === 0) yield 'no JSON \ud83d\ude00'
    if (i === 2000) yield JSON.stringify({ long: 'x'.repeat(5_000_000) })
  }
}

const INPUT = Buffer.from([...linesOf()].join('\n'))
const AT = Date.UTC(2026, 10, 26)

async function* piecesOf(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < INPUT.length; at += 300_000) yield INPUT.subarray(at, at + 300_000)
}

it('memory is used again that is large enough, and no more of it is kept than a few pieces', () => {
  const spare = new SpareMemory()
  const lines = (bytes: number) => Buffer.allocUnsafeSlow(bytes).subarray(0, 10)
  const [large, larger] = [lines(1.5e6), lines(2.5e6)]
  for (const each of [large, lines(4096), larger, lines(9e6)]) spare.give(each)
  expect(spare.take(2e6).buffer).toBe(larger.buffer)
  expect(spare.take(1e6).buffer).toBe(large.buffer)
  expect(spare.takeOne()).toEqual([])
  for (let i = 0; i < 100; i++) spare.give(lines(2e6))
  let kept = 0
  while (spare.takeOne().length > 0) kept++
  expect(kept).toBeLessThan(10)
})

describe('an input that several threads read', () => {
  it('makes the archive that one thread makes, row for row and refused record for refused record', async () => {
    const one = await archiveBy(1)
    for (const several of [await archiveBy(2), await archiveBy(3)]) {
      expect(several.summaries).toEqual(one.summaries)
      expect(several.rows).toEqual(one.rows)
      expect(several.refused).toEqual(one.refused)
    }
    const [orders] = one.summaries
    expect(orders).toMatchObject({ table: 'Orders', likelyActor: 'updated_by' })
    expect(orders?.rows).toBeGreaterThan(2550)
    expect(one.refused.length).toBeGreaterThan(15)
  }, 240_000)

  it('delivers what came before it could be read no further, and then fails', async () => {
    const failing = async function* () {
      yield* piecesOf()
      throw new Error('cable pulled')
    }
    const archive = new DiskArchive(temporaryFolder())
    const options = { archive, configurationOf, now: () => AT, threads: 2 }
    await expect(ingest(failing(), ARRIVAL, options)).rejects.toThrow('cable pulled')
    let rows = 0
    for (const key of await archive.list('data/Orders/')) rows += (await readParquet(archive.pathOf(key))).length
    expect(rows).toBeGreaterThan(2500)
    expect(await archive.list('.staging/')).toEqual([])
  }, 240_000)
})

const configurationOf = (table: string) => tableConfiguration({ table, since: '2026-11-01' })

async function archiveBy(threads: number) {
  const archive = new DiskArchive(temporaryFolder())
  const options = { archive, configurationOf, now: () => AT, threads }
  const summaries: readonly TableSummary[] = await ingest(piecesOf(), AT - DAY_MS, options)
  const rows: string[] = []
  for (const key of await archive.list('data/'))
    for (const row of await readParquet(archive.pathOf(key))) rows.push(textOf(row))
  const refused: string[] = []
  for await (const { entry } of readRefused(archive, key => expect.unreachable(key)))
    refused.push(`${entry.table} ${entry.code} ${entry.data.toString('latin1')}`)
  return { summaries, rows: rows.sort(), refused: refused.sort() }
}

function textOf(row: object): string {
  return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
}
