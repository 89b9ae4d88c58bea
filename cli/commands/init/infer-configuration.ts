import { readDocuments } from '../../../capture/document-reader.js'
import { openInput } from '../../../capture/input.js'
import { isOverlong } from '../../../capture/overlong.js'
import { snakeCase, toKey } from '../../../config/column-names.js'
import { ColumnInference, type Inference } from '../../../config/infer-columns.js'
import { PersonalPaths } from '../../../config/personal-paths.js'
import { COLUMN_NAME, type KeyField } from '../../../config/schema.js'
import { actorRank } from '../../../delivery/likely-actor.js'
import { canonicalAttributes } from '../../../transform/attribute-value.js'
import { dateOf } from '../../../transform/partition.js'
import { Refusal } from '../../../transform/refusal.js'
import { type StreamRecord, tryReadStreamRecord } from '../../../transform/stream-record.js'
import { describeReadFailure } from '../../failures.js'
import { CommandError, EXIT } from '../../io.js'

/** Records that are looked at for tables, keys and columns. */
export const SAMPLE = 10_000

/** What a sample of records tells of one table. */
export interface SeenTable {
  readonly images: ColumnInference
  readonly personal: PersonalPaths
  keys: readonly string[]
  capture: 'streams' | 'kinesis'
  first: string | undefined
  records: number
}

/** The tables of a sample by name. */
export type SeenTables = Map<string, SeenTable>

/**
 * The tables that the first records of a file, or of standard input, name; `isCut` says whether there were more. Throws
 * `CommandError` where it cannot be read.
 */
export async function sampleTables(
  path: string,
  stdin: Parameters<typeof openInput>[1],
): Promise<{ readonly tables: SeenTables; readonly isCut: boolean }> {
  const tables: SeenTables = new Map()
  const input = await openInput(path, stdin)
  let documents = 0
  try {
    for await (const document of readDocuments(input.bytes)) {
      if (documents === SAMPLE) return { tables, isCut: true }
      documents++
      if (!isOverlong(document)) noteDocument(tables, document)
    }
  } catch (error) {
    const reading = describeReadFailure(error, path)
    throw reading === undefined ? error : new CommandError(reading, EXIT.findings)
  }
  return { tables, isCut: false }
}

/** Takes a document in; what is no change record tells nothing. */
export function noteDocument(tables: SeenTables, document: Uint8Array): void {
  const record = tryReadStreamRecord(document)
  if (record !== undefined) noteRecord(tables, record)
}

/** A record that ingest would refuse for its images tells nothing of its table either. */
function noteRecord(tables: SeenTables, record: StreamRecord): void {
  const images = [record.oldImage, record.newImage].filter(image => image !== undefined)
  try {
    const read = images.map(image => canonicalAttributes(image, 'image', record.binary))
    const { images: seen, personal } = noteTable(tables, record)
    for (const image of read) {
      seen.note(image)
      personal.note(image)
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}

function noteTable(tables: SeenTables, record: StreamRecord): SeenTable {
  const { table, keys, capture, time } = record
  const day = time === null ? undefined : dateOf(time.us)
  const seen = tables.get(table) ?? {
    images: new ColumnInference(),
    personal: new PersonalPaths(),
    keys: [],
    capture: 'streams',
    first: day,
    records: 0,
  }
  tables.set(table, seen)
  seen.records++
  if (seen.keys.length === 0) seen.keys = Object.keys((keys ?? {}) as object)
  // a baseline may come with either
  if (capture === 'kinesis') seen.capture = 'kinesis'
  if (day !== undefined && (seen.first === undefined || day < seen.first)) seen.first = day
  return seen
}

/** The columns that a table should have. */
export function inferColumns({ images, keys }: SeenTable): Inference {
  return images.infer(nameKeys(keys).map(toKey))
}

/** The attribute that by its name says who made a change; undefined where none sounds like it. */
export function inferActor(table: SeenTable): string | undefined {
  const texts = inferColumns(table).columns.filter(({ path, type }) => path.length === 1 && type === 'string')
  const named = texts.map(({ path: [name] }) => name as string).filter(name => actorRank(name) !== -1)
  return named.toSorted((a, b) => actorRank(a) - actorRank(b))[0]
}

/** Tables as a person would write them; `docs/configuration.md` tells what can be added. */
export function configurationOf(tables: ReadonlyMap<string, SeenTable>): object {
  const entries = [...tables].map(([name, table]) => {
    const { keys, capture, first } = table
    const actor = inferActor(table)
    return [
      name,
      {
        capture,
        ...(first !== undefined && { since: first }),
        ...(keys.length > 0 && { keys: nameKeys(keys) }),
        ...(actor !== undefined && { actor: actor.includes('.') ? [actor] : actor }),
        columns: Object.fromEntries(inferColumns(table).columns.map(({ entry }) => entry)),
      },
    ]
  })
  return { $schema: './node_modules/itemtrail/docs/itemtrail.schema.json', tables: Object.fromEntries(entries) }
}

/** A key whose name makes no column of its own, such as `PK#` or a second `ID`, gets one that does. */
function nameKeys(keys: readonly string[]): readonly KeyField[] {
  const taken = new Set<string>()
  return keys.map((attribute, i) => {
    const plain = snakeCase(attribute)
    const isFree = (column: string) => COLUMN_NAME.test(column) && !taken.has(column)
    const words = plain
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^[^a-z]+|_+$/g, '')
      .slice(0, 60)
    const column = [plain, words, `key_${i + 1}`].find(isFree) as string
    taken.add(column)
    return column === plain ? attribute : { attribute, column }
  })
}
