/** A table's life in two days and a half, as a stream tells it and as an incremental export does. */
import type { DynamoDBRecord } from 'aws-lambda'
import { toldChange } from '../../capture/told-states.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import { compareNetChanges, type ToldChanges, withLastChanges } from '../../restore/net-changes.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { linesOf, run } from '../cli/command-line.js'
import { streamsRecord, tableConfiguration } from '../factories.js'

/** An item at an instant becomes another; null where it is deleted. */
export interface Write {
  readonly id: string
  readonly at: string
  readonly status: string | null
  /** True of a change that never came into the archive. */
  readonly lost?: true
}

export const FROM = '2026-11-22T00:00:00Z'
export const TO = '2026-11-23T00:00:00Z'
const WINDOW = { fromUs: Date.parse(FROM) * 1000, toUs: Date.parse(TO) * 1000 }

const imageOf = (id: string, status: string) => ({ order_id: { S: id }, status: { S: status } })

/** What a write of what is there already does: nothing, in a stream as in an export. */
function changesOf(writes: readonly Write[]) {
  const items = new Map<string, string>()
  return writes.flatMap((write, i) => {
    const before = items.get(write.id) ?? null
    if (before === write.status) return []
    if (write.status === null) items.delete(write.id)
    else items.set(write.id, write.status)
    return [{ ...write, before, number: i }]
  })
}

/** The stream's records of what was not lost. */
function recordsOf(writes: readonly Write[]): readonly DynamoDBRecord[] {
  return changesOf(writes)
    .filter(({ lost }) => lost !== true)
    .map(({ id, at, status, before, number }) =>
      streamsRecord({
        eventID: `event${number}`,
        eventName: before === null ? 'INSERT' : status === null ? 'REMOVE' : 'MODIFY',
        ApproximateCreationDateTime: Math.floor(Date.parse(at) / 1000),
        SequenceNumber: String(4421584500000000017450439091n + BigInt(number)),
        Keys: { order_id: { S: id } },
        OldImage: before === null ? undefined : imageOf(id, before),
        NewImage: status === null ? undefined : imageOf(id, status),
      }),
    )
}

/** The lines of the export of the window: of each item that was written in it what it was before and after. */
export function exportOf(writes: readonly Write[]): readonly object[] {
  const inside = changesOf(writes).filter(({ at }) => at >= FROM && at < TO)
  return [...new Set(inside.map(({ id }) => id))].flatMap(id => {
    const own = inside.filter(one => one.id === id)
    const [before, after] = [own[0]?.before ?? null, own.at(-1)?.status ?? null]
    // what was made and deleted again is not told
    if (before === null && after === null) return []
    return [
      {
        Metadata: { WriteTimestampMicros: String(Date.parse(own.at(-1)?.at as string) * 1000) },
        Keys: { order_id: { S: id } },
        ...(before !== null && { OldImage: imageOf(id, before) }),
        ...(after !== null && { NewImage: imageOf(id, after) }),
      },
    ]
  })
}

/** Archives what was not lost. */
export async function archiveWrites(root: string, writes: readonly Write[]): Promise<void> {
  const { exit, err } = await run(['ingest', '-', '--archive', root], { stdin: linesOf(recordsOf(writes)) })
  if (exit !== 0) throw new Error(err)
}

/** What an export of the window tells. */
function toldOf(lines: readonly object[]): ToldChanges {
  const changes = lines.map((line, i) =>
    toldChange({ text: JSON.stringify(line), where: `line ${i}` }, tableConfiguration()),
  )
  return new Map(
    changes.map(({ before, after }) => [
      after.itemKey,
      { before: before.hash ?? 'absent', after: after.hash ?? 'absent' },
    ]),
  )
}

/** Compares an archive with an export, with the times of what differs. */
export async function compareWindow(engine: QueryEngine, table: TableConfiguration, lines: readonly object[]) {
  return withLastChanges(engine, table, WINDOW, await compareNetChanges(engine, table, WINDOW, toldOf(lines)))
}

/** Compares an archive on this disk with an export. */
export async function compareOnDesk(root: string, lines: readonly object[]) {
  const engine = await DuckDbEngine.open(root, [tableConfiguration()])
  try {
    return await compareWindow(engine, tableConfiguration(), lines)
  } finally {
    engine.close()
  }
}

export const keyOf = (id: string) => `{"order_id":{"S":"${id}"}}`
