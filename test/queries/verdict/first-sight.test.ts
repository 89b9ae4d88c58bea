/** That what tells nothing is found at first sight: answers are the same without, but for their cost. */
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { parseSavedQuery, renderQuery } from '../../../queries/catalog.js'
import {
  balanceOfAll,
  breaksOfAll,
  chainsOf,
  continuityOfAll,
  olderItems,
  rowSpansOfAll,
  rowsOfEachItem,
  spansOfAll,
} from '../../../queries/each-item.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import type { QueryEngine } from '../../../queries/engines/engine.js'
import { NarrowedTables } from '../../../queries/engines/narrowed-tables.js'
import { type Row, rowsOf } from '../../../queries/engines/rows.js'
import { readArchiveFacts } from '../../../queries/verdict/archive-facts.js'
import { anchorFindings, findingsByItem, type TableFinding } from '../../../queries/verdict/continuity.js'
import { digestOfStates } from '../../../queries/verdict/states-digest.js'
import { hashesAt, type ItemOfTable, itemsAt } from '../../../queries/verdict/table-at.js'
import { type ItemSpan, spansOfItems } from '../../../queries/verdict/table-extent.js'
import type { AuditRow } from '../../../transform/audit-row.js'
import { endsOf } from '../../../transform/ends.js'
import { askSql, rowsOfRecord, temporaryFolder, writeRows } from '../../delivery/desk.js'
import { baselineDocument, STREAM_ARN, streamsRecord, tableConfiguration } from '../../factories.js'
import { cleanItem, Dice, rowOf } from '../clean-history.js'
import { BEGIN, withRandomArchive } from '../random-archive.js'

const TABLE = tableConfiguration()
const dice = new Dice(7)
const image = (name: string, v: number) => ({ order_id: { S: name }, v: { N: String(v) } })

/** A change of an item to version `to`, and the only row of it. */
function change(name: string, to: number, more: { readonly second?: number; readonly stream?: string } = {}): AuditRow {
  const record = streamsRecord({
    Keys: { order_id: { S: name } },
    eventID: `${name}-${to}`,
    eventSourceARN: more.stream ?? STREAM_ARN,
    SequenceNumber: String(1000 + to),
    ApproximateCreationDateTime: BEGIN + (more.second ?? to),
    NewImage: image(name, to),
    ...(to > 0 && { OldImage: image(name, to - 1), eventName: 'MODIFY' as const }),
  })
  return rowsOfRecord(record)[0] as AuditRow
}

function baseline(name: string, v: number): AuditRow {
  return rowsOfRecord(baselineDocument({ time: '2026-11-21T12:00:00.000000Z', Item: image(name, v) }))[0] as AuditRow
}

const versions = (name: string, numbers: readonly number[]) => numbers.map(v => change(name, v))
const clean = (name: string, capture: 'streams' | 'kinesis') => {
  const item = cleanItem(name, capture, dice)
  return item.events.map(event => rowOf(item, event))
}

const ITEMS: Readonly<Record<string, readonly AuditRow[]>> = {
  'a clean stream': clean('a clean stream', 'streams'),
  'clean Kinesis': clean('clean Kinesis', 'kinesis'),
  'a stream from a baseline on': [
    baseline('a stream from a baseline on', 2),
    ...versions('a stream from a baseline on', [3, 4, 5]),
  ],
  'a lost change': versions('a lost change', [0, 1, 3]),
  'no beginning': versions('no beginning', [1, 2]),
  'a REMOVE alone': [{ ...change('a REMOVE alone', 1), event_name: 'REMOVE', new_image: null, new_hash: null }],
  'an INSERT that replaces': [{ ...change('an INSERT that replaces', 1), event_name: 'INSERT' }],
  'no image after': [{ ...change('no image after', 1), new_image: null, new_hash: null }],
  'a repeat': [...versions('a repeat', [0, 1, 2]), change('a repeat', 1)],
  'the last told twice': [...versions('the last told twice', [0, 1]), change('the last told twice', 1)],
  'a repeat of the first': [...versions('a repeat of the first', [1, 1, 2])],
  'a repeat and a lost change': versions('a repeat and a lost change', [0, 0, 2, 2]),
  'a repeat that says another thing': [
    ...versions('a repeat that says another thing', [0, 1, 2]),
    { ...change('a repeat that says another thing', 1), row_hash: '0'.repeat(64) },
  ],
  'a baseline told twice': [baseline('a baseline told twice', 2), baseline('a baseline told twice', 2)],
  'two streams': [
    ...versions('two streams', [0, 1]),
    change('two streams', 2, { stream: STREAM_ARN.replace('2026-01', '2026-02') }),
  ],
  'a late second': [change('a late second', 0), change('a late second', 1, { second: 9 }), change('a late second', 2)],
}

