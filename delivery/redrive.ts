import { hash } from 'node:crypto'
import { RECORD_BYTES } from '../aws/firehose.js'
import { readDocuments } from '../capture/document-reader.js'
import { readEnvelope } from '../capture/envelope.js'
import { isOverlong } from '../capture/overlong.js'
import { isBeginningOnly } from '../capture/overlong-record.js'
import { nameOrigin } from '../capture/unnamed-record.js'
import type { Objects } from '../store/objects.js'
import type { Ledger } from '../store/redriven.js'
import { OTHER_REGION } from '../store/refused-objects.js'
import { type KeptEntry, openRefused, type RefusedEntry, type RefusedType, reasonOf } from '../store/refused-reader.js'
import { columnsOf } from '../transform/audit-row.js'
import { MAX_RESPONSE_BYTES } from '../transform/handler.js'
import { isObject } from '../transform/json.js'
import { dateOf } from '../transform/partition.js'
import { checkRowLine } from '../transform/row-line.js'
import { configurationId, type TableConfiguration } from '../transform/table-configuration.js'
import { transformRecord } from '../transform/transform.js'

/**
 * What can be done with one document of a refused record: it is `ready` to be sent again; the transform still refuses it;
 * it is `too-large` for Firehose; or it is a row that was not converted, or the beginning of what was too long, and the change
 * itself `needs-original`.
 */
export type Verdict = 'ready' | 'refused' | 'too-large' | 'needs-original'

/** One document of a refused record. */
export interface RefusedDocument {
  readonly object: string
  readonly line: number
  readonly index: number
  readonly of: number
  readonly table: string
  readonly data: Uint8Array
  /** A record goes through the transform again, a row line only through conversion. */
  readonly form: 'record' | 'row-line'
  /** Milliseconds since 1970: what stands in for the time of a record that has none. Undefined for the others. */
  readonly arrival: number | undefined
  readonly verdict: Verdict
  /** The day of the change, empty where nobody can tell. */
  readonly date: string
}

/** Records that were refused for one reason. */
export interface RefusedGroup {
  readonly table: string
  readonly type: RefusedType
  readonly reason: string
  records: number
  /** Documents in these records. */
  changes: number
  ready: number
  /** When the first and the last of them arrived, milliseconds since 1970. */
  first: number
  last: number
}

/** Everything that is refused and was not sent again. */
export interface Survey {
  /** Most records first. */
  readonly groups: readonly RefusedGroup[]
  /** Objects, or lines in them, that cannot be read. */
  readonly damaged: readonly string[]
  /** Records that were sent again before. */
  readonly done: number
  /** Documents by what can be done with them. */
  readonly counts: Readonly<Record<Verdict, number>>
  /** What is to be sent, by day. */
  readonly days: ReadonlyMap<string, DayToSend>
}

/** What is to be sent of one day. */
export interface DayToSend {
  /** The objects that hold changes of the day. */
  readonly objects: Set<string>
  bytes: number
}

export interface RedriveOptions {
  readonly objects: Objects
  readonly prefixes: readonly string[]
  readonly ledger: Ledger
  readonly configurationOf: (table: string) => TableConfiguration
  /** True for an identifier of a configuration that the archive keeps. */
  readonly isKept: (table: string, configId: string) => Promise<boolean>
  /** The one stream that the archive has of a table, where it goes to an archive: it is that of records that name none. */
  readonly streamOf?: (table: string) => Promise<string | undefined>
  /** Where it would go: rows are converted again on a desk only, and only Firehose limits a record's size. */
  readonly to: 'archive' | 'firehose'
  /** @default - all tables */
  readonly table?: string
  /** Sends what the transform here still refuses, too. */
  readonly all?: boolean
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
  /** Called for each object that was looked into. */
  readonly onObject?: (done: number, total: number) => void
}

/** Objects that are read at once: each may have as many bytes as Firehose gathers. */
const PARALLEL = 4

