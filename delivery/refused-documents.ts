import { RECORD_BYTES } from '../aws/firehose-limits.js'
import { readDocuments } from '../capture/document-reader.js'
import { readEnvelope } from '../capture/envelope.js'
import { isOverlong } from '../capture/overlong.js'
import { isBeginningOnly } from '../capture/overlong-record.js'
import { nameOrigin } from '../capture/unnamed-record.js'
import { OTHER_REGION } from '../store/refused-objects.js'
import type { KeptEntry, RefusedEntry } from '../store/refused-reader.js'
import { columnsOf } from '../transform/audit-row.js'
import { MAX_RESPONSE_BYTES } from '../transform/handler.js'
import { isObject } from '../transform/json.js'
import { dateOf } from '../transform/partition.js'
import { checkRowLine } from '../transform/row-line.js'
import { configurationId, type TableConfiguration } from '../transform/table-configuration.js'
import { transformRecord } from '../transform/transform.js'

/**
 * What can be done with one document of a refused record: it is `ready` to be sent again; the transform still refuses
 * it; it is `too-large` for Firehose; or it is a row that was not converted, or the beginning of what was too long, and
 * the change itself `needs-original`.
 */
export type Outlook = 'ready' | 'refused' | 'too-large' | 'needs-original'

/** One document of a refused record, and where it is kept. */
export interface RefusedDocument {
  readonly object: string
  readonly line: number
  readonly index: number
  readonly of: number
  readonly table: string
  readonly data: Uint8Array
  /** A record goes through the transform again, a row line only through conversion. */
  readonly form: 'record' | 'row-line'
}

/** What a document was found to be. */
export interface RefusedJudgement {
  readonly outlook: Outlook
  /** The day of the change, empty where nobody can tell. */
  readonly date: string
  /** Milliseconds since 1970: what stands in for the time of a record that has none. Undefined for the others. */
  readonly arrival: number | undefined
}

/** What a judgement takes to know. */
export interface JudgementOptions {
  readonly configurationOf: (table: string) => TableConfiguration
  /** True for an identifier of a configuration that the archive keeps. */
  readonly isKept: (table: string, configId: string) => Promise<boolean>
  /**
   * The one stream that the archive has of a table, where it goes to an archive: it is that of records that name none.
   */
  readonly streamOf?: (table: string) => Promise<string | undefined>
  /** Where it would go: rows are converted again on a desk only, and only Firehose limits a record's size. */
  readonly to: 'archive' | 'firehose'
  /** A record's bytes at most, for Firehose. @default - what the service takes */
  readonly recordBytes?: number
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** Splits a refused record: alone, a document is no longer refused for what stood beside it. */
export async function documentsOf({ object, line, entry }: KeptEntry): Promise<readonly RefusedDocument[]> {
  const isRow = entry.type === 'format-conversion-failed'
  const parts = isRow || isBeginningOnly(entry) ? [entry.data] : await partsOf(entry)
  const form = isRow ? 'row-line' : 'record'
  return parts.map((data, index) => ({ object, line, index, of: parts.length, table: entry.table, data, form }))
}

/** The documents of a refused record; one that has more than a record can have, or none, is taken as one. */
async function partsOf({ data }: RefusedEntry): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = []
  for await (const document of readDocuments(only(data))) {
    if (isOverlong(document) || parts.length === MOST_DOCUMENTS) return [data]
    parts.push(document)
  }
  return parts.length === 0 ? [data] : parts
}

/** A batch that Lambda gave up has at most 10,000 records. */
const MOST_DOCUMENTS = 100_000

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** What is not here as it was: of a row only the transform's line, of an overlong document only the beginning. */
const LOST: RefusedJudgement = { outlook: 'needs-original', date: '', arrival: undefined }
const REFUSED: RefusedJudgement = { outlook: 'refused', date: '', arrival: undefined }

/** What can be done with each document of a refused record. */
export async function judgeRefused(
  { entry }: KeptEntry,
  documents: readonly RefusedDocument[],
  options: JudgementOptions,
): Promise<readonly RefusedJudgement[]> {
  const { table, arrival } = entry
  const configuration = options.configurationOf(table)
  if (entry.type === 'format-conversion-failed') return [await judgeRow(entry.data, configuration, options)]
  if (isBeginningOnly(entry)) return [LOST]
  // the transform takes it, the archive does not, and would refuse it again
  if (entry.code === OTHER_REGION) return documents.map(() => REFUSED)
  const isUnnamed = documents.some(({ data }) => readEnvelope(data).isUnnamed)
  const streamArn = isUnnamed ? await options.streamOf?.(table) : undefined
  return documents.map(({ data }) => judgeRecord({ data, arrival, streamArn }, configuration, options))
}

/** Room in an answer of the transform for what is around the only row. */
const ENVELOPE_BYTES = 1000

function judgeRecord(
  { data, arrival, streamArn }: { data: Uint8Array; arrival: number; streamArn: string | undefined },
  configuration: TableConfiguration,
  { to, recordBytes = RECORD_BYTES, now = Date.now }: JudgementOptions,
): RefusedJudgement {
  // only a desk's delivery stream takes a record that names no table
  const named = to === 'archive' ? nameOrigin(data, configuration.table, streamArn) : data
  let outcome = transformRecord(named, now(), configuration)
  // on a desk the arrival can be given again, in Firehose it will be a new one
  const standsIn = outcome.kind === 'transformed' && outcome.rows[0]?.time_precision === 'arrival' && to === 'archive'
  if (standsIn) outcome = transformRecord(named, arrival, configuration)
  if (outcome.kind === 'refused') return REFUSED
  const { date } = outcome.partition
  const answer = Math.ceil(Buffer.byteLength(outcome.lines) / 3) * 4
  const isTooLarge = answer > MAX_RESPONSE_BYTES - ENVELOPE_BYTES || (to === 'firehose' && data.length > recordBytes)
  return { outlook: isTooLarge ? 'too-large' : 'ready', date, arrival: standsIn ? arrival : undefined }
}

/**
 * A row that was not converted can be converted later if the fault was not in it; made anew it can only be from the
 * original.
 */
async function judgeRow(
  data: Uint8Array,
  configuration: TableConfiguration,
  { to, isKept }: JudgementOptions,
): Promise<RefusedJudgement> {
  const line = Buffer.from(data).toString()
  const columns = new Map(columnsOf(configuration).map(column => [column.name, column]))
  if (to === 'firehose' || checkRowLine(line, columns) !== undefined) return LOST
  const row: unknown = JSON.parse(line)
  if (!isObject(row) || row.table_name !== configuration.table) return LOST
  const date = dateOf(Number(row.event_time_us))
  const { since } = configuration
  // a row names the configuration that it was made under, and the archive must have that one
  const configId = String(row.config_id)
  const isKnown = configId === configurationId(configuration) || (await isKept(configuration.table, configId))
  return isKnown && (since === undefined || date >= since) ? { ...LOST, outlook: 'ready', date } : LOST
}