async function ask(root: string, part: string, select: string): Promise<Readonly<Record<string, string>>> {
  const text = `-- @question ?\n-- @empty none\n-- @column item varchar -- the item\nwith taken as (select * from {changes}),\n{${part}}\n${select}`
  const rows = await askSql(
    root,
    renderQuery(parseSavedQuery('first-sight', text), { changes: 'orders_deliveries' }).sql,
  )
  return Object.fromEntries(rows.map(row => [/"S":"(.*)"/.exec(String(row.item))?.[1], String(row.found)]))
}

/** Clean items of which some changes are told again, or are lost, and some were seen by a baseline first. */
function itemsToldAgain(seed: number): readonly AuditRow[] {
  const dice = new Dice(seed)
  return Array.from({ length: 60 }, (_, i) => {
    const name = `item ${i} \u{1f600}'`
    const item = cleanItem(name, i % 3 === 0 ? 'kinesis' : 'streams', dice)
    const rows = item.events.map(event => rowOf(item, event)).filter(() => dice.roll(12) > 0)
    const again = rows.filter(() => dice.roll(4) === 0).map(row => ({ ...row, arrived_at: '2026-12-01T00:00:00.000Z' }))
    return [...(i % 7 === 0 ? [baseline(name, 2)] : []), ...rows, ...again]
  }).flat()
}

describe('at first sight', () => {
  const root = temporaryFolder()
  beforeAll(() => writeRows(root, Object.values(ITEMS).flat()))

  it('an item hangs together or is looked at more closely', async () => {
    const found = await ask(
      root,
      'linked',
      'select item_key as item, max(linked) as found from linked_items group by 1',
    )
    expect(found).toEqual({
      'a clean stream': '1',
      'clean Kinesis': '1',
      'a stream from a baseline on': '1',
      'a lost change': '0',
      'no beginning': '0',
      'a REMOVE alone': '0',
      'an INSERT that replaces': '0',
      'no image after': '0',
      'a repeat': '1',
      'the last told twice': '1',
      'a repeat of the first': '0',
      'a repeat and a lost change': '0',
      'a repeat that says another thing': '0',
      'a baseline told twice': '0',
      'two streams': '0',
      // the order is the stream's, whatever the clock
      'a late second': '1',
    })
  })

  it('an item tells its last state, wherever its changes begin', async () => {
    const found = await ask(root, 'beside', 'select item_key as item, min(goes_on) as found from beside group by 1')
    expect(found).toEqual({
      'a clean stream': '1',
      'clean Kinesis': '1',
      'a stream from a baseline on': '1',
      'a lost change': '0',
      'no beginning': '1',
      'a REMOVE alone': '1',
      'an INSERT that replaces': '1',
      'no image after': '0',
      'a repeat': '1',
      'the last told twice': '1',
      'a repeat of the first': '1',
      'a repeat and a lost change': '0',
      'a repeat that says another thing': '0',
      'a baseline told twice': '0',
      'two streams': '0',
      'a late second': '1',
    })
  })

  it('a state depends on the last change of a stream, and on all whose place is not certain', async () => {
    const found = await ask(
      root,
      'superseded',
      'select item_key as item, count(*) as found from in_sequence where superseded_us is null group by 1',
    )
    expect(found).toEqual({
      'a clean stream': '1',
      // no sequences
      'clean Kinesis': String(ITEMS['clean Kinesis']?.length),
      // the baseline, the first of the stream, and the last
      'a stream from a baseline on': '3',
      'a lost change': '1',
      'no beginning': '1',
      'a REMOVE alone': '1',
      'an INSERT that replaces': '1',
      'no image after': '1',
      // only one of the two stands just before a change that is there once
      'a repeat': '3',
      'the last told twice': '3',
      'a repeat of the first': '2',
      'a repeat and a lost change': '4',
      'a repeat that says another thing': '3',
      'a baseline told twice': '2',
      'two streams': '3',
      // the second change is later by the clock than the last
      'a late second': '2',
    })
  })
})

