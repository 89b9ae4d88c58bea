import { keptOnDesk } from '../queries/each-item.js'
import { mergeColumns } from '../queries/engines/duckdb.js'
import { isShortage, MORE_MEMORY } from '../queries/engines/duckdb-error.js'
import { MEMORY } from '../queries/engines/duckdb-instance.js'
import { bytesOfSize } from '../queries/engines/memory-size.js'
import { DiskArchive } from '../store/folder.js'
import { keptConfigurations } from '../store/kept-configurations.js'
import { refusedOfTable } from '../store/refused-of-table.js'
import { listTable } from '../store/table-objects.js'
import { type TableConfiguration, unconfiguredTable } from '../transform/table-configuration.js'
import { type CompactionOutcome, compact } from './compactor.js'
import { DerivedFolder, daysIn } from './derived-folder.js'
import { DuckDbWriter, firstLine } from './duckdb-writer.js'
import { DerivedError } from './error.js'
import { type Manifest, namesIn, totalsOf } from './manifest.js'
import { whyForeign } from './own-copy.js'
import { type Found, Publisher } from './publisher.js'
import { Workbench } from './workbench.js'

/** How a table is compacted. */
export interface CompactionOptions {
  /** @default - the columns of the configurations that the archive keeps */
  readonly configuration?: TableConfiguration | undefined
  /** Makes every file anew. @default false */
  readonly rebuild?: boolean
  /** Goes on although records of the table wait under `refused/`. @default false */
  readonly despiteRefused?: boolean
  /** What DuckDB may hold in memory; the rest it keeps on disk. @default 448MB */
  readonly memory?: string
  /** Bytes of rows that are sorted at a time. @default - what fits in the memory */
  readonly room?: number
  /** Bytes of the archive after which a checkpoint is due, at least. @default - 40 MB */
  readonly checkpointBytes?: number
  /** Told what it is at, before each step. */
  readonly onProgress?: (step: string) => void
}

/** What a compaction did. */
export interface Compaction {
  readonly table: string
  /** False where the copy was up to date already. */
  readonly changed: boolean
  /** Why something was made anew, where that was not asked for. */
  readonly rebuilt: string | undefined
  readonly manifest: Manifest
  readonly newObjects: number
  readonly filesWritten: number
  /** Files that the new manifest no longer names; the next compaction removes them. */
  readonly filesReplaced: number
  /** Files that were not in use any more, or left by a compaction that was killed, and are removed now. */
  readonly filesRemoved: number
}

/**
 * How much of the memory rows may take that are sorted, as they were estimated: measured, they take up to a quarter
 * more, and up to some nine tenths of the memory can be sorted.
 */
const ROOM = 0.6

/** Some 50,000 rows. Below that, replaying is as fast. */
const CHECKPOINT_BYTES = 40 * 1024 ** 2

/**
 * Brings what is derived from a table in a folder up to what the archive holds: all days, at once. Nothing of the
 * archive is touched, and nothing is published unless what was written is, row for row and repeat for repeat, what the
 * archive's objects hold. Throws a `DerivedError` where it is not, where an object cannot be read, and where another
 * is at it.
 */
export async function compactTable(root: string, table: string, options: CompactionOptions = {}): Promise<Compaction> {
  const memory = options.memory ?? MEMORY
  const bytes = bytesOfSize(memory)
  if (bytes === undefined) throw new DerivedError(`memory is ${JSON.stringify(memory)}, expected a size such as 512MB`)
  const bench = await Workbench.take(root, table, memory)
  try {
    return await compactOn(bench, options.room ?? bytes * ROOM, options)
  } catch (error) {
    // what Node says of a file names it already; what DuckDB says is of its own making
    if (!(error instanceof Error) || error instanceof DerivedError || 'syscall' in error) throw error
    if (!/^[A-Za-z ]*(Error|Exception): /.test(error.message)) throw error
    const more = isShortage(error) ? `; ${MORE_MEMORY}` : ''
    throw new DerivedError(`compaction of ${table} failed: ${firstLine(error)}`, [], `nothing was published${more}`)
  } finally {
    bench.close()
  }
}

