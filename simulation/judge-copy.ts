/** What the copy of an archive says, held against the archive itself: by the real reader, which decides what to believe. */
import { groupByDay, listingOf, readCoverage } from '../derived/coverage.js'
import { readManifest } from '../derived/manifest.js'
import { type BucketsMeant, type DaysMeant, DerivedReader, type DerivedTables } from '../derived/reader.js'
import { Bucket } from '../store/s3.js'
import { answersFolderPrefix, bucketPrefix, checkpointFolderPrefix, manifestKey } from '../transform/derived.js'
import { DATA_PREFIX } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { itemsOf, parseRows, type StoredRow, statesOf, storedRows } from './athena.js'
import type { SimulatedBucket } from './bucket.js'
import { s3AtOnce } from './s3-client.js'

/** An archive and its copy. */
export interface Copied {
  readonly table: TableConfiguration
  readonly archive: SimulatedBucket
  readonly derived: SimulatedBucket
}

const DAY_MS = 86_400_000

/** Each a sentence. Every answer by the copy is what the archive alone says; at last nothing is left to be copied. */
export async function wrongCopy(place: Copied, nowMs: number, atLast = false): Promise<readonly string[]> {
  const { table, archive, derived } = place
  const s3 = s3AtOnce([archive, derived])
  const list = listingOf(new Bucket(s3, archive.name))
  const copies = new Bucket(s3, derived.name)
  const rows = storedRows(archive)
  const asked = new AskedTables(place, rows)
  const reader = new DerivedReader({ list, derived: copies, tablesOf: () => asked, freshMs: DAY_MS, now: () => nowMs })
  const scope = { table: table.table }
  const problems: string[] = []
  for (const item of new Set(rows.map(({ item_key }) => item_key))) {
    const found = await reader.rowsFor({ ...scope, itemKey: item }, '', [])
    if (found === undefined || (await found.whyNotWhole()) !== undefined) continue
    const own = asked.rowsOf(found.rows).filter(row => row.item_key === item)
    const problem = compared(
      own,
      rows.filter(row => row.item_key === item),
    )
    if (problem !== undefined) problems.push(`copy has ${problem} of ${item}`)
  }
  for (let ms = nowMs; ms > nowMs - 3 * DAY_MS; ms -= DAY_MS / 2) {
    const at = { fromUs: ms * 1000, toUs: ms * 1000 }
    const found = await reader.rowsFor({ ...scope, states: at }, '', [])
    if (found === undefined || (await found.whyNotWhole()) !== undefined) continue
    const until = (all: readonly StoredRow[]) =>
      [...statesOf(all.filter(row => row.event_time_us <= at.toUs)).values()].map(once)
    const problem = compared(until(asked.rowsOf(found.rows)), until(rows))
    if (problem !== undefined) problems.push(`checkpoint leads to ${problem} at ${new Date(ms).toISOString()}`)
  }
  return [
    ...problems,
    ...(await wrongAnswers(place, copies, rows)),
    ...(atLast ? await leftOver(place, copies, nowMs) : []),
  ]
}

/** A checkpoint does not say how often a row was delivered. */
function once(row: StoredRow): StoredRow {
  return { ...row, deliveries: 1 }
}

/** What one has and the other has not. */
function compared(found: readonly StoredRow[], expected: readonly StoredRow[]): string | undefined {
  const nameOf = ({ event_id, row_hash, deliveries }: StoredRow) => `${event_id} ${row_hash} ${deliveries}`
  const [names, wanted] = [found, expected].map(rows => rows.map(nameOf).sort()) as [string[], string[]]
  return names.join('\n') === wanted.join('\n')
    ? undefined
    : `${names.length} rows, where the archive has ${wanted.length}`
}

/** A kept answer says of items that have rows of its days alone what these say. */
async function wrongAnswers({ table, archive, derived }: Copied, copies: Bucket, rows: readonly StoredRow[]) {
  const { manifest, coverage } = await publishedOf({ table, archive, derived }, copies)
  return (manifest?.answers ?? []).flatMap(({ name, lacks }) => {
    const days = [...coverage.days.keys()].filter(day => !lacks.includes(day))
    // who has rows of other days is answered from the archive
    const others = new Set(rows.filter(({ day }) => !days.includes(day)).map(({ item_key }) => item_key))
    const isOfDays = ({ item_key }: StoredRow) => !others.has(item_key)
    const kept = contentsOf(derived, answersFolderPrefix(table.table, name))
    const problem = compared(kept.filter(isOfDays), itemsOf(rows.filter(isOfDays)))
    return problem === undefined ? [] : [`answer ${name} has ${problem}`]
  })
}

/** Days that are over and quiet, and were not copied as they are. */
async function leftOver(place: Copied, copies: Bucket, nowMs: number): Promise<readonly string[]> {
  const { coverage, listed } = await publishedOf(place, copies)
  const today = new Date(nowMs).toISOString().slice(0, 10)
  const left = [...listed.keys()].filter(day => day < today && !coverage.days.has(day))
  return left.map(day => `day ${day} is not copied as it is, expected it to be after a last run`)
}

async function publishedOf({ table: { table }, archive }: Copied, copies: Bucket) {
  const key = manifestKey(table)
  const text = (await copies.openTagged(key))?.text
  const manifest = text === undefined ? undefined : readManifest(text, key, table)
  const listed = groupByDay(await new Bucket(s3AtOnce([archive]), archive.name).entries(DATA_PREFIX))
  return { manifest, listed, coverage: await readCoverage(copies, table, manifest, listed) }
}

function contentsOf(bucket: SimulatedBucket, prefix: string): readonly StoredRow[] {
  return bucket.contents(prefix).flatMap(([, bytes]) => parseRows(Buffer.from(bytes).toString()))
}

type Asked =
  | { readonly kind: 'archive'; readonly days: DaysMeant }
  | { readonly kind: 'copy'; readonly prefix: string; readonly days?: readonly string[] }

/** What the reader asks for, as plain data in the place of SQL. */
class AskedTables implements DerivedTables {
  readonly onDesk = false

  constructor(
    private readonly place: Copied,
    private readonly stored: readonly StoredRow[],
  ) {}

  ofArchive(days: DaysMeant): readonly string[] {
    return [asText({ kind: 'archive', days })]
  }

  ofRuns(runs: readonly BucketsMeant[]): readonly string[] {
    const { table } = this.place.table
    return runs.flatMap(({ run, days, buckets }) =>
      buckets.map(bucket => asText({ kind: 'copy', prefix: bucketPrefix(table, run, bucket), days })),
    )
  }

  ofCheckpoint(name: string): string {
    return asText({ kind: 'copy', prefix: checkpointFolderPrefix(this.place.table.table, name) })
  }

  ofAnswer(name: string): string {
    return asText({ kind: 'copy', prefix: answersFolderPrefix(this.place.table.table, name) })
  }

  rowsOf(selects: readonly string[]): readonly StoredRow[] {
    return selects.flatMap(select => {
      const asked = JSON.parse(select) as Asked
      if (asked.kind === 'archive') return this.stored.filter(({ day }) => isMeant(day, asked.days))
      const { prefix, days } = asked
      return contentsOf(this.place.derived, prefix).filter(({ day }) => days?.includes(day) ?? true)
    })
  }
}

function asText(asked: Asked): string {
  return JSON.stringify(asked)
}

function isMeant(day: string, days: DaysMeant): boolean {
  return 'not' in days ? !days.not.includes(day) : day <= days.upTo && day > (days.after ?? '')
}
