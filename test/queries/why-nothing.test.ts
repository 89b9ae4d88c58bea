import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../index.js'
import type { OpenArchive } from '../../library/archive.js'
import { explainNothing } from '../../queries/answers/why-nothing.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { askAny } from './ask-any.js'
import { STORY, STORY_TABLE } from './story.js'

let archive: OpenArchive
beforeAll(async () => {
  const root = temporaryFolder()
  await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  archive = await openArchive(root)
})
afterAll(() => archive.close())

async function why(name: string, parameters: object): Promise<string | undefined> {
  const answer = await askAny(archive, name, 'Orders', parameters)
  expect(answer.length).toBe(0)
  return explainNothing(archive.engine, archive.table('Orders'), answer.asked)
}

describe('a question that finds nothing', () => {
  const late = '2030-01-01T00:00:00Z'

  it.each([
    ['deletions', { from: late }, 'no change lies in the period, its changes are from 2026-11-20T'],
    ['item-as-of', { item_key: 'A', at: '2001-01-01T00:00:00Z' }, 'no change lies in the period, its changes are from'],
    ['item-history', { item_key: 'zzz' }, 'no change of Orders is of this item'],
    ['changes-by-actor', { actor: '\' OR 1=1 --"\n' }, `no change of Orders has the actor "' OR 1=1 --\\"\\n"`],
    ['items-as-of', { column: 'status', value: 'GONE', at: late }, 'no item of Orders ever had "GONE" in status'],
    ['item-history', { item_key: 'zzz', from: late }, 'lies in the period, its changes are'],
    ['item-history', { item_key: 'zzz', from: late }, '; no change of Orders is of this item'],
    [
      'changes-by-actor',
      { actor: 'alice', from: '2026-11-20T11:30:00Z', to: '2026-11-20T13:00:00Z' },
      'each alone leaves changes of Orders, but together none: the period, the actor',
    ],
  ] as const)('says why: %s %j', async (name, parameters, reason) => {
    expect(await why(name, parameters)).toContain(reason)
  })

  it('looks for the attribute that a path is in, and for none where any will do', async () => {
    const whyOf = (attribute: string) =>
      explainNothing(archive.engine, archive.table('Orders'), { parameters: new Map([['attribute', attribute]]) })
    expect(await whyOf('nosuch.city')).toBe(
      'no change of Orders touched an attribute "nosuch", in which nosuch.city would be',
    )
    expect(await whyOf('status.deeper')).toBeUndefined()
    expect(await whyOf('')).toBeUndefined()
  })

  it('says nothing more where changes pass every filter', async () => {
    expect(await why('late-arrivals', { seconds: 999_999_999 })).toBeUndefined()
  })

  it('says so where the table has no change at all', async () => {
    const empty = await openArchive(temporaryFolder(), { tables: [tableConfiguration()] })
    const [table] = empty.tables() as [string]
    for (const { name, asksForColumn, parameters } of SAVED_QUERIES.values()) {
      if (asksForColumn) continue
      const own = parameters.filter(({ preset }) => preset !== 'facts')
      const given = Object.fromEntries(own.map(({ name, example }) => [name, example]))
      const answer = await askAny(empty, name, table, given)
      const reason =
        answer.length > 0 ? undefined : await explainNothing(empty.engine, empty.table(table), answer.asked)
      expect([name, reason]).toEqual([name, `the archive has no change of ${table}`])
    }
    await empty.close()
  })
})
