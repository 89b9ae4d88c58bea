import { z } from 'zod'
import { checkJson, checkValue, count, day, exactly, FileError, instant, sha256, text } from '../config/gate.js'
import { MAX_ENTRY_BYTES } from '../proof/tiles.js'
import { canonicalJson } from '../transform/json.js'

/**
 * What a journal's entries say. Each is JSON in the form of RFC 8785, at most 65,535 bytes; `type` names its kind and
 * the version of its fields. A kind that a reader does not know is passed over: later versions may add some.
 */

/** An object of the archive, as it was when it was sealed. */
export interface SealedEntry {
  readonly type: 'object@1'
  readonly key: string
  readonly bytes: number
  readonly sha256: string
  /** What is in it, of an object under `data/` that can be read. */
  readonly table?: string
  readonly event_date?: string
  readonly rows?: number
  /** The RFC 6962 root over `row_hash`, in the order of the file, in lower hex. */
  readonly rows_root?: string
  /** The least and the greatest `event_time_us`; absent where it has no rows. */
  readonly min_us?: number
  readonly max_us?: number
  /** On S3, where the bucket keeps versions and locks. */
  readonly version_id?: string
  readonly retain_until?: string
}

/** How much was sealed until then. */
export interface Totals {
  readonly objects: number
  readonly rows: number
  /** Objects below each folder of `refused/`. */
  readonly refused: Readonly<Record<string, number>>
}

/** The end of a sealing, also of one that found nothing new: silence is attested. */
export interface SealEntry extends Totals {
  readonly type: 'seal@1'
  /** When it was sealed, by the sealer's clock, ISO 8601 in UTC. */
  readonly time: string
  /**
   * When the newest object was written that was listed, by the clock of where it lies, and never after `time`: whatever
   * was written until then was listed. Absent where there was none.
   */
  readonly newest?: string
  /** The size of the journal before this sealing. */
  readonly previous_size: number
  /** Who sealed, for people: a host or a function. */
  readonly sealer: string
  /**
   * Said where objects may be left that were there already: only new days were listed, or the sealing had to end before
   * it had taken everything. Absent where everything is sealed that was there.
   */
  readonly partial?: true
}

/** A new signing key, sealed under the old one. */
export interface KeyEntry {
  readonly type: 'key@1'
  readonly vkey: string
  readonly from: string
}

export type Entry = SealedEntry | SealEntry | KeyEntry

/** The bytes that are hashed and kept. Throws a `RangeError` for an entry that is longer than a bundle takes. */
export function encodeEntry(entry: Entry): Buffer {
  const bytes = Buffer.from(canonicalJson(entry))
  if (bytes.length > MAX_ENTRY_BYTES)
    throw new RangeError(`entry of ${JSON.stringify(entry.type)} has ${bytes.length} bytes, at most ${MAX_ENTRY_BYTES}`)
  return bytes
}

/** Reads an entry; undefined for a kind that is not known. Throws a `FileError` that names `file` for what is none. */
export function decodeEntry(bytes: Uint8Array, file: string): Entry | undefined {
  return decodePlain(bytes) ?? decodeAny(bytes, file)
}

function decodeAny(bytes: Uint8Array, file: string): Entry | undefined {
  const any = checkJson(bytes, anyKind, file)
  const schema = SCHEMAS[any.type]
  if (schema === undefined) return undefined
  const entry = checkValue(any, schema, file)
  if (!encodeEntry(entry).equals(bytes)) throw new FileError(file, ['is not in the one form of its JSON'])
  return entry
}

const anyKind = z.looseObject({ type: text }, 'an object')

const object = z.strictObject({
  type: exactly('object@1'),
  key: text,
  bytes: count,
  sha256,
  table: text.optional(),
  event_date: day.optional(),
  rows: count.optional(),
  rows_root: sha256.optional(),
  min_us: z.int().optional(),
  max_us: z.int().optional(),
  version_id: text.optional(),
  retain_until: instant.optional(),
})

/** The fields of the end of a sealing, as they stand in its entry. */
export const sealSchema = z.strictObject({
  type: exactly('seal@1'),
  time: instant,
  newest: instant.optional(),
  previous_size: count,
  sealer: text,
  objects: count,
  rows: count,
  refused: z.record(text, count),
  partial: z.literal(true).optional(),
})

const key = z.strictObject({ type: exactly('key@1'), vkey: text, from: instant })

/**
 * An object in the one form of its JSON, its texts of ASCII without escapes: nearly every entry of a journal is one.
 * The schema takes eight times as long to say so, and judges all others.
 */
const PLAIN_OBJECT = new RegExp(
  [
    '^{"bytes":COUNT',
    '(?:,"event_date":(TEXT))?',
    ',"key":TEXT',
    '(?:,"max_us":COUNT)?',
    '(?:,"min_us":COUNT)?',
    '(?:,"retain_until":(TEXT))?',
    '(?:,"rows":COUNT)?',
    '(?:,"rows_root":HASH)?',
    ',"sha256":HASH',
    '(?:,"table":TEXT)?',
    ',"type":"object@1"',
    '(?:,"version_id":TEXT)?}$',
  ]
    .join('')
    // fewer digits than a safe integer has
    .replaceAll('COUNT', String.raw`(?:0|[1-9]\d{0,14})`)
    .replaceAll('TEXT', String.raw`"[ !#-\[\]-~]+"`)
    .replaceAll('HASH', '"[0-9a-f]{64}"'),
)

function decodePlain(bytes: Uint8Array): SealedEntry | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const [plain, date, until] = PLAIN_OBJECT.exec(text) ?? []
  if (plain === undefined) return undefined
  const isSound = (schema: z.ZodType, value: string | undefined) =>
    value === undefined || schema.safeParse(value.slice(1, -1)).success
  return isSound(day, date) && isSound(instant, until) ? (JSON.parse(text) as SealedEntry) : undefined
}

const SCHEMAS: Readonly<Record<string, z.ZodType<Entry>>> = {
  'object@1': object as unknown as z.ZodType<Entry>,
  'seal@1': sealSchema as unknown as z.ZodType<Entry>,
  'key@1': key as unknown as z.ZodType<Entry>,
}

/** Totals with what these entries add. */
export function addTotals(totals: Totals, objects: readonly SealedEntry[]): Totals {
  const refused = { ...totals.refused }
  let rows = totals.rows
  for (const object of objects) {
    rows += object.rows ?? 0
    const kind = /^refused\/([^/]+)\//.exec(object.key)?.[1]
    if (kind !== undefined) refused[kind] = (refused[kind] ?? 0) + 1
  }
  return { objects: totals.objects + objects.length, rows, refused }
}

export const NO_TOTALS: Totals = { objects: 0, rows: 0, refused: {} }