/** Reads everything that is refused, and finds out why, and what can be done. Nothing is sent. */
export async function surveyRefused(options: RedriveOptions): Promise<Survey> {
  const groups = new Map<string, RefusedGroup>()
  const damaged = new Set<string>()
  const days = new Map<string, DayToSend>()
  const counts = { ready: 0, refused: 0, 'too-large': 0, 'needs-original': 0 }
  let done = 0
  const keys = await listObjects(options)
  const look = async (key: string) => {
    for await (const kept of openRefused(options.objects, key, bad => damaged.add(bad))) {
      if (options.table !== undefined && kept.entry.table !== options.table) continue
      const documents = await judge(kept, options)
      const left = documents.filter(document => !options.ledger.has(document))
      if (left.length === 0) done++
      else addToGroup(groups, kept, left, options)
      for (const document of left) {
        counts[document.verdict]++
        if (isToBeSent(document.verdict, options)) addToDay(days, document)
      }
    }
  }
  for (let i = 0; i < keys.length; i += PARALLEL) {
    await Promise.all(keys.slice(i, i + PARALLEL).map(look))
    options.onObject?.(Math.min(i + PARALLEL, keys.length), keys.length)
  }
  const mostFirst = [...groups.values()].sort((a, b) => b.records - a.records || a.first - b.first)
  return { groups: mostFirst, damaged: [...damaged], done, counts, days }
}

async function listObjects({ objects, prefixes }: RedriveOptions): Promise<readonly string[]> {
  const keys = new Set<string>()
  for (const prefix of prefixes) for (const key of await objects.list(prefix)) keys.add(key)
  return [...keys]
}

function isToBeSent(verdict: Verdict, { all = false }: RedriveOptions): boolean {
  return verdict === 'ready' || (all && verdict === 'refused')
}

function addToDay(days: Map<string, DayToSend>, { date, object, data }: RefusedDocument): void {
  const day = days.get(date) ?? { objects: new Set(), bytes: 0 }
  days.set(date, day)
  day.objects.add(object)
  day.bytes += data.length
}

function addToGroup(
  groups: Map<string, RefusedGroup>,
  { entry }: KeptEntry,
  documents: readonly RefusedDocument[],
  { configurationOf }: RedriveOptions,
): void {
  const { table, type, arrival } = entry
  const reason = reasonOf(entry, configurationOf(table))
  const id = [table, type, reason].join('\n')
  const group = groups.get(id) ?? {
    table,
    type,
    reason,
    records: 0,
    changes: 0,
    ready: 0,
    first: arrival,
    last: arrival,
  }
  groups.set(id, group)
  group.records++
  group.changes += documents.length
  group.ready += documents.filter(({ verdict }) => verdict === 'ready').length
  group.first = Math.min(group.first, arrival)
  group.last = Math.max(group.last, arrival)
}

/** Room in an answer of the transform for what is around the only row. */
const ENVELOPE_BYTES = 1000