it.each([
  ['continuity', continuityOfAll(TABLE)],
  ['balance', balanceOfAll(TABLE)],
  ['older items', olderItems(TABLE)],
  ['breaks', breaksOfAll(TABLE)],
  ['spans', spansOfAll(TABLE)],
  ['spans of rows', rowSpansOfAll(TABLE)],
])('%s of each item are the same, whether all of them are looked at or those alone that need it', async (_, asked) => {
  const compare = async (engine: DuckDbEngine) => {
    const narrow: string[] = []
    for await (const row of rowsOfEachItem(engine, TABLE, asked)) narrow.push(textOf(row))
    const all = `select ${asked.columns.join(', ')} from (${asked.sql}) as answer`
    const wide = [...rowsOf(await engine.run(all, asked.values))].map(textOf)
    expect(narrow.sort()).toEqual(wide.sort())
    return wide.length
  }
  const root = temporaryFolder()
  await writeRows(root, Object.values(ITEMS).flat())
  const engine = await DuckDbEngine.open(root, [TABLE])
  expect(await compare(engine)).toBeGreaterThan(0)
  engine.close()
  await withItemsToldAgain(compare)
  await withRandomArchive(60, async engine => void (await compare(engine)))
})

it('of older items those that no change is of by a moment are the same', async () => {
  const found = new Set<boolean>()
  const compare = async (engine: DuckDbEngine) => {
    const { columns, sql } = olderItems(TABLE)
    const wide = [...rowsOf(await engine.run(`select ${columns.join(', ')} from (${sql}) as answer`))]
    for (const later of [-1, 1, 3, 30]) {
      const us = (BEGIN + later) * 1_000_000
      const isAfter = (row: Row) => Number(row.event_time_us) > us
      const narrow: Row[] = []
      for await (const row of rowsOfEachItem(engine, TABLE, olderItems(TABLE, us))) narrow.push(row)
      const expected = wide.filter(isAfter).map(textOf)
      expect(narrow.filter(isAfter).map(textOf).sort()).toEqual(expected.sort())
      found.add(expected.length > 0)
    }
  }
  const root = temporaryFolder()
  await writeRows(root, Object.values(ITEMS).flat())
  const engine = await DuckDbEngine.open(root, [TABLE])
  await compare(engine)
  engine.close()
  await withRandomArchive(60, compare)
  expect([...found].sort()).toEqual([false, true])
})

it('what a baseline lacks is the same, whether all items are looked at or those alone that it did not see', async () => {
  let found = 0
  const compare = async (engine: DuckDbEngine) => {
    const seen = [
      ...rowsOf(
        await engine.run(`
          select source, max(event_time_us) as us from orders_deliveries where event_name = 'BASELINE' group by source`),
      ),
    ]
    for (const { source, us } of [...seen, { source: 'a baseline without rows', us: (BEGIN + 3) * 1_000_000 }])
      for (const later of [-5, 5]) {
        const asked = Number(us) + later * 1_000_000
        const anchor = { kind: 'baseline' as const, source: String(source), us: asked, untilUs: asked + 2_000_000 }
        // each engine is asked once about a baseline
        const [narrow, wide] = [Object.create(engine) as QueryEngine, wideOf(engine)].map(async each => {
          const findings: TableFinding[] = []
          for await (const finding of anchorFindings(each, TABLE, anchor)) findings.push(finding)
          return findings
        })
        const expected = await wide
        expect(await narrow).toEqual(expected)
        found += expected?.length ?? 0
      }
  }
  const root = temporaryFolder()
  await writeRows(root, Object.values(ITEMS).flat())
  const engine = await DuckDbEngine.open(root, [TABLE])
  await compare(engine)
  engine.close()
  await withRandomArchive(20, compare)
  expect(found).toBeGreaterThan(10)
})

