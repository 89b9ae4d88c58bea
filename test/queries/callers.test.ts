import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askQuery } from '../../queries/answers/ask.js'
import { savedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { canonicalAttributes, canonicalItem } from '../../transform/attribute-value.js'
import { CALLER_CASES, CASES_PERIOD, callersDesk, SEATS } from './callers.js'

describe('changes-with-caller', () => {
  let engine: DuckDbEngine
  let rows: readonly Row[]

  beforeAll(async () => {
    const { root, trail } = await callersDesk()
    engine = await DuckDbEngine.open(root, [SEATS], { cloudtrail: trail })
    rows = [...rowsOf(await askQuery(engine, savedQuery('changes-with-caller'), SEATS, CASES_PERIOD))]
  })

  afterAll(() => engine.close())

  it.each([...CALLER_CASES])('%s: as the fixture says', (_, { changes, answer }) => {
    const keys = changes.map(({ key }) => canonicalItem(canonicalAttributes(key, 'key', 'once'), 'key'))
    const found = rows
      .filter(row => keys.includes(row.item_key as string))
      .map((row, i) => Object.fromEntries(Object.keys(answer[i] ?? row).map(name => [name, plain(row[name])])))
    expect(found).toEqual(answer)
  })

  it('reads every event of DynamoDB', async () => {
    expect(await engine.unread()).toEqual([])
  })
})

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