/** Splits a refused record: alone, a document is no longer refused for what stood beside it. */
async function judge(kept: KeptEntry, options: RedriveOptions): Promise<readonly RefusedDocument[]> {
  const { object, line, entry } = kept
  const { table } = entry
  const configuration = options.configurationOf(table)
  if (entry.type === 'format-conversion-failed') {
    const place = {
      object,
      line,
      index: 0,
      of: 1,
      table,
      data: entry.data,
      form: 'row-line',
      arrival: undefined,
    } as const
    return [{ ...place, ...(await judgeRow(entry.data, configuration, options)) }]
  }
  if (isBeginningOnly(entry))
    return [{ object, line, index: 0, of: 1, table, data: entry.data, form: 'record', ...LOST }]
  const parts = await partsOf(entry)
  const streamArn = parts.some(data => readEnvelope(data).isUnnamed) ? await options.streamOf?.(table) : undefined
  return parts.map((data, index) => {
    const place = { object, line, index, of: parts.length, table, data, form: 'record' } as const
    // the transform takes it, the archive does not, and would refuse it again
    if (entry.code === OTHER_REGION) return { ...place, ...REFUSED }
    return { ...place, ...judgeRecord({ data, arrival: entry.arrival, streamArn }, configuration, options) }
  })
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

type Judgement = Pick<RefusedDocument, 'verdict' | 'date' | 'arrival'>

/** What is not here as it was: of a row only the transform's line, of an overlong document only the beginning. */
const LOST: Judgement = { verdict: 'needs-original', date: '', arrival: undefined }
const REFUSED: Judgement = { verdict: 'refused', date: '', arrival: undefined }

function judgeRecord(
  { data, arrival, streamArn }: { data: Uint8Array; arrival: number; streamArn: string | undefined },
  configuration: TableConfiguration,
  { to, now = Date.now }: RedriveOptions,
): Judgement {
  // only a desk's delivery stream takes a record that names no table
  const named = to === 'archive' ? nameOrigin(data, configuration.table, streamArn) : data
  let outcome = transformRecord(named, now(), configuration)
  // on a desk the arrival can be given again, in Firehose it will be a new one
  const standsIn = outcome.kind === 'transformed' && outcome.rows[0]?.time_precision === 'arrival' && to === 'archive'
  if (standsIn) outcome = transformRecord(named, arrival, configuration)
  if (outcome.kind === 'refused') return REFUSED
  const { date } = outcome.partition
  const answer = Math.ceil(Buffer.byteLength(outcome.lines) / 3) * 4
  const isTooLarge = answer > MAX_RESPONSE_BYTES - ENVELOPE_BYTES || (to === 'firehose' && data.length > RECORD_BYTES)
  return { verdict: isTooLarge ? 'too-large' : 'ready', date, arrival: standsIn ? arrival : undefined }
}

/** A row that was not converted can be converted later if the fault was not in it; made anew it can only be from the original. */
async function judgeRow(
  data: Uint8Array,
  configuration: TableConfiguration,
  { to, isKept }: RedriveOptions,
): Promise<Judgement> {
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
  return isKnown && (since === undefined || date >= since) ? { ...LOST, verdict: 'ready', date } : LOST
}

/** Where refused documents are sent again. */
export interface Destination {
  readonly name: string
  /** What it takes at once, and how many days in one run. */
  readonly limits: { readonly documents: number; readonly bytes: number; readonly days: number }
  /** Sends documents. What was not accepted is to be sent again. */
  send(documents: readonly RefusedDocument[]): Promise<Delivery>
}

export interface Delivery {
  readonly accepted: readonly RefusedDocument[]
  /** Documents that were accepted, refused once more, and are kept as new refused records. */
  readonly refusedAgain: number
  /** Why documents were not accepted: error codes and how often. */
  readonly errors: ReadonlyMap<string, number>
}

/** What became of everything that was to be sent. */
export interface Redriven {
  /** Documents that were accepted, those included that were there twice. */
  readonly sent: number
  readonly refusedAgain: number
  /** Documents of further days, for another run. */
  readonly waiting: number
  /** Documents that were not accepted, or not even tried after one was not. */
  readonly left: number
  readonly errors: ReadonlyMap<string, number>
}

/**
 * Sends what a survey found, day by day, because Firehose holds a limited number of days at a time. What was accepted is
 * remembered at once, so a run that is interrupted goes on where it was.
 */
export async function redrive(
  survey: Survey,
  destination: Destination,
  options: RedriveOptions & { readonly onSent?: (sent: number, total: number) => void },
): Promise<Redriven> {
  const { ledger, now = Date.now } = options
  const total = survey.counts.ready + (options.all === true ? survey.counts.refused : 0)
  const days = [...survey.days.keys()].sort().slice(0, destination.limits.days)
  const accepted = new Set<string>()
  let [sent, refusedAgain, tried] = [0, 0, 0]
  let errors: ReadonlyMap<string, number> = new Map()
  const remember = (documents: readonly RefusedDocument[]) => {
    if (documents.length > 0) ledger.add(documents, destination.name, now())
    sent += documents.length
    options.onSent?.(sent, total)
  }
  for await (const chunk of chunksOf(documentsOf(days, survey, options), destination.limits)) {
    const copies = groupBy(chunk, contentOf)
    const fresh = [...copies]
      .filter(([content]) => !accepted.has(content))
      .map(([, [first]]) => first as RefusedDocument)
    const delivery = await destination.send(fresh)
    for (const document of delivery.accepted) accepted.add(contentOf(document))
    remember(chunk.filter(document => accepted.has(contentOf(document))))
    refusedAgain += delivery.refusedAgain
    errors = delivery.errors
    tried += chunk.length
    if (delivery.accepted.length < fresh.length) break
    errors = new Map()
  }
  const waiting = days.length < survey.days.size && sent === tried ? total - sent : 0
  return { sent, refusedAgain, waiting, left: total - sent - waiting, errors }
}

/** Bytes of days that are read together: an object may hold changes of all of them. */
const BYTES_TOGETHER = 64 * 1024 * 1024

/** What is to be sent, in the order of its days. It is read again, because all of it may not fit into memory. */
async function* documentsOf(
  days: readonly string[],
  survey: Survey,
  options: RedriveOptions,
): AsyncGenerator<RefusedDocument> {
  for (const together of daysTogether(days, survey)) {
    const documents = readDays(new Set(together), survey, options)
    if (together.length === 1) yield* documents
    else yield* await sortByDay(documents)
  }
}

function* daysTogether(days: readonly string[], survey: Survey): Generator<readonly string[]> {
  let together: string[] = []
  let bytes = 0
  for (const day of days) {
    const more = survey.days.get(day)?.bytes ?? 0
    if (together.length > 0 && bytes + more > BYTES_TOGETHER) {
      yield together
      together = []
      bytes = 0
    }
    together.push(day)
    bytes += more
  }
  if (together.length > 0) yield together
}

async function sortByDay(documents: AsyncIterable<RefusedDocument>): Promise<readonly RefusedDocument[]> {
  const sorted: RefusedDocument[] = []
  for await (const document of documents) sorted.push(document)
  return sorted.sort((a, b) => (a.date === b.date ? 0 : a.date < b.date ? -1 : 1))
}

async function* readDays(
  days: ReadonlySet<string>,
  survey: Survey,
  options: RedriveOptions,
): AsyncGenerator<RefusedDocument> {
  const objects = new Set([...days].flatMap(day => [...(survey.days.get(day)?.objects ?? [])]))
  for (const object of objects) {
    for await (const kept of openRefused(options.objects, object, () => {})) {
      if (options.table !== undefined && kept.entry.table !== options.table) continue
      for (const document of await judge(kept, options)) {
        const isOfDays = days.has(document.date) && isToBeSent(document.verdict, options)
        if (isOfDays && !options.ledger.has(document)) yield document
      }
    }
  }
}

async function* chunksOf(
  documents: AsyncIterable<RefusedDocument>,
  limits: Destination['limits'],
): AsyncGenerator<readonly RefusedDocument[]> {
  let chunk: RefusedDocument[] = []
  let bytes = 0
  for await (const document of documents) {
    if (chunk.length === limits.documents || (chunk.length > 0 && bytes + document.data.length > limits.bytes)) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push(document)
    bytes += document.data.length
  }
  if (chunk.length > 0) yield chunk
}

/** One change may have been refused several times. */
function contentOf({ table, form, data }: RefusedDocument): string {
  return `${table} ${form} ${hash('sha256', data)}`
}

/** Values by what a function says of each. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
