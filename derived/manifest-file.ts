import { z } from 'zod'
import { checkJson, count, day, exactly, FileError, listOf, record, sha256, text, uuid } from '../config/gate.js'
import { DERIVED_VERSION } from '../transform/derived.js'
import { tryParseObject } from '../transform/json.js'
import type { Manifest } from './derived-copy.js'

const BUCKET = 'one to three hex digits'
const DIGEST = 'two whole numbers joined by "-"'
const KEY = 'the keys of an item in DynamoDB JSON'

const written = { rows: count, bytes: count, sha256 }

/** What derived files of a table are in use: names in it become paths, so they are only those that a compaction gives. */
const manifest = record({
  version: exactly(DERIVED_VERSION),
  table: text,
  generation: count,
  built: text,
  digits: z.union([z.literal(1), z.literal(2), z.literal(3)], '1, 2 or 3'),
  covered: record({ objects: count, bytes: count, sha256 }),
  deliveries: count,
  beganUs: z.int('microseconds since 1970'),
  sampleKey: z.string(KEY).refine(isKey, KEY),
  runs: listOf(
    record({
      ...written,
      bucket: z.string(BUCKET).regex(/^[0-9a-f]{1,3}$/, BUCKET),
      name: uuid,
      deliveries: count,
      conflicts: count,
      digest: z.string(DIGEST).regex(/^\d+-\d+$/, DIGEST),
    }),
  ),
  checkpoints: listOf(record({ ...written, day, name: uuid, items: count })),
  answers: listOf(record({ ...written, statement: sha256, name: uuid })),
})

/** A table of very many rows has thousands of files. */
const MAX_BYTES = 64 * 1024 ** 2

/** Reads the manifest of a table. Throws a `FileError`. */
export function readManifestFile(content: Uint8Array, key: string, table: string): Manifest {
  const found = checkJson(content, manifest, key, { maxBytes: MAX_BYTES })
  if (found.table !== table) throw new FileError(key, [`table is ${JSON.stringify(found.table)}, expected "${table}"`])
  return found
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