async function withItemsToldAgain(ask: (engine: DuckDbEngine) => Promise<unknown>): Promise<void> {
  const root = temporaryFolder()
  await writeRows(root, itemsToldAgain(11))
  const engine = await DuckDbEngine.open(root, [TABLE])
  const [counted] = [
    ...rowsOf(await engine.run(`select count_if(linked = 1 and repeats > 0) as n from (${chainsOf(TABLE)})`)),
  ]
  expect(Number(counted?.n)).toBeGreaterThan(10)
  await ask(engine)
  engine.close()
}

/** Without a scope nothing is narrowed. */
const wideOf = (engine: DuckDbEngine): QueryEngine => ({
  facts: engine.facts,
  run: (sql, values) => engine.run(sql, values),
  close: () => {},
})

it('items, their hashes and the digest of them are the same at any moment', async () => {
  await withItemsToldAgain(async engine => {
    const all = async (rows: AsyncIterable<unknown>) => {
      const texts: string[] = []
      for await (const row of rows) texts.push(JSON.stringify(row))
      return texts
    }
    const sizes: number[] = []
    for (const later of [2, 30, 3600]) {
      const us = (BEGIN + later) * 1_000_000
      const items = await all(itemsAt(engine, TABLE, { us }))
      expect(items).toEqual(await all(itemsAt(wideOf(engine), TABLE, { us })))
      expect(await all(hashesAt(engine, TABLE, us))).toEqual(await all(hashesAt(wideOf(engine), TABLE, us)))
      const digests = await Promise.all([engine, wideOf(engine)].map(each => digestOfStates(each, TABLE, us, [])))
      expect(digests[0]).toBe(digests[1])
      sizes.push(items.length)
    }
    expect(Math.max(...sizes)).toBeGreaterThan(20)
  })
})

