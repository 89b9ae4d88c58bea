import { type AuditRow, rowLine, toAuditRow } from './audit-row.js'
import { decodeChange } from './change.js'
import { type JsonDocument, splitDocuments } from './json.js'
import type { Partition } from './layout.js'
import { partitionOf } from './partition.js'
import { Refusal, shown } from './refusal.js'
import { readStreamRecord } from './stream-record.js'
import type { TableConfiguration } from './table-configuration.js'

/** A Firehose record that became audit rows, all of one table and one date. */
export interface Transformed {
  readonly kind: 'transformed'
  readonly rows: readonly AuditRow[]
  /** The row lines of `rows`. */
  readonly lines: string
  readonly partition: Partition
}

/** A Firehose record that did not: it is kept with its bytes, and `reason` names the field to look at. */
export interface Refused {
  readonly kind: 'refused'
  readonly reason: string
  /** The reason without anything that the record holds. */
  readonly outline: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * One Firehose record through the whole transform: one document or a pack of them, all or nothing, because Firehose has
 * one result and one partition for it. Never throws for bad data. `arrival` is when the delivery stream took the record
 * in, in milliseconds since 1970.
 */
export function transformRecord(data: Uint8Array, arrival: number, table: TableConfiguration): Transformed | Refused {
  return unlessRefused(() => toTransformed(splitDocuments(decodeUtf8(data)), arrival, table))
}

/** The same for a record whose documents were read already. */
export function transformDocuments(
  documents: readonly JsonDocument[],
  arrival: number,
  table: TableConfiguration,
): Transformed | Refused {
  return unlessRefused(() => toTransformed(documents, arrival, table))
}

function unlessRefused(transform: () => Transformed): Transformed | Refused {
  try {
    return transform()
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', reason: error.message, outline: error.outline }
    throw error
  }
}

function toTransformed(documents: readonly JsonDocument[], arrival: number, table: TableConfiguration): Transformed {
  const rows = documents.map(({ value }) => {
    const record = readStreamRecord(value)
    if (record.table !== table.table) {
      throw new Refusal(`record is of table ${shown(record.table)}, this delivery stream is for ${shown(table.table)}`)
    }
    return toAuditRow(decodeChange(record, table), table, arrival)
  })
  return {
    kind: 'transformed',
    rows,
    lines: rows.map(rowLine).join(''),
    partition: onePartition(rows, arrival, table),
  }
}

function decodeUtf8(data: Uint8Array): string {
  try {
    return utf8.decode(data)
  } catch {
    throw new Refusal('record is not UTF-8')
  }
}

function onePartition(rows: readonly AuditRow[], arrival: number, table: TableConfiguration): Partition {
  const partition = partitionOf(rows[0] as AuditRow)
  for (const row of rows) {
    const { date } = partitionOf(row)
    if (date !== partition.date)
      throw new Refusal(`record has changes of ${partition.date} and ${date}, expected one date`)
    checkDate(row, date, arrival, table)
  }
  return partition
}

/** Athena's partition projection hides rows outside its range without a word, so such rows must not be written. */
function checkDate(row: AuditRow, date: string, arrival: number, { since }: TableConfiguration): void {
  if (isTooEarly(date, since)) {
    throw new Refusal(`change is of ${date}, before the archive's first day ${since}, see "since" in the configuration`)
  }
  if (isTooLate(row.event_time_us, arrival)) {
    throw new Refusal(`change is of ${row.event_time} UTC, more than a day after its arrival at ${row.arrived_at} UTC`)
  }
}

/** Whether a change of this time, in microseconds, and this date may have a row. */
export function isDateAllowed(us: number, date: string, arrival: number, { since }: TableConfiguration): boolean {
  return !isTooEarly(date, since) && !isTooLate(us, arrival)
}

function isTooEarly(date: string, since: string | undefined): boolean {
  return since !== undefined && date < since
}

function isTooLate(us: number, arrival: number): boolean {
  return us > (arrival + DAY_MS) * 1000
}
