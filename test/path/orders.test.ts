import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { openInput } from '../../capture/input.js'
import { readConfiguration } from '../../config/configuration.js'
import { ingest } from '../../delivery/ingest.js'
import { askQuery } from '../../queries/answers/ask.js'
import { readHistory } from '../../queries/answers/read-history.js'
import { SAVED_QUERIES, type SavedQuery, savedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { foldHistory, heldAgainstHashes } from '../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { lastState } from '../../queries/verdict/reconstruct.js'
import { DiskArchive } from '../../store/folder.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { NOW, temporaryFolder } from '../delivery/desk.js'
import { canonicalForm } from '../transform/second-implementation.js'

const ORDERS = new URL('../../examples/orders/', import.meta.url).pathname
const FILE = join(ORDERS, 'orders.jsonl.gz')

interface Recorded {
  readonly eventName: string
  readonly userIdentity?: { readonly principalId: string }
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number
    readonly Keys: object
    readonly OldImage?: object
    readonly NewImage?: object
    readonly SequenceNumber: string
  }
}

/** The records as the file has them, read without any of our code. */
const RECORDS = gunzipSync(readFileSync(FILE))
  .toString()
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line) as Recorded)

const imageOf = (image: object | undefined) => (image === undefined ? null : canonicalForm(image))
const keyOf = (record: Recorded) => canonicalForm(record.dynamodb.Keys)
const timeOf = (record: Recorded) => record.dynamodb.ApproximateCreationDateTime * 1_000_000

