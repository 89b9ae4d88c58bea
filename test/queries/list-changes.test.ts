import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { readChange, readHistory } from '../../queries/answers/read-history.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import {
  type ChangeFilter,
  countDays,
  countFacets,
  type ListedChange,
  lastChangeUs,
  listChanges,
} from '../../queries/list-changes.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { rowsOfRecord, temporaryFolder, writeRows } from '../delivery/desk.js'
import { runs } from '../transform/arbitraries.js'
import { randomArchive } from './random-archive.js'
import { change } from './story.js'

const ALL: ChangeFilter = { fromUs: null, toUs: null }

/** The same engine, which does not say what it reads: nothing can be asked of few days. */
const unsaid = (engine: QueryEngine): QueryEngine =>
  Object.create(engine, { objects: { value: undefined } }) as QueryEngine

/** A whole list, some changes at a time. */
async function pages(engine: QueryEngine, table: TableConfiguration, filter: ChangeFilter, limit: number) {
  const all: ListedChange[] = []
  for (;;) {
    const last = all.at(-1)
    const after = last && { us: last.timeUs, eventId: last.eventId }
    const page = await listChanges(engine, table, filter, { after, limit })
    all.push(...page)
    if (page.length < limit) return all
  }
}

describe('a list of changes', () => {
  it('is the same whether few days are asked first or all of them, and so is what is counted', async () => {
    await fc.assert(
      fc.asyncProperty(randomArchive(8), fc.integer({ min: 1, max: 7 }), async ({ rows }, limit) => {
        const root = temporaryFolder()
        await writeRows(root, rows)
        await using archive = await openArchive(root)
        const { engine } = archive
        const table = archive.table('Orders')
        const whole = await listChanges(unsaid(engine), table, ALL, { limit: 10_000 })
        expect(await pages(engine, table, ALL, limit)).toEqual(whole)
        const event = whole[0]?.eventName
        const filter = { ...ALL, toUs: whole[0]?.timeUs ?? null, event }
        expect(await pages(engine, table, filter, limit)).toEqual(
          await listChanges(unsaid(engine), table, filter, { limit: 10_000 }),
        )
        expect(await lastChangeUs(engine, table)).toBe(await lastChangeUs(unsaid(engine), table))
        const { day } = await countFacets(engine, table, ALL)
        const days = await countDays(engine, table)
        expect(days.map(({ day, changes }) => ({ value: day, changes }))).toEqual(day)
        expect(days.reduce((sum, { deletes }) => sum + deletes, 0)).toBe(
          whole.filter(({ eventName }) => eventName === 'REMOVE').length,
        )
        for (const { itemKey, eventId, timeUs: us } of whole.slice(0, 3)) {
          const { changes } = await readHistory(engine, table, itemKey)
          const alone = await readChange(engine, table, itemKey, { eventId, us })
          expect(alone && images(alone)).toEqual(images(changes.find(({ event_id: id }) => id === eventId) as never))
        }
      }),
      { ...runs(10), endOnFailure: true },
    )
  }, 120_000)

  it('asks of many days only the last, where they have enough', async () => {
    const root = temporaryFolder()
    const records = Array.from({ length: 20 }, (_, i) =>
      change(`K${i}`, `${String(i + 1).padStart(2, '0')}T10:00:00`, undefined, { n: { N: String(i) } }),
    )
    await writeRows(
      root,
      records.flatMap(record => rowsOfRecord(record)),
    )
    await using archive = await openArchive(root)
    const { engine } = archive
    const asked: (readonly unknown[])[] = []
    const heard = Object.create(engine, {
      run: {
        value: (sql: string, values: readonly (string | number)[] = []) => {
          asked.push(values)
          return engine.run(sql, values)
        },
      },
    }) as QueryEngine
    const listed = await listChanges(heard, archive.table('Orders'), ALL, { limit: 3 })
    expect(listed.map(({ itemKey }) => JSON.parse(itemKey).order_id.S)).toEqual(['K19', 'K18', 'K17'])
    expect(asked).toEqual([['2026-11-20'], ['2026-11-13']])
    expect(await pages(engine, archive.table('Orders'), ALL, 3)).toHaveLength(20)
  })
})

const images = ({ event_id, old_image, new_image, changed, actor, repeats, conflict }: HistoryChange) => ({
  event_id,
  old_image,
  new_image,
  changed,
  actor,
  repeats,
  conflict,
})
