import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type BaselineOrigin, type FoundItem, itemOfLine } from '../../capture/baseline.js'
import { type FullSummary, tableOfArn } from '../../capture/export-layout.js'
import { checkDataFiles, openExport, readExport, type TableExport } from '../../capture/export-reader.js'
import type { ScannedTable } from '../../capture/table-scan.js'
import { factInstant } from '../../transform/fact.js'
import { parseInstant } from '../../transform/instant.js'
import { callAws } from '../failures.js'
import { CommandError, EXIT, type Io, type Options } from '../io.js'
import { Progress } from '../show/progress.js'
import { openDynamoDb } from './connection.js'

/** Where the items of a table are read from. */
export interface BaselineSource {
  readonly origin: BaselineOrigin
  /** The table's key attributes where the source knows them. */
  readonly keys: readonly string[] | undefined
  /** Every item. `onRead` is told how much of `total` is read. */
  items(): AsyncIterable<FoundItem>
  readonly progress: () => { readonly done: number; readonly total: number }
  readonly toUs: () => number
}

/** Opens the export in a folder, its files verified, as what a table held at one instant. Throws `CommandError`. */
export async function openFullExport(table: string, folder: string, io: Io): Promise<BaselineSource> {
  const source = await openExport(folder)
  checkExportOf(table, source, folder)
  if (source.summary.exportType !== 'FULL_EXPORT')
    throw new CommandError(
      `${folder} is an incremental export, which holds what changed and not what there was`,
      EXIT.usage,
      'itemtrail reconcile compares it with the archive; a baseline wants a full export',
    )
  const summary = source.summary as FullSummary
  await verifyFiles(source, io)
  let done = 0
  const fromUs = parseInstant(summary.exportTime)?.us as number
  return {
    origin: { method: 'export', source: summary.exportArn, fromUs },
    keys: undefined,
    items: () => itemsOf(source, bytes => (done = bytes)),
    progress: () => ({ done, total: source.bytes }),
    toUs: () => fromUs,
  }
}

/** Throws `CommandError` for an export of another table. */
export function checkExportOf(table: string, { summary }: TableExport, folder: string): void {
  const name = tableOfArn(summary.tableArn)
  if (name !== table)
    throw new CommandError(`${folder} is an export of table ${JSON.stringify(name)}, not of ${JSON.stringify(table)}`)
}

/** Compares every file with its checksum before anything is made of it. */
export async function verifyFiles(source: TableExport, io: Io): Promise<void> {
  const progress = new Progress(io, 'verified byte')
  try {
    await checkDataFiles(source, bytes => progress.update(bytes, bytes, source.bytes))
  } finally {
    progress.end()
  }
}

async function* itemsOf(source: TableExport, onBytes: (bytes: number) => void): AsyncGenerator<FoundItem> {
  for await (const line of readExport(source, onBytes)) yield itemOfLine(line)
}

/** A live table, for who wants more of it than its items. */
export interface ScanSource extends BaselineSource {
  readonly client: DynamoDBClient
  readonly live: ScannedTable
}

/** Prepares the scan of a live table. Throws `CommandError` for what the service refuses. */
export async function openScan(table: string, options: Options, io: Io): Promise<ScanSource> {
  const [client, { describeTable, TableScan }] = await Promise.all([
    openDynamoDb(options),
    import('../../capture/table-scan.js'),
  ])
  const subject = `table ${JSON.stringify(table)}`
  const live = await callAws(`${subject} cannot be described`, () => describeTable(client, table))
  if (Math.abs(live.clockAheadMs) > CLOCKS_DIFFER_MS)
    io.err(
      `this clock and that of DynamoDB differ by ${Math.round(live.clockAheadMs / 1000)} s; the earlier one counts\n`,
    )
  const scan = new TableScan(client, live, segmentsOf(options))
  const fromUs = live.askedUs
  let done = 0
  return {
    origin: { method: 'scan', source: `${live.arn}/scan/${factInstant(fromUs)}`, fromUs },
    keys: live.keys,
    items: () =>
      countItems(
        scan.items(),
        () => done++,
        call => callAws(`${subject} cannot be scanned`, call),
      ),
    progress: () => ({ done, total: Math.max(live.itemCount, done) }),
    toUs: () => Math.max(scan.untilUs, fromUs),
    client,
    live,
  }
}

const CLOCKS_DIFFER_MS = 60_000

async function* countItems(
  items: AsyncGenerator<FoundItem>,
  onItem: () => void,
  call: <T>(ask: () => Promise<T>) => Promise<T>,
): AsyncGenerator<FoundItem> {
  for (;;) {
    const { value, done } = await call(() => items.next())
    if (done === true) return
    onItem()
    yield value
  }
}

const MAX_SEGMENTS = 64

/** How many segments are scanned at once. Each has a page of a megabyte in memory. */
function segmentsOf({ segments }: Options): number {
  const count = Number(segments ?? 1)
  if (!Number.isInteger(count) || count < 1 || count > MAX_SEGMENTS)
    throw new CommandError(`--segments is ${JSON.stringify(segments)}, expected 1 to ${MAX_SEGMENTS}`)
  return count
}
