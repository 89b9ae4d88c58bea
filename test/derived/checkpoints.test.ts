import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkCopy } from '../../derived/check.js'
import { daysIn } from '../../derived/derived-folder.js'
import { compactTable } from '../../derived/desk-compactor.js'
import { ROWS_FILE } from '../../derived/duckdb-tables.js'
import { type StateCheckpoint, sizeOf } from '../../derived/manifest.js'
import { Workbench } from '../../derived/workbench.js'
import { openDesk } from '../../library/open-archive.js'
import { type ItemOfTable, itemsAt } from '../../queries/verdict/table-at.js'
import { checkpointFolderPrefix } from '../../transform/derived.js'
import { rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { STREAM_ARN, streamsRecord, tableConfiguration } from '../factories.js'
import { alterRows, parquetUnder } from '../store/altering.js'
import { forgeManifest, manifestIn, rewrite } from './manifest-in.js'

const TABLE = tableConfiguration()
const FIRST_DAY = Date.UTC(2026, 10, 10) / 1000
const DAY = 86_400
const OTHER_STREAM = STREAM_ARN.replace('2026-01-01', '2026-11-10')

/** One change of an item to version `to`; `at` in seconds since the first day. */
function change(
  item: string,
  at: number,
  to: number,
  more: { readonly sequence?: number; readonly stream?: string } = {},
) {
  const Keys = { order_id: { S: item } }
  const image = (v: number) => ({ ...Keys, v: { N: String(v) } })
  return streamsRecord({
    Keys,
    eventID: `${item}-${at}-${to}`,
    eventSourceARN: more.stream ?? STREAM_ARN,
    SequenceNumber: String(more.sequence ?? 1000 + at),
    ApproximateCreationDateTime: FIRST_DAY + at,
    NewImage: image(to),
    ...(to > 0 && { OldImage: image(to - 1), eventName: 'MODIFY' as const }),
  })
}

async function add(root: string, records: readonly object[]): Promise<void> {
  await writeRows(
    root,
    records.flatMap(record => rowsOfRecord(record)),
  )
}

async function statesAt(root: string, at: number) {
  const engine = await openDesk(root, [TABLE])
  const items: ItemOfTable[] = []
  for await (const item of itemsAt(engine, TABLE, { us: (FIRST_DAY + at) * 1_000_000 })) items.push(item)
  const remarks = engine.remarks()
  engine.close()
  return { items, remarks }
}

const OFTEN = { checkpointBytes: 1 }

function daysOf(root: string): readonly string[] {
  return manifestIn(root).checkpoints.map(({ day }) => day)
}

/** Makes the objects of a day unreadable without a change of their size. */
function damage(root: string, date: string): void {
  const folder = join(root, `data/Orders/event_date=${date}`)
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), readFileSync(join(folder, name)).fill(7))
}

