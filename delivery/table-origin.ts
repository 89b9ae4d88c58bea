import { openDuckDb } from '../queries/engines/duckdb-instance.js'
import { fileList } from '../queries/engines/file-list.js'
import type { DiskArchive } from '../store/folder.js'
import { listTable } from '../store/table-objects.js'
import { shown } from '../transform/refusal.js'

/**
 * The region that a table's rows in an archive are of, undefined where none says it. Whatever is added must be of that
 * region, so the newest object that names one tells it of all.
 */
export async function regionInArchive(archive: DiskArchive, table: string): Promise<string | undefined> {
  for (const file of (await filesOf(archive, table)).toReversed()) {
    const [region] = (await valuesIn([file], 'region', 'region is not null limit 1')) ?? []
    if (region !== undefined) return region
  }
  return undefined
}

/**
 * The ARN of the one stream that a table's rows in an archive came from; undefined where there are none, or several.
 */
export async function streamInArchive(archive: DiskArchive, table: string): Promise<string | undefined> {
  const files = await filesOf(archive, table)
  const streams = files.length === 0 ? [] : await valuesIn(files, 'source', `source like 'arn:%/stream/%'`)
  return streams?.length === 1 ? streams[0] : undefined
}

async function filesOf(archive: DiskArchive, table: string): Promise<readonly string[]> {
  return (await listTable(archive, table)).objects.map(key => archive.pathOf(key))
}

/** Undefined where the object cannot be read: that is for readers to report, and no reason to refuse new changes. */
async function valuesIn(
  files: readonly string[],
  column: string,
  where: string,
): Promise<readonly string[] | undefined> {
  const instance = await openDuckDb(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    const rows = `read_parquet(${fileList(files)}, union_by_name = true, hive_partitioning = false)`
    const result = await connection.runAndReadAll(`select distinct ${column} from (from ${rows}) where ${where}`)
    return result.getRows().map(([value]) => String(value))
  } catch {
    return undefined
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/**
 * Why rows of one region do not go with those of another; undefined where they do. A region that is not known goes with
 * any.
 */
export function describeOtherRegion(
  table: string,
  known: string | undefined,
  region: string | undefined,
): string | undefined {
  if (known === undefined || region === undefined || known === region) return undefined
  return `region is ${shown(region)}, the archive holds changes of ${table} from ${known}: the streams of a global table's regions each tell every change, so an archive takes one of them`
}

/** What keeps the rows of a second region out of a table's archive. */
export class RegionDoor {
  private readonly marker: Buffer

  constructor(
    private readonly table: string,
    private region: string | undefined,
  ) {
    this.marker = Buffer.from(`,"table_name":${JSON.stringify(table)},"region":"`)
  }

  /** Why row lines may not come in; undefined where they may. The first region that comes in is the archive's. */
  refusal(lines: Buffer): string | undefined {
    for (let from = 0; from < lines.length; ) {
      const lineFeed = lines.indexOf(LINE_FEED, from)
      const end = lineFeed === -1 ? lines.length : lineFeed
      const reason = describeOtherRegion(this.table, this.region, this.regionIn(lines.subarray(from, end)))
      if (reason !== undefined) return reason
      from = end + 1
    }
    this.region ??= this.regionIn(lines)
    return undefined
  }

  /** Whether rows of all these regions may come in; if so, the first that is known is the archive's. */
  takesAll(regions: readonly (string | undefined)[]): boolean {
    const known = this.region ?? regions.find(region => region !== undefined)
    const takes = regions.every(region => describeOtherRegion(this.table, known, region) === undefined)
    if (takes) this.region = known
    return takes
  }

  /** In a row line every quote inside a text has a backslash before it, so the marker stands at its one place. */
  private regionIn(line: Buffer): string | undefined {
    const marker = line.indexOf(this.marker)
    if (marker === -1) return undefined
    const from = marker + this.marker.length
    return line.toString('utf8', from, line.indexOf(QUOTE, from))
  }
}

const LINE_FEED = 0x0a
const QUOTE = 0x22
