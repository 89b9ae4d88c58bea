/**
 * A record without a time of its own has that of its arrival, which may be days late: it stands before changes of its
 * stream that were made earlier by their clock. What an item was before it came must not depend on who is asked.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askQuery } from '../../../queries/answers/ask.js'
import { savedQuery } from '../../../queries/catalog.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import type { ItemHistory } from '../../../queries/verdict/fold-history.js'
import { readHistories } from '../../../queries/verdict/histories.js'
import { archiveBegan, stateAt } from '../../../queries/verdict/state-at.js'
import { itemsAt } from '../../../queries/verdict/table-at.js'
import type { AuditRow } from '../../../transform/audit-row.js'
import { formatInstant } from '../../../transform/instant.js'
import { rowsOfRecord, temporaryFolder, writeRows } from '../../delivery/desk.js'
import { STREAM_ARN, streamsRecord, tableConfiguration } from '../../factories.js'

const table = tableConfiguration()
const KEY = '{"order_id":{"S":"A"}}'
const LATER_STREAM = STREAM_ARN.replace('2026-01-01', '2026-11-21')
const at = (day: number, hour = 0) => Date.UTC(2026, 10, day, hour)

function change(
  stream: string,
  place: number,
  time: { readonly made: number } | { readonly arrived: number },
  v?: string,
) {
  const image = (text: string) => ({ order_id: { S: 'A' }, v: { S: text } })
  const record = streamsRecord({
    eventName: v === undefined ? 'REMOVE' : 'INSERT',
    Keys: { order_id: { S: 'A' } },
    eventID: `${stream}-${place}`,
    eventSourceARN: stream,
    SequenceNumber: String(1000 + place),
    ApproximateCreationDateTime: 'made' in time ? time.made / 1000 : undefined,
    OldImage: v === undefined ? image('a') : undefined,
    NewImage: v === undefined ? undefined : image(v),
  })
  return rowsOfRecord(record, table, 'made' in time ? time.made : time.arrived)[0] as AuditRow
}

/** It was inserted and removed on the first day, and again on the second and third, as another stream tells. */
const ROWS = [
  change(STREAM_ARN, 0, { arrived: at(25) }, 'a'),
  change(STREAM_ARN, 1, { made: at(20, 12) }),
  change(LATER_STREAM, 0, { made: at(21) }, 'a'),
  change(LATER_STREAM, 1, { made: at(23) }),
]

let engine: DuckDbEngine
beforeAll(async () => {
  const root = temporaryFolder()
  await writeRows(root, ROWS, table)
  engine = await DuckDbEngine.open(root, [table])
})
afterAll(() => engine.close())

describe('an item with a record that came days late', () => {
  it.each([
    ['after the first REMOVE', at(20, 18), 'deleted'],
    ['after the second INSERT', at(22), 'present'],
    ['after the second REMOVE', at(23, 12), 'deleted'],
  ])('is the same alone, in its table and by SQL, %s', async (_, ms, expected) => {
    const moment = { us: ms * 1000 }
    const all = (await readHistories(engine, table, [KEY])).get(KEY) as ItemHistory
    const alone = stateAt(all, moment, await archiveBegan(engine, table)).state.kind
    const listed: string[] = []
    for await (const { state } of itemsAt(engine, table, moment)) listed.push(state)
    const asked = { item_key: KEY, at: formatInstant(moment.us, 6) }
    const [row] = [...rowsOf(await askQuery(engine, savedQuery('item-as-of'), table, asked))]
    expect([alone, listed[0] ?? 'deleted', row?.state]).toEqual([expected, expected, expected])
  })
})