describe('checkpoints', () => {
  let root: string
  afterEach(() => {
    vi.restoreAllMocks()
  })
  beforeEach(async () => {
    root = temporaryFolder()
    // one item that ends on the first day, one that goes on, one that is new on the third
    await add(
      root,
      [0, 1, 2].map(v => change('A', 10 * v, v)),
    )
    for (const day of [0, 1, 2, 3]) await add(root, [change('B', day * DAY + 100, day)])
    await add(root, [change('C', 2 * DAY + 5, 0)])
  })

  it('are there at the end of each day, but the newest, after which as many bytes have come as the last has', async () => {
    const { manifest } = await compactTable(root, 'Orders', OFTEN)
    const listed = await daysIn(root, 'Orders')
    const due: string[] = []
    let [since, last] = [0, 0]
    for (const day of [...listed.keys()].slice(0, -1)) {
      since += listed.get(day)?.bytes ?? 0
      if (since < last) continue
      due.push(day)
      since = 0
      last = sizeOf(manifest.checkpoints[due.length - 1]?.files ?? '').bytes
    }
    expect(manifest.checkpoints.map(({ day }) => day)).toEqual(due)
    expect(due.length).toBeGreaterThan(1)
    // a row of each item that was there, whatever came before
    expect(manifest.checkpoints[0]).toMatchObject({ day: '2026-11-10', rows: 2, items: 2 })
    for (const { rows, items } of manifest.checkpoints) expect(rows).toBe(items)
  })

  it('count the items that they hold, and tell those that were gone from those that were there', async () => {
    const Keys = { order_id: { S: 'A' } }
    const [eventName, OldImage] = ['REMOVE' as const, { ...Keys, v: { N: '2' } }]
    const made = { eventID: 'A-gone', SequenceNumber: '1040', ApproximateCreationDateTime: FIRST_DAY + 40 }
    await add(root, [streamsRecord({ Keys, eventName, OldImage, ...made })])
    const { manifest } = await compactTable(root, 'Orders', OFTEN)
    expect(manifest.checkpoints[0]).toMatchObject({ day: '2026-11-10', rows: 2, items: 2 })
    expect((await statesAt(root, DAY - 1)).items).toHaveLength(1)
  })

  it('are made only where enough bytes have come since the last', async () => {
    expect((await compactTable(root, 'Orders')).manifest.checkpoints).toEqual([])
    const days = [...(await daysIn(root, 'Orders')).values()].map(({ bytes }) => bytes) as [number, number]
    const checkpointBytes = days[0] + days[1]
    const { manifest } = await compactTable(root, 'Orders', { rebuild: true, checkpointBytes })
    expect(manifest.checkpoints.map(({ day }) => day)).toEqual(['2026-11-11'])
  })

  it('answer what a table held without the days before them', async () => {
    const moments = [DAY - 1, 2 * DAY + 5, 3 * DAY + 100, 9 * DAY]
    const before = []
    for (const at of moments) before.push(await statesAt(root, at))
    await compactTable(root, 'Orders', OFTEN)
    const after = []
    for (const at of moments) after.push(await statesAt(root, at))
    expect(after).toEqual(before)
    for (const date of ['2026-11-10', '2026-11-11', '2026-11-12']) damage(root, date)
    expect(await statesAt(root, 3 * DAY + 100)).toEqual(before[2])
    expect(await statesAt(root, 9 * DAY)).toEqual(before[3])
    // the state of the first day needs that day, and no checkpoint stands for it
    await expect(statesAt(root, DAY - 1)).rejects.toThrow()
  })

  it('tell of an image that was altered in the archive before, as the archive does', async () => {
    await alterRows(
      parquetUnder(join(root, 'data/Orders/event_date=2026-11-10')),
      { new_image: 'replace(new_image, \'"v"\', \'"w"\')' },
      'new_image like \'%"A"%\'',
    )
    const before = await statesAt(root, 3 * DAY)
    expect(before.items.map(({ confidence }) => confidence)).toContain('ALTERED')
    await compactTable(root, 'Orders', OFTEN)
    for (const date of ['2026-11-10', '2026-11-11']) damage(root, date)
    expect((await statesAt(root, 3 * DAY)).items).toEqual(before.items)
  })

  it('are not published where an image was written that the archive does not have', async () => {
    const { query } = Workbench.prototype
    vi.spyOn(Workbench.prototype, 'query').mockImplementation(function (this: Workbench, sql, values) {
      const other = 'replace (null::varchar as old_image, upper(new_image) as new_image)'
      return query.call(this, sql.replace('replace (null::varchar as old_image)', other), values)
    })
    await expect(compactTable(root, 'Orders', OFTEN)).rejects.toThrow(/^checkpoint of Orders at .* of digest/)
    expect(daysOf(root)).toEqual([])
  })

  it('are passed over when a row of their days comes late, and made anew by the next compaction', async () => {
    await compactTable(root, 'Orders', OFTEN)
    const old = manifestIn(root).checkpoints.map(({ name }) => name)
    await add(root, [change('A', DAY + 7, 3)])
    expect((await statesAt(root, 3 * DAY)).items.map(({ itemKey, last }) => [itemKey, last?.event_time_us])).toEqual([
      ['{"order_id":{"S":"A"}}', (FIRST_DAY + DAY + 7) * 1_000_000],
      ['{"order_id":{"S":"B"}}', (FIRST_DAY + 2 * DAY + 100) * 1_000_000],
      ['{"order_id":{"S":"C"}}', (FIRST_DAY + 2 * DAY + 5) * 1_000_000],
    ])
    const late = await statesAt(root, 3 * DAY)
    await compactTable(root, 'Orders', OFTEN)
    const checkpoints = manifestIn(root).checkpoints
    expect(checkpoints.map(({ name }) => old.includes(name))).toEqual([true, false, false])
    expect(await statesAt(root, 3 * DAY)).toEqual(late)
  })

  it('give way to the archive, with a remark, when one is damaged', async () => {
    const expected = await statesAt(root, 3 * DAY)
    await compactTable(root, 'Orders', OFTEN)
    const { checkpoints } = manifestIn(root)
    for (const { name } of checkpoints) {
      const path = join(root, checkpointFolderPrefix('Orders', name), 'rows.parquet')
      writeFileSync(path, readFileSync(path).fill(7, 4, 300))
    }
    const found = await statesAt(root, 3 * DAY)
    expect(found).toEqual({ ...expected, remarks: [expect.stringContaining('the archive was asked instead')] })
  })

  it('keep what decides the order of two streams of one item', async () => {
    // the first stream began first, so of changes of one second its own comes first: the other stream's is the last
    await add(root, [
      change('D', 1, 0),
      change('D', 2, 1, { stream: OTHER_STREAM }),
      change('D', 5, 2, { stream: OTHER_STREAM }),
      change('D', 3 * DAY + 50, 3),
      change('D', 3 * DAY + 50, 4, { stream: OTHER_STREAM }),
    ])
    const expected = await statesAt(root, 4 * DAY)
    expect(expected.items.find(({ itemKey }) => itemKey.includes('D'))?.image).toContain('"N":"4"')
    await compactTable(root, 'Orders', OFTEN)
    expect(await statesAt(root, 4 * DAY)).toEqual(expected)
  })

  it('hold although a later record is older in its stream than one before it', async () => {
    await add(root, [
      change('E', 1, 0, { sequence: 10 }),
      change('E', 2, 1, { sequence: 12 }),
      change('E', 4, 2, { stream: OTHER_STREAM, sequence: 5 }),
      // its time is of the last day, its place is before what came on the first
      change('E', 3 * DAY + 60, 5, { sequence: 11 }),
    ])
    const expected = await statesAt(root, 4 * DAY)
    await compactTable(root, 'Orders', OFTEN)
    expect(await statesAt(root, 4 * DAY)).toEqual(expected)
    expect(daysOf(root)).toEqual(['2026-11-10', '2026-11-12'])
  })

  const stateOfA = (column: string) =>
    `case when item_key like '%"B"%' then (select any_value(${column}) from old where item_key like '%"A"%') else ${column} end as ${column}`

  it.each([
    ['lacks', `where item_key not like '%"C"%'`, 'C'],
    ['has another state of', `select * replace (${stateOfA('new_image')}, ${stateOfA('new_hash')})`, 'B'],
  ])('are found out by a check where one %s an item', async (_, what, item) => {
    await compactTable(root, 'Orders', OFTEN)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([])
    const last = manifestIn(root).checkpoints.at(-1) as StateCheckpoint
    const key = `${checkpointFolderPrefix('Orders', last.name)}${ROWS_FILE}`
    await rewrite(join(root, key), `from old ${what}`)
    forgeManifest(root, key)
    expect((await checkCopy(root, 'Orders')).problems).toEqual([
      `checkpoint at the end of ${last.day} gives another state of {"order_id":{"S":"${item}"}} than the copy`,
    ])
  })
})