it('what several statements read is no table where there is little memory for it', async () => {
  await withItemsToldAgain(async engine => {
    const query = async (sql: string) => [...rowsOf(await engine.run(sql))].map(row => Object.values(row))
    const { sql, values, columns, narrowing } = continuityOfAll(TABLE)
    const scope = { table: TABLE.table, eachItem: columns, narrowing }
    const ask = async (memory: number) => {
      const statement = await new NarrowedTables(memory).statementOf({ sql, values }, scope, query)
      const rows = [...rowsOf(await engine.run(statement.sql, statement.values))].map(textOf)
      return { reads: /from (memory\.main\."[a-z]+)/.exec(statement.sql)?.[1], rows: rows.sort() }
    }
    const [much, little] = [await ask(448e6), await ask(1e5)]
    expect([much.reads, little.reads]).toEqual(['memory.main."told', 'memory.main."orders'])
    expect(little.rows).toEqual(much.rows)
  })
})

it.each([
  ['spans of a period are the same, too', withItemsToldAgain],
  ['and so they are of a bad year', (ask: typeof compareSpans) => withRandomArchive(60, ask)],
])('%s', async (_, withArchive) => {
  await withArchive(compareSpans)
})

async function compareSpans(engine: DuckDbEngine): Promise<void> {
  const counts: number[] = []
  for (const [fromUs, toUs] of [
    [null, 2_500_000],
    [1_000_000, null],
    [1_000_000, 2_500_000],
    [null, 400_000_000],
    [500_000_000_000, null],
  ].map(ends => ends.map(later => (later === null ? null : BEGIN * 1_000_000 + later)))) {
    const bounds = { fromUs: fromUs as number | null, toUs: toUs as number | null }
    const spansIn = async (asked: QueryEngine, apart?: readonly string[]) => {
      const spans: ItemSpan[] = []
      for await (const span of spansOfItems(asked, TABLE, bounds, apart)) spans.push(span)
      return spans
    }
    const spans = await spansIn(engine)
    expect(spans).toEqual(await spansIn(wideOf(engine)))
    counts.push(spans.length)
    // what is told together is all of the others, whatever of them has to be looked at twice
    const apart = spans.filter((_, i) => i % 3 === 0).map(({ itemKey }) => itemKey)
    const isApart = ({ itemKey }: ItemSpan) => apart.includes(itemKey)
    for (const asked of [engine, wideOf(engine)]) {
      const found = await spansIn(asked, [...apart, '{"order_id":{"S":"nobody\'s"}}'])
      expect(found.filter(isApart)).toEqual(spans.filter(isApart))
      expect(togetherOf(found.filter(span => !isApart(span)))).toEqual(togetherOf(spans.filter(span => !isApart(span))))
      expect(found.filter(span => !isApart(span)).every(({ itemKey }) => itemKey === '')).toBe(true)
    }
  }
  // none are told of an item that has no rows in the period
  expect(Math.max(...counts)).toBeGreaterThan(20)
  expect(counts.at(-1)).toBe(0)
}

function togetherOf(spans: readonly ItemSpan[]): Omit<ItemSpan, 'itemKey'> {
  const sum = (name: 'items' | 'changes') => spans.reduce((sum, span) => sum + span[name], 0)
  const [firstUs] = endsOf(spans.map(span => span.firstUs))
  const [, lastUs] = endsOf(spans.map(span => span.lastUs))
  return { firstUs, lastUs, changes: sum('changes'), items: sum('items') }
}

it('what does not fit together is asked for once, and again where it was not read to its end', async () => {
  const root = temporaryFolder()
  await writeRows(root, Object.values(ITEMS).flat())
  const engine = await DuckDbEngine.open(root, [TABLE])
  const asked = vi.spyOn(engine, 'rows')
  const facts = await readArchiveFacts(engine, TABLE)
  asked.mockClear()
  for await (const _ of findingsByItem(engine, TABLE, facts)) break
  const [whole, again] = [[], []] as unknown[][]
  for await (const found of findingsByItem(engine, TABLE, facts)) whole?.push(found)
  for await (const found of findingsByItem(engine, TABLE, facts)) again?.push(found)
  engine.close()
  expect(again).toEqual(whole)
  expect(whole?.length).toBeGreaterThan(3)
  expect(asked).toHaveBeenCalledTimes(2)
})

function textOf(row: Row): string {
  return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

it('of a last change that is told several times as-of tells one', async () => {
  const root = temporaryFolder()
  const rows = versions('told again', [0, 1]).flatMap(row => [row, { ...row, arrived_at: '2026-11-23T00:00:00.000Z' }])
  await writeRows(root, [...rows, ...clean('clean', 'streams')])
  const engine = await DuckDbEngine.open(root, [TABLE])
  const found: ItemOfTable[] = []
  for await (const item of itemsAt(engine, TABLE, { us: (BEGIN + 3600) * 1_000_000 }))
    if (item.itemKey.includes('told again')) found.push(item)
  engine.close()
  expect(found.map(({ state, imageHash, confidence }) => [state, imageHash, confidence])).toEqual([
    ['present', rows[3]?.new_hash, 'UNBROKEN'],
  ])
})

it('what an item is after a record that calls itself REMOVE and tells of a new image is what its hash says', async () => {
  const root = temporaryFolder()
  const odd = { ...change('odd', 1), event_name: 'REMOVE' } as AuditRow
  await writeRows(root, [change('odd', 0), odd, ...clean('clean', 'streams')])
  const engine = await DuckDbEngine.open(root, [TABLE])
  const found: ItemOfTable[] = []
  for await (const item of itemsAt(engine, TABLE, { us: (BEGIN + 3600) * 1_000_000 }))
    if (item.itemKey.includes('odd')) found.push(item)
  engine.close()
  expect(found.map(({ state, imageHash, last }) => [state, imageHash, last?.event_name])).toEqual([
    ['present', odd.new_hash, 'REMOVE'],
  ])
})
