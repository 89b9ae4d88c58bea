import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readHistory } from '../../../queries/answers/read-history.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import type { ItemHistory } from '../../../queries/verdict/fold-history.js'
import { readHistories } from '../../../queries/verdict/histories.js'
import { archiveBegan, stateAt } from '../../../queries/verdict/state-at.js'
import { itemsAt } from '../../../queries/verdict/table-at.js'
import { thenOf, thenOfTable } from '../../../restore/restore-plan.js'
import { ingestRecords, temporaryFolder } from '../../delivery/desk.js'
import { tableConfiguration } from '../../factories.js'
import { runs } from '../../transform/arbitraries.js'
import { BEGIN, randomRecords } from '../random-archive.js'

const TABLE = tableConfiguration()

/** An archive of random lives, some of whose changes came twice. */
async function withArchive(items: number, ask: (engine: DuckDbEngine, keys: readonly string[]) => Promise<void>) {
  await fc.assert(
    fc.asyncProperty(randomRecords(items), async ({ records }) => {
      const root = temporaryFolder()
      await ingestRecords(root, records)
      await ingestRecords(
        root,
        records.filter((_, i) => i % 3 === 0),
      )
      const engine = await DuckDbEngine.open(root, [TABLE])
      try {
        const answer = await engine.run('select distinct item_key from orders order by item_key')
        await ask(
          engine,
          [...rowsOf(answer)].map(row => row.item_key as string),
        )
      } finally {
        engine.close()
      }
    }),
    { ...runs(1), endOnFailure: true },
  )
}

describe('readHistories', () => {
  it('reads of many items at once what readHistory reads of each', async () => {
    await withArchive(30, async (engine, keys) => {
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
    await withArchive(120, async (engine, keys) => {
      const all = await readHistories(engine, TABLE, keys)
      const beganUs = await archiveBegan(engine, TABLE)
      for (const us of [0, 1_000_000, 3_500_000, 9_000_000].map(later => BEGIN * 1_000_000 + later)) {
        const listed = new Map<string, ReturnType<typeof thenOf>>()
        for await (const item of itemsAt(engine, TABLE, { us })) {
          expect([item.itemKey, listed.has(item.itemKey)]).toEqual([item.itemKey, false])
          listed.set(item.itemKey, thenOfTable(item, { us }))
        }
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
