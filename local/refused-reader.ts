import { isObject, type JsonObject } from '../transform/json.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { transformRecord } from '../transform/transform.js'
import type { Archive } from './archive.js'
import { type ErrorType, REFUSED_PREFIX } from './refused-objects.js'

/** One record that the archive refused and keeps, read back from Firehose's error object. */
export interface RefusedEntry {
  readonly type: ErrorType
  readonly table: string
  readonly data: Buffer
  /** Milliseconds since 1970. */
  readonly arrival: number
  readonly code: string
  readonly message: string
}

/** Every refused record, object by object. A line that is no entry, or an unreadable object, is passed to `onDamage`. */
export async function* readRefused(archive: Archive, onDamage: (key: string) => void): AsyncGenerator<RefusedEntry> {
  for (const key of await archive.list(REFUSED_PREFIX)) {
    const [, type, table] = key.split('/') as [string, ErrorType, string]
    for (const line of Buffer.from(await archive.open(key))
      .toString()
      .split('\n')) {
      if (line === '') continue
      const entry = parseEntry(line)
      if (entry === undefined) onDamage(key)
      else yield { type, table, ...entry }
    }
  }
}

/** Both generations of Firehose's field names: `errorCode`, and `ErrorCode` or `lastErrorCode` of format conversion. */
function parseEntry(line: string): Omit<RefusedEntry, 'type' | 'table'> | undefined {
  let entry: unknown
  try {
    entry = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(entry) || typeof entry.rawData !== 'string') return undefined
  return {
    data: Buffer.from(entry.rawData, 'base64'),
    arrival: Number(entry.arrivalTimestamp ?? 0),
    code: firstText(entry, ['errorCode', 'ErrorCode', 'lastErrorCode']),
    message: firstText(entry, ['errorMessage', 'ErrorMessage', 'lastErrorMessage']),
  }
}

function firstText(entry: JsonObject, names: readonly string[]): string {
  return String(names.map(name => entry[name]).find(value => value !== undefined) ?? '')
}

/** Why a record was refused. Firehose's object has no room for the transform's reason, so the transform is asked again. */
export function reasonOf(entry: RefusedEntry, table: TableConfiguration): string {
  if (entry.type === 'format-conversion-failed') return entry.message
  const outcome = transformRecord(entry.data, entry.arrival, table)
  return outcome.kind === 'refused' ? outcome.reason : `${entry.message}; the transform takes it now`
}
