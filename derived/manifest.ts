import { z } from 'zod'
import {
  checkJson,
  count,
  day,
  exactly,
  FileError,
  instant,
  listOf,
  record,
  sha256,
  text,
  uuid,
} from '../config/gate.js'
import { DERIVED_VERSION } from '../transform/derived.js'
import { tryParseObject } from '../transform/json.js'

const BUCKET = 'one to three hex digits'
const DIGEST = 'two whole numbers joined by "-"'
const FILES = 'how many, their bytes, and 32 hex digits'
const KEY = 'the keys of an item in DynamoDB JSON'

/** Objects as `listDigest` tells them. */
const files = z.string(FILES).regex(/^\d+ \d+ [0-9a-f]{32}$/, FILES)

const run = record({
  name: uuid,
  digits: z.union([z.literal(1), z.literal(2), z.literal(3)], '1, 2 or 3'),
  rows: count,
  deliveries: count,
  conflicts: count.optional(),
  digest: z.string(DIGEST).regex(/^-?\d+--?\d+$/, DIGEST),
  firstDay: day,
  beganUs: z.int('microseconds since 1970'),
  sampleKey: z.string(KEY).refine(isKey, KEY),
  daysCopied: count,
  days: listOf(z.tuple([day, day], 'the first and the last of some days')),
  covered: files,
  files: z.record(z.string(BUCKET).regex(/^[0-9a-f]{1,3}$/, BUCKET), files, 'an object'),
})

const checkpoint = record({ day, name: uuid, items: count, rows: count.optional(), files })

const answer = record({ statement: sha256, name: uuid, rows: count, lacks: listOf(day), files })

const manifest = record({
  version: exactly(DERIVED_VERSION),
  table: text,
  generation: count,
  built: instant,
  runs: listOf(run),
  unseen: z.record(day, text, 'an object'),
  checkpoints: listOf(checkpoint),
  answers: listOf(answer),
  replaced: listOf(record({ name: uuid, at: instant })),
})

/**
 * What is derived from a table and in use, and what of the archive it covers, the same on a desk and on AWS: a run
 * stands for whole `days`, told by ranges, as long as their objects together are what `covered` says; a list beside it
 * tells each. Of each bucket that has rows it has the `files`. A checkpoint is of all that was covered up to its day,
 * an answer of all that is covered, but for the days that it `lacks`. `unseen` are days of which no row was seen, with
 * what is to change before they are tried again; `replaced` is in use no more, and whoever read an older manifest may
 * still ask it. docs/compaction.md documents each field.
 */
export type Manifest = Immutable<z.infer<typeof manifest>>

/** A run as the manifest has it. */
export type Run = Manifest['runs'][number]

/** A checkpoint as the manifest has it. */
export type StateCheckpoint = Manifest['checkpoints'][number]

/** A kept answer as the manifest has it. */
export type KeptAnswer = Manifest['answers'][number]

type Immutable<T> = T extends object ? { readonly [Field in keyof T]: Immutable<T[Field]> } : T

/** Of a table of very many days. */
const MAX_BYTES = 64 * 1024 ** 2

/** Reads the manifest of a table. Throws a `FileError`: names in it become paths and parts of statements. */
export function readManifest(content: string, key: string, table: string): Manifest {
  const found = checkJson(content, manifest, key, { maxBytes: MAX_BYTES })
  if (found.table !== table) throw new FileError(key, [`table is ${JSON.stringify(found.table)}, expected "${table}"`])
  const twice = firstTwice(namesIn(found)) ?? firstOverlap(found.runs.flatMap(({ days }) => days))
  if (twice !== undefined) throw new FileError(key, [`${twice} is named twice`])
  return found
}

function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  return names.find(name => seen.size === seen.add(name).size)
}

function firstOverlap(ranges: readonly (readonly [first: string, last: string])[]): string | undefined {
  const sorted = ranges.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return sorted.find(([first], i) => first <= (sorted[i - 1]?.[1] ?? ''))?.[0]
}

/** The names of what is in use. */
export function namesIn({ runs, checkpoints, answers }: Pick<Manifest, 'runs' | 'checkpoints' | 'answers'>) {
  return [...runs, ...checkpoints, ...answers].map(({ name }) => name)
}

/** How many objects such a text tells of, and their bytes. */
export function sizeOf(files: string): { readonly objects: number; readonly bytes: number } {
  const [objects, bytes] = files.split(' ')
  return { objects: Number(objects), bytes: Number(bytes) }
}

/** What runs come to together: the archive's objects that they cover, and what they hold themselves. */
export function totalsOf(runs: Manifest['runs']) {
  const total = { objects: 0, archiveBytes: 0, rows: 0, deliveries: 0, conflicts: 0, files: 0, bytes: 0 }
  for (const run of runs) {
    const { objects, bytes } = sizeOf(run.covered)
    total.objects += objects
    total.archiveBytes += bytes
    for (const { objects, bytes } of Object.values(run.files).map(sizeOf)) {
      total.files += objects
      total.bytes += bytes
    }
    total.rows += run.rows
    total.deliveries += run.deliveries
    total.conflicts += run.conflicts ?? 0
  }
  return total
}

/** True for a text that is an item's keys: one or two attributes, each of one type. */
function isKey(value: string): boolean {
  const attributes = Object.values(tryParseObject(value) ?? {})
  const isAttribute = (attribute: unknown) =>
    typeof attribute === 'object' &&
    attribute !== null &&
    /^\{"[SNB]":"(?:[^"\\]|\\.)*"\}$/s.test(JSON.stringify(attribute))
  return (attributes.length === 1 || attributes.length === 2) && attributes.every(isAttribute)
}
