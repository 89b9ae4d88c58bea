import { endsOf } from '../../transform/ends.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { savedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import type { Row } from '../engines/rows.js'
import type { HistoryChange } from '../verdict/item-change.js'
import type { Answer } from './answer.js'
import { answerQuery } from './ask.js'

/** A call near a change, as CloudTrail keeps it. */
export interface NearCall {
  readonly caller: string
  /** `key`, `unknown key`, `other attributes`, `failed` or `stream`; the first two can have made the change. */
  readonly fit: string
  readonly operation: string | null
  readonly call_time: string | null
  readonly error: string | null
  readonly role: string | null
  readonly source_identity: string | null
  readonly invoked_by: string | null
  readonly source_ip: string | null
  readonly user_agent: string | null
  readonly request_id: string | null
  readonly call_id: string | null
}

/** Who called for one change, as far as the trail tells. */
export interface CallersOfChange {
  /** `certain`, `one of n`, `possible`, `none`, `declared`, `pending` or `not covered`. */
  readonly verdict: string
  /** How many callers, and calls, can have made it. */
  readonly callers: number
  readonly calls: number
  /** Those calls, and others beside them that cannot. */
  readonly near: readonly NearCall[]
}

/** Who called for each change of one item, by the change's id, and the answer that tells it. */
export interface FoundCallers {
  readonly answer: Answer
  readonly of: ReadonlyMap<string, CallersOfChange>
}

/**
 * Finds who called for some changes of an item, of which there is at least one: calls of the days from the first of
 * them to the last are read.
 */
export async function findCallers(
  engine: QueryEngine,
  table: TableConfiguration,
  itemKey: string,
  changes: readonly HistoryChange[],
): Promise<FoundCallers> {
  const times = changes.map(change => change.event_time_us)
  const [first, last] = endsOf(times)
  const period = { from: formatInstant(first, 6), to: formatInstant(last + 1, 6) }
  const answer = await answerQuery(engine, savedQuery('changes-with-caller'), table, { key: itemKey, ...period })
  const rows = new Map<string, Row[]>()
  for (const row of answer) rows.set(String(row.event_id), [...(rows.get(String(row.event_id)) ?? []), row])
  return { answer, of: new Map([...rows].map(([id, near]) => [id, callersIn(near)])) }
}

function callersIn(rows: readonly Row[]): CallersOfChange {
  const [{ verdict, callers, calls } = {}] = rows
  return {
    verdict: String(verdict),
    callers: Number(callers),
    calls: Number(calls),
    near: rows.filter(({ fit }) => fit !== null).map(callIn),
  }
}

function callIn(row: Row): NearCall {
  const text = (name: keyof NearCall) => (row[name] ?? null) as string | null
  return {
    caller: String(row.caller),
    fit: String(row.fit),
    operation: text('operation'),
    call_time: text('call_time'),
    error: text('error'),
    role: text('role'),
    source_identity: text('source_identity'),
    invoked_by: text('invoked_by'),
    source_ip: text('source_ip'),
    user_agent: text('user_agent'),
    request_id: text('request_id'),
    call_id: text('call_id'),
  }
}
