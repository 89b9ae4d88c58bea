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

  const calls = async (given: Readonly<Record<string, string>>) =>
    [...rowsOf(await askQuery(engine, savedQuery('write-calls'), SEATS, { ...CASES_PERIOD, ...given }))].map(plainRow)

  it('write-calls has failed calls and those without a change beside those that made one, each write by itself', async () => {
    const period = { from: '2026-11-19T10:30:00Z', to: '2026-11-19T11:00:00Z' }
    const found = (await calls(period)).map(({ operation, called_key, error, changes }) => [
      operation,
      called_key,
      error,
      changes,
    ])
    expect(found).toEqual([
      ['PutItem', '{"hall":"delete","seat":4}', null, 0],
      ['DeleteItem', '{"hall":"delete","seat":4}', null, 1],
      ['UpdateItem', '{"hall":"failed","seat":4}', 'ConditionalCheckFailedException', 0],
      // the check of a condition beside them writes nothing
      ...[1, 2, 3].map(seat => ['TransactWriteItems', `{"hall":"transact","seat":${seat}}`, null, 1]),
    ])
  })

  it('write-calls names the change of a call that can have made but one, and narrows to a caller and a table', async () => {
    const erin = await calls({ caller: 'role/admin/', to: '2026-11-19T10:35:00Z' })
    expect(erin.map(({ called_key, event_id }) => [called_key, event_id !== null])).toEqual([
      ['{"hall":"update","seat":"4"}', false],
      ['{"hall":"legacy","seat":4}', true],
      ['{"hall":"delete","seat":4}', true],
    ])
    expect((await calls({ from: '2026-11-19T11:50:00Z', to: '2026-11-19T11:51:00Z' })).map(plainRow)).toEqual([
      expect.objectContaining({ changes: 2, event_id: null }),
    ])
    expect(await calls({ caller: 'nobody' })).toEqual([])
    expect(await calls({ table: 'Seat' })).toEqual([])
  })

  it('reads every event of DynamoDB', async () => {
    expect(await engine.unread()).toEqual([])
  })
})

function plainRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])) as Row
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