describe('the bundled orders, from the stream to an answer', () => {
  const table = readConfiguration(join(ORDERS, 'itemtrail.config.json')).tables.get('Orders') as TableConfiguration
  let engine: DuckDbEngine
  let histories: ReadonlyMap<string, readonly HistoryChange[]>

  beforeAll(async () => {
    const root = temporaryFolder()
    const input = await openInput(FILE, Readable.from([]))
    const options = { archive: new DiskArchive(root), configurationOf: () => table, now: () => NOW }
    const [summary] = await ingest(input.bytes, input.modifiedAt, options)
    const days = new Set(RECORDS.map(record => formatInstant(timeOf(record), 0).slice(0, 10)))
    expect(summary).toMatchObject({ records: RECORDS.length, rows: RECORDS.length, refused: 0, objects: days.size })
    engine = await DuckDbEngine.open(root, [table])
    histories = await readAllHistories()
    return () => engine.close()
  }, 60_000)

  const ask = async (query: string, parameters: Readonly<Record<string, string>> = {}): Promise<readonly Row[]> => [
    ...rowsOf(await askQuery(engine, SAVED_QUERIES.get(query) as SavedQuery, table, parameters)),
  ]

  /** `item-history` of all items at once: the same text, but for the one comparison that picks the item. */
  async function readAllHistories(): Promise<ReadonlyMap<string, readonly HistoryChange[]>> {
    const ofAll: QueryEngine = {
      run: (sql, values) =>
        engine.run(sql.replace('item_key = ?', 'item_key <> ?').replace('  step,', '  item_key, step,'), values),
      close: () => {},
    }
    const query = savedQuery('item-history')
    const found = new Map<string, HistoryChange[]>()
    for (const row of rowsOf(await askQuery(ofAll, query, table, { item_key: 'none' }))) {
      const change = { ...heldAgainstHashes(row), repeats: Number(row.repeats) }
      const ofItem = found.get(row.item_key as string) ?? []
      ofItem.push(change as unknown as HistoryChange)
      found.set(row.item_key as string, ofItem)
    }
    return found
  }

  /** The table after all records up to a moment, by replaying the file. */
  function replay(untilUs: number): ReadonlyMap<string, string> {
    const items = new Map<string, string>()
    for (const record of RECORDS.filter(record => timeOf(record) <= untilUs)) {
      const image = imageOf(record.dynamodb.NewImage)
      if (image === null) items.delete(keyOf(record))
      else items.set(keyOf(record), image)
    }
    return items
  }

  it('every version of every order is the image that its record holds', () => {
    const expected = groupByKey()
    expect(histories.size).toBe(expected.size)
    for (const [key, records] of expected) {
      const changes = histories.get(key) ?? []
      expect(changes.map(change => [change.event_name, change.old_image, change.new_image])).toEqual(
        records.map(({ eventName, dynamodb }) => [eventName, imageOf(dynamodb.OldImage), imageOf(dynamodb.NewImage)]),
      )
    }
  })

  function groupByKey(): ReadonlyMap<string, readonly Recorded[]> {
    const groups = new Map<string, Recorded[]>()
    for (const record of RECORDS) groups.set(keyOf(record), [...(groups.get(keyOf(record)) ?? []), record])
    return groups
  }

  it('every order is unbroken, and at each of its changes what the change says', () => {
    for (const [key, changes] of histories) {
      expect(foldHistory(key, changes).confidence).toBe('UNBROKEN')
      for (const [i, change] of changes.entries()) {
        // of changes within one second the last counts
        if (changes[i + 1]?.event_time_us === change.event_time_us) continue
        const until = changes.filter(other => other.event_time_us <= change.event_time_us)
        const state = lastState(foldHistory(key, until).steps)
        expect(state.kind === 'present' ? state.image : null).toBe(change.new_image)
      }
    }
  })

  it('the whole table is at a moment what replaying the file gives', async () => {
    const moments = [1, 1200, RECORDS.length - 1].map(i => timeOf(RECORDS[i] as Recorded))
    for (const us of [...moments, (moments[1] as number) - 1]) {
      const rows = await ask('table-as-of', { at: formatInstant(us, 6) })
      expect(new Map(rows.map(row => [row.item_key, row.image]))).toEqual(replay(us))
      expect(rows.filter(row => row.state !== 'present')).toEqual([])
    }
  })

  it('an order is at a moment what replaying the file gives', async () => {
    for (const i of [3, 801, 1603]) {
      const record = RECORDS[i] as Recorded
      for (const us of [timeOf(record), timeOf(record) - 1]) {
        const [row] = await ask('item-as-of', { item_key: keyOf(record), at: formatInstant(us, 6) })
        expect(row?.image ?? null).toBe(replay(us).get(keyOf(record)) ?? null)
      }
    }
  })

  it('nothing is missing and nothing contradicts', async () => {
    expect(await ask('continuity')).toEqual([])
    expect(await ask('duplicates')).toEqual([])
    expect(await ask('misfits')).toEqual([])
  })

  it('each delete is told from the others by who made it', async () => {
    const deletes = RECORDS.filter(({ eventName }) => eventName === 'REMOVE')
    const expired = deletes.filter(({ userIdentity }) => userIdentity?.principalId === 'dynamodb.amazonaws.com')
    const rows = await ask('deletions')
    expect(rows).toHaveLength(deletes.length)
    expect(rows.filter(row => row.deleted_by === 'time to live')).toHaveLength(expired.length)
    expect(expired.length).toBeGreaterThan(0)
    expect(deletes.length).toBeGreaterThan(expired.length)
  })

  it('the one step that the life cycle forbids is found', async () => {
    const rows = await ask('illegal-transitions')
    expect(rows.map(row => [row.item_key, row.from_status, row.to_status])).toEqual([
      ['{"order_id":{"S":"ORD10150"}}', 'SHIPPED', 'PICKED'],
    ])
  })

  it('ORD12345 went from PENDING to PROCESSING when it was paid', async () => {
    const order = { item_key: '{"order_id":{"S":"ORD12345"}}' }
    const statusAt = async (at: string) => {
      const [row] = await ask('item-as-of', { ...order, at })
      return JSON.parse(row?.image as string).status.S
    }
    expect(await statusAt('2026-11-18T10:05:54.999999Z')).toBe('PENDING')
    expect(await statusAt('2026-11-18T10:05:55Z')).toBe('PROCESSING')
    const steps = await ask('attribute-history', order)
    expect(steps.map(row => [row.event_time, row.old_value, row.new_value, row.actor])).toEqual([
      ['2026-11-18T09:14:07.000Z', null, '{"S":"PENDING"}', 'customer:meiling.wang'],
      ['2026-11-18T10:05:55.000Z', '{"S":"PENDING"}', '{"S":"PROCESSING"}', 'svc-payments'],
      ['2026-11-18T16:40:03.000Z', '{"S":"PROCESSING"}', '{"S":"PICKED"}', 'warehouse-3'],
      ['2026-11-19T06:12:48.000Z', '{"S":"PICKED"}', '{"S":"SHIPPED"}', 'svc-shipping'],
      ['2026-11-19T18:55:19.000Z', '{"S":"SHIPPED"}', '{"S":"DELIVERED"}', 'courier-7'],
      ['2026-11-20T11:47:52.000Z', '{"S":"DELIVERED"}', '{"S":"RETURNED"}', expect.any(String)],
    ])
    const history = await readHistory(engine, table, order.item_key)
    expect([history.changes.length, history.confidence]).toEqual([11, 'UNBROKEN'])
  })
})
