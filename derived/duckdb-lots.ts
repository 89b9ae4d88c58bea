import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isShortage } from '../queries/engines/duckdb-error.js'
import type { Column } from '../transform/audit-row.js'
import { LOT_COLUMN, lotRowsSql, lotsSql, rowsInBuckets, slicesSql, stagedRows, stageSql } from './duckdb-statements.js'
import { halvesOf, type Lot, type PlannedBucket, passesOf, planLots, roomOf } from './lots.js'
import type { Workbench } from './workbench.js'

/** Where the rows of some buckets are: in the archive's objects, or staged in files of our own. */
export interface LotSource {
  readonly kind: 'objects' | 'staged'
  /** Files, in batches of no more bytes than there is room for. */
  readonly batches: readonly (readonly string[])[]
}

/** What lots are brought together with. */
export interface LotOptions {
  readonly bench: Workbench
  readonly columns: readonly Column[]
  readonly digits: number
  /** Bytes of rows that are sorted at a time. */
  readonly room: number
  /** Runs a statement that reads files, or says which of them are damaged. */
  readonly read: (sql: string, paths: readonly string[]) => Promise<unknown>
  /** Files in batches of no more bytes than there is room for. */
  readonly batchesOf: (paths: readonly string[]) => Promise<readonly (readonly string[])[]>
}

/** To read everything for each of so few lots costs less than to write it by lot, and read that. */
const MOST_PASSES = 4

/** Each batch writes a file for each lot, so what has more of them is staged again, lot by lot. */
const MOST_LOTS = 64

/** The rows of a lot, or of a slice of it, which are in the table `lot_rows`, sorted. */
export interface Gathered extends Lot {
  /** From 1 on. */
  readonly slice: number
}

/**
 * Writes buckets lot by lot, in their order, slice by slice. DuckDB sorts wide rows in memory alone ("failed to pin
 * block" where they do not fit), so no more are sorted than ought to fit; a lot that does not is written again in
 * smaller ones, from its first slice on.
 */
export async function writeLots(
  options: LotOptions,
  source: LotSource,
  buckets: readonly PlannedBucket[],
  write: (gathered: Gathered) => Promise<void>,
): Promise<void> {
  const lots = planLots(buckets, options.room)
  if (passesOf(lots) <= MOST_PASSES || buckets.length === 1) {
    for (const lot of lots) await writeOrHalve(options, source, lot, write)
    return
  }
  const large = planLots(buckets, Math.max(options.room, roomOf(buckets) / MOST_LOTS))
  const stage = await stageRows(options, source, large)
  for (const [i, { buckets: some }] of large.entries()) {
    const files = stagedFiles(stage, i)
    await writeLots(options, { kind: 'staged', batches: await options.batchesOf(files) }, some, write)
    for (const file of files) rmSync(file)
  }
  rmSync(stage, { recursive: true })
}

async function writeOrHalve(
  options: LotOptions,
  source: LotSource,
  lot: Lot,
  write: (gathered: Gathered) => Promise<void>,
): Promise<void> {
  try {
    await writeLot(options, source, lot, write)
  } catch (error) {
    const smaller = isShortage(error) ? halvesOf(lot) : []
    if (smaller.length === 0) throw error
    await options.bench.query('drop table if exists lot_rows')
    for (const part of smaller) await writeOrHalve(options, source, part, write)
  }
}

async function writeLot(
  options: LotOptions,
  source: LotSource,
  { buckets, slices }: Lot,
  write: (gathered: Gathered) => Promise<void>,
): Promise<void> {
  const { read } = options
  const files = source.batches.flat()
  const rows = rowsOf(options, source.kind, files)
  const names = buckets.map(({ name }) => name)
  if (slices > 1) await read(slicesSql(rows, names[0] as string, slices), files)
  for (let slice = 1; slice <= slices; slice++) {
    const part = slices > 1 ? slice : undefined
    // a second thread, measured, takes two fifths more of the CPU for it, and ends little sooner
    await options.bench.byOneThread(() => read(lotRowsSql(rows, names, part), files))
    await write({ buckets, slices, slice })
  }
}

/** Sorts the rows of all batches by lot, on disk, and gives the folder. */
async function stageRows(options: LotOptions, { kind, batches }: LotSource, lots: readonly Lot[]): Promise<string> {
  const { bench } = options
  const folder = bench.newFolder()
  await bench.query(lotsSql(lots.map(({ buckets }) => buckets.map(({ name }) => name))))
  for (const [i, batch] of batches.entries()) await stageOrHalve(options, kind, batch, join(folder, String(i)))
  return folder
}

/** DuckDB holds the rows of all lots until they are written, and what they come to there is only estimated before. */
async function stageOrHalve(
  options: LotOptions,
  kind: LotSource['kind'],
  batch: readonly string[],
  folder: string,
): Promise<void> {
  try {
    await options.read(stageSql(rowsOf(options, kind, batch), folder), batch)
  } catch (error) {
    if (!isShortage(error) || batch.length === 1) throw error
    rmSync(folder, { recursive: true, force: true })
    const half = Math.ceil(batch.length / 2)
    await stageOrHalve(options, kind, batch.slice(0, half), `${folder}-0`)
    await stageOrHalve(options, kind, batch.slice(half), `${folder}-1`)
  }
}

function rowsOf({ columns, digits }: LotOptions, kind: LotSource['kind'], files: readonly string[]): string {
  return kind === 'objects' ? rowsInBuckets(files, columns, digits) : stagedRows(files, columns)
}

function stagedFiles(stage: string, lot: number): readonly string[] {
  return readdirSync(stage).flatMap(batch => {
    const folder = join(stage, batch, `${LOT_COLUMN}=${lot}`)
    return existsSync(folder) ? readdirSync(folder).map(name => join(folder, name)) : []
  })
}
