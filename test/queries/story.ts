/** A small archive by hand: three orders over two days. Expected rows in the tests are read off here. */
import { beforeAll } from 'vitest'
import { askQuery } from '../../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { type Row, rowsOf, type Value } from '../../queries/engines/rows.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import {
  type Attributes,
  type RecordContent,
  type StreamsFields,
  streamsRecord,
  TIME_TO_LIVE,
  tableConfiguration,
} from '../factories.js'

/** Seconds since 1970 of a time in November 2026: `20T10:00:00`. */
export function november(time: string): number {
  return Date.parse(`2026-11-${time}Z`) / 1000
}

/** Microseconds since 1970. */
export function microseconds(time: string): bigint {
  return BigInt(november(time) * 1_000_000)
}

export function keyOf(order: string): string {
  return `{"order_id":{"S":"${order}"}}`
}

let sequence = 1000

/** A change of an order; images without the key, undefined for none. Each comes after all that were built before. */
export function change(
  order: string,
  time: string,
  before: Attributes | undefined,
  after: Attributes | undefined,
  fields: StreamsFields = {},
): RecordContent {
  const Keys = { order_id: { S: order } }
  sequence++
  return streamsRecord({
    Keys,
    OldImage: before && { ...Keys, ...before },
    NewImage: after && { ...Keys, ...after },
    eventID: `event-${sequence}`,
    ApproximateCreationDateTime: november(time),
    SequenceNumber: String(sequence),
    ...fields,
  })
}

export const STORY_TABLE = tableConfiguration({
  actor: ['updated_by'],
  columns: [
    { column: 'status', path: ['status'], type: 'string' },
    { column: 'total', path: ['total'], type: 'decimal(12,2)' },
  ],
})

const by = (name: string) => ({ updated_by: { S: name } })
const A1 = { status: { S: 'PENDING' }, total: { N: '45.5' }, ...by('alice') }
const A2 = { status: { S: 'PENDING' }, total: { N: '50' }, ...by('bob') }
const A3 = { status: { S: 'PROCESSING' }, total: { N: '50' }, ...by('bob') }
const A4 = { status: { S: 'SHIPPED' }, total: { N: '50' }, note: { NULL: true }, ...by('dora') }
const A5 = { status: { S: 'PENDING' }, ...by('carol') }
const B1 = { status: { S: 'PENDING' }, ...by('alice') }
const C1 = { status: { N: '7' }, total: { S: 'n/a' } }

export const STORY: readonly RecordContent[] = [
  change('A', '20T10:00:00', undefined, A1),
  // within the same second
  change('A', '20T10:00:00', A1, A2),
  change('B', '20T11:00:00', undefined, B1),
  change('A', '20T12:30:00', A2, A3),
  change('A', '21T00:00:00', A3, A4),
  change('B', '21T00:00:00', B1, undefined, { userIdentity: TIME_TO_LIVE }),
  change('A', '21T08:00:00', A4, undefined),
  change('A', '21T09:00:00', undefined, A5),
  change('C', '21T10:00:00', undefined, C1),
]

/** An archive to ask, filled before the tests of its `describe`. */
export interface Asked {
  /** The answer of a saved query, the named columns of it, a row a line. */
  ask(
    query: string,
    parameters: Readonly<Record<string, string>>,
    columns: readonly string[],
  ): Promise<readonly (readonly Value[])[]>
  askRows(query: string, parameters?: Readonly<Record<string, string>>): Promise<readonly Row[]>
  readonly engine: DuckDbEngine
}

export function archiveOf(records: readonly RecordContent[], configuration: TableConfiguration = STORY_TABLE): Asked {
  const root = temporaryFolder()
  let engine: DuckDbEngine
  beforeAll(async () => {
    // in two deliveries, the second of which repeats the first's last record
    const half = Math.ceil(records.length / 2)
    await ingestRecords(root, records.slice(0, half), { configuration })
    await ingestRecords(root, records.slice(half - 1), { configuration })
    engine = await DuckDbEngine.open(root, [configuration])
    return () => engine.close()
  })
  const askRows = async (query: string, parameters = {}) => [
    ...rowsOf(await askQuery(engine, SAVED_QUERIES.get(query) as SavedQuery, configuration, parameters)),
  ]
  return {
    askRows,
    ask: async (query, parameters, columns) =>
      (await askRows(query, parameters)).map(row => columns.map(column => row[column] as Value)),
    get engine() {
      return engine
    },
  }
}
