import { describe, expect, it } from 'vitest'
import { askQuery } from '../../../queries/answers/ask.js'
import { readHistory } from '../../../queries/answers/read-history.js'
import { bindQuery } from '../../../queries/bind.js'
import { savedQuery } from '../../../queries/catalog.js'
import type { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import type { Scope } from '../../../queries/engines/engine.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import type { ItemHistory } from '../../../queries/verdict/fold-history.js'
import { readHistories } from '../../../queries/verdict/histories.js'
import { lastOfLinked } from '../../../queries/verdict/last-of-linked.js'
import { archiveBegan, stateAt } from '../../../queries/verdict/state-at.js'
import { type ItemOfTable, itemsAt } from '../../../queries/verdict/table-at.js'
import { thenOf, thenOfTable } from '../../../restore/restore-plan.js'
import { formatInstant } from '../../../transform/instant.js'
import { tableConfiguration } from '../../factories.js'
import { BEGIN, withRandomArchive } from '../random-archive.js'

const TABLE = tableConfiguration()

async function keysIn(engine: DuckDbEngine): Promise<readonly string[]> {
  const answer = await engine.run('select distinct item_key from orders order by item_key')
  return [...rowsOf(answer)].map(row => row.item_key as string)
}

describe('readHistories', () => {
  it('reads of many items at once what readHistory reads of each', async () => {
    await withRandomArchive(30, async engine => {
      const keys = await keysIn(engine)
      const all = await readHistories(engine, TABLE, [...keys, '{"order_id":{"S":"never seen"}}'])
      expect(all.size).toBe(keys.length + 1)
      expect(all.get('{"order_id":{"S":"never seen"}}')?.changes).toEqual([])
      const shown = ({ changes, findings, confidence }: ItemHistory) => ({
        changes: changes.map(({ event_id, old_image, new_image, repeats, conflict, actor }) => [
          event_id,
          old_image,
          new_image,
          repeats,
          conflict,
          actor,
        ]),
        findings,
        confidence,
      })
      for (const key of keys) {
        const [many, one] = [all.get(key) as ItemHistory, await readHistory(engine, TABLE, key)]
        expect([key, shown(many)]).toEqual([key, shown(one)])
      }
    })
  })
})

describe('what an item was', () => {
  it('is the same by its own history and among all items of its table', async () => {
    await withRandomArchive(120, async engine => {
      const keys = await keysIn(engine)
      const all = await readHistories(engine, TABLE, keys)
      const beganUs = await archiveBegan(engine, TABLE)
      for (const us of [0, 1_000_000, 3_500_000, 9_000_000].map(later => BEGIN * 1_000_000 + later)) {
        const listed = new Map<string, ReturnType<typeof thenOf>>()
        const words: (readonly [key: string, table: string, item: string])[] = []
        for await (const item of itemsAt(engine, TABLE, { us })) {
          expect([item.itemKey, listed.has(item.itemKey)]).toEqual([item.itemKey, false])
          listed.set(item.itemKey, thenOfTable(item, { us }))
          const own = stateAt(all.get(item.itemKey) as ItemHistory, { us }, beganUs)
          words.push([item.itemKey, item.confidence, own.until.confidence])
        }
        expect(words.filter(([, among, own]) => among !== own)).toEqual([])
        // not narrowed, the statement tells the same of items whose changes hang together
        const wide = bindQuery(savedQuery('table-as-of'), TABLE, { at: formatInstant(us, 6) })
        const narrowing = lastOfLinked(savedQuery('table-as-of'), TABLE, us, wide.parameters, false)
        const scope = { ...(wide.scope as Scope), narrowing }
        expect([...rowsOf(await engine.run(wide.sql, wide.values, { scope }))]).toEqual([
          ...rowsOf(await engine.run(wide.sql, wide.values)),
        ])
        for (const key of keys) {
          const own = thenOf(stateAt(all.get(key) as ItemHistory, { us }, beganUs), { us })
          const among = listed.get(key)
          // which of contradictory changes of one time came first, and so whether the item was there before, is open
          if (own.state !== 'present' && among?.state !== 'present') continue
          expect([key, us, among?.state, among?.image]).toEqual([key, us, own.state, own.image])
        }
      }
    })
  })
})

describe('what differs in a table between two moments', () => {
  it('is what the table held at each of them, compared', async () => {
    await withRandomArchive(120, async engine => {
      const began = await engine.run('select item_key, min(event_time_us) as us from orders group by item_key')
      const beganUs = new Map([...rowsOf(began)].map(({ item_key, us }) => [item_key as string, Number(us)]))
      const itemsOf = async (us: number) => {
        const items = new Map<string, ItemOfTable>()
        for await (const item of itemsAt(engine, TABLE, { us })) items.set(item.itemKey, item)
        return items
      }
      for (const [fromUs, toUs] of [
        [0, 2_500_000],
        [1_000_000, 3_500_000],
        [3_500_000, 9_000_000],
      ].map(span => span.map(later => BEGIN * 1_000_000 + later)) as [number, number][]) {
        const [before, after] = [await itemsOf(fromUs), await itemsOf(toUs)]
        const period = { from: formatInstant(fromUs, 6), to: formatInstant(toUs, 6) }
        const answer = await askQuery(engine, savedQuery('diff-of-table'), TABLE, period)
        const found = [...rowsOf(answer)].map(row => [row.item_key, row.difference])
        const expected = [...beganUs].flatMap(([key, us]) => {
          // nobody knows what it was, but no row tells that it was another
          if (us > toUs) return []
          const [one, other] = [before.get(key), after.get(key)]
          if (one?.state === 'unknown' || other?.state === 'unknown') return [[key, 'unknown']]
          if (one?.image === other?.image) return []
          return [[key, one === undefined ? 'added' : other === undefined ? 'removed' : 'changed']]
        })
        expect(found.sort()).toEqual(expected.sort())
        // not narrowed, the statement tells the same of items whose changes hang together
        const wide = bindQuery(savedQuery('diff-of-table'), TABLE, period)
        expect([...rowsOf(await engine.run(wide.sql, wide.values))]).toEqual([...rowsOf(answer)])
      }
    })
  })
})
