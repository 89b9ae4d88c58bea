/** What a table held at a moment tells of each item once, whatever the order of its changes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askQuery } from '../../../queries/answers/ask.js'
import { savedQuery } from '../../../queries/catalog.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import type { ItemHistory } from '../../../queries/verdict/fold-history.js'
import { readHistories } from '../../../queries/verdict/histories.js'
import { archiveBegan, stateAt } from '../../../queries/verdict/state-at.js'
import { hashesAt, itemsAt } from '../../../queries/verdict/table-at.js'
import { formatInstant } from '../../../transform/instant.js'
import { temporaryFolder, writeRows } from '../../delivery/desk.js'
import { tableConfiguration } from '../../factories.js'
import { BEFORE_FIRST_CHANGE, MOMENT } from '../before-first-change.js'

const table = tableConfiguration()
type Told = readonly [item: string, state: string, more: string | null | undefined]
const nameOf = (itemKey: string) => (JSON.parse(itemKey) as { order_id: { S: string } }).order_id.S

/** Each image by its hash: what it has in `v`. */
const images = new Map(
  Object.values(BEFORE_FIRST_CHANGE)
    .flat()
    .flatMap(row => [[row.old_hash, row.old_image] as const, [row.new_hash, row.new_image] as const])
    .map(([hash, image]) => [hash, image === null ? null : (JSON.parse(image) as { v: { S: string } }).v.S] as const),
)

let engine: DuckDbEngine

beforeAll(async () => {
  const root = temporaryFolder()
  await writeRows(root, Object.values(BEFORE_FIRST_CHANGE).flat(), table)
  engine = await DuckDbEngine.open(root, [table])
})

afterAll(() => engine.close())

describe('a table at a moment', () => {
  it('has each item once, with the changes that were made by then, in the order of their stream', async () => {
    const found: Told[] = []
    for await (const { itemKey, state, imageHash } of itemsAt(engine, table, { us: MOMENT }))
      found.push([nameOf(itemKey), state, images.get(imageHash) ?? null])
    expect(found.sort()).toEqual([
      ['back in time', 'present', 'c'],
      ['baseline ahead', 'unknown', null],
      ['gap, back in time', 'present', 'c'],
      ['keys only before it', 'present', 'c'],
      ['keys only, back in time', 'unknown', null],
      ['older than its REMOVE', 'unknown', null],
      ['older than its first change', 'unknown', null],
    ])
  })

  it('is as sure of each item as the item alone is, which counts all of its changes', async () => {
    const keys = Object.keys(BEFORE_FIRST_CHANGE).map(name => `{"order_id":{"S":"${name}"}}`)
    const [all, beganUs] = [await readHistories(engine, table, keys), await archiveBegan(engine, table)]
    const among: Told[] = []
    const alone: Told[] = []
    for await (const { itemKey, state, confidence } of itemsAt(engine, table, { us: MOMENT })) {
      const own = stateAt(all.get(itemKey) as ItemHistory, { us: MOMENT }, beganUs)
      among.push([nameOf(itemKey), state, confidence])
      alone.push([nameOf(itemKey), own.state.kind, own.until.confidence])
    }
    expect(among.sort()).toEqual([
      ['back in time', 'present', 'PRE-ARCHIVE'],
      ['baseline ahead', 'unknown', 'PRE-ARCHIVE'],
      ['gap, back in time', 'present', 'GAP'],
      // its first change was made before the one that counts, and has no image: it is later by its clock
      ['keys only before it', 'present', 'UNBROKEN'],
      ['keys only, back in time', 'unknown', 'KEYS-ONLY'],
      ['older than its REMOVE', 'unknown', 'PRE-ARCHIVE'],
      ['older than its first change', 'unknown', 'PRE-ARCHIVE'],
    ])
    expect(alone.sort()).toEqual(among)
  })

  it('has, by hashes alone, of an item without a change by then what its first one left', async () => {
    const found: Told[] = []
    for await (const { itemKey, state, hash } of hashesAt(engine, table, MOMENT))
      found.push([nameOf(itemKey), state, images.get(hash) ?? null])
    expect(found.sort()).toEqual([
      ['back in time', 'present', 'c'],
      ['baseline ahead', 'older', 'a'],
      ['gap, back in time', 'present', 'c'],
      ['keys only before it', 'present', 'c'],
      ['keys only, back in time', 'unknown', null],
      ['older than its REMOVE', 'older', 'a'],
      ['older than its first change', 'older', 'a'],
    ])
  })
})

describe('what differs in a table between two moments', () => {
  it('is unknown of an item that its first change in the archive found there already', async () => {
    const period = { from: formatInstant(MOMENT, 6), to: formatInstant(MOMENT + 10_000_000, 6) }
    const answer = await askQuery(engine, savedQuery('diff-of-table'), table, period)
    const found = [...rowsOf(answer)].map(row => [nameOf(String(row.item_key)), row.difference, row.attributes])
    expect(found.sort()).toEqual([
      ['baseline ahead of its beginning', 'added', ['order_id', 'v']],
      ['baseline ahead', 'unknown', []],
      ['keys only, back in time', 'unknown', []],
      ['made after it', 'added', ['order_id', 'v']],
      ['older than its REMOVE', 'unknown', []],
      ['older than its first change', 'unknown', []],
    ])
  })
})