async function compactOn(bench: Workbench, room: number, options: CompactionOptions): Promise<Compaction> {
  const { root, table } = bench
  const { configuration, rebuild = false, onProgress } = options
  const folder = new DerivedFolder(root)
  const kept = await keptConfigurations(new DiskArchive(root), table)
  const columns = mergeColumns([...(configuration === undefined ? [] : [configuration]), ...kept])
  const rules = {
    list: (name: string) => daysIn(root, name),
    derived: folder,
    now: Date.now,
    // nobody else is at it: what no manifest names was left, and what was replaced may be asked until the next time
    writtenMs: 0,
    replacedMs: 0,
    rebuild,
    replacesUnreadable: true,
    whyForeign: (key: string, text: string) => whyForeign(root, key, text),
  }
  const outcome = await compact(
    {
      ...rules,
      writer: new DuckDbWriter({ bench, folder, columns, room, onProgress }),
      configuration: unconfiguredTable(table),
      answers: keptOnDesk(unconfiguredTable(table)),
      runBytes: Number.POSITIVE_INFINITY,
      checkpointBytes: options.checkpointBytes ?? CHECKPOINT_BYTES,
      triesLess: false,
    },
    { signal: new AbortController().signal },
    found => refuseDoubtful(bench, found, options),
  )
  return describe(outcome, await new Publisher({ ...rules, rebuild: false, table, since: '' }).look())
}

function describe({ before, removed }: CompactionOutcome, after: Found): Compaction {
  const manifest = after.named as Manifest
  const known = new Set(before.named === undefined ? [] : namesIn(before.named))
  const left = new Set(namesIn(manifest))
  const written = manifest.runs.filter(({ name }) => !known.has(name))
  return {
    table: manifest.table,
    changed: manifest.generation !== before.named?.generation,
    rebuilt: before.reasons[0],
    manifest,
    newObjects: newObjects(before),
    filesWritten: totalsOf(written).files,
    filesReplaced: filesGone(before.named, left),
    filesRemoved: removed.length,
  }
}

/** Files of a manifest that are in use no more, the lists of what its runs were made from among them. */
function filesGone(before: Manifest | undefined, left: ReadonlySet<string>): number {
  if (before === undefined) return 0
  const isGone = ({ name }: { readonly name: string }) => !left.has(name)
  const runs = before.runs.filter(isGone)
  return totalsOf(runs).files + runs.length + [...before.checkpoints, ...before.answers].filter(isGone).length
}

function newObjects({ coverage, listed }: Found): number {
  let count = 0
  for (const [day, { objects }] of listed)
    if (!coverage.days.has(day)) count += Math.max(0, objects.length - (coverage.changed.get(day)?.objects ?? 0))
  return count
}

/** A copy must not look more complete than the archive is, and whoever compacts should know what waits beside it. */
async function refuseDoubtful({ root, table }: Workbench, found: Found, options: CompactionOptions): Promise<void> {
  const listed = await listTable(new DiskArchive(root), table)
  const unread = listed.unread.filter(({ mayHoldRows }) => mayHoldRows)
  if (unread.length > 0)
    throw new DerivedError(
      `folder of ${table} holds what no question reads, or not every one`,
      unread.map(({ key, reason }) => `${key} ${reason}`),
      'nothing was published',
    )
  if (found.listed.size === 0)
    throw new DerivedError(`table ${table} has no rows in the archive, so there is nothing to compact`)
  // what waits there may be rows of the archive by tomorrow
  if (options.despiteRefused || newObjects(found) === 0) return
  const refused = await refusedOfTable(root, table)
  if (refused.length > 0)
    throw new DerivedError(
      `records of ${table} wait under refused/, so the archive is not all that the table's stream had`,
      refused,
      'nothing was published; itemtrail redrive sends them again, --despite-refused goes on without them',
    )
}
