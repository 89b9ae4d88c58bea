import {
  BaselineDeliveryError,
  type BaselineResult,
  type BaselineTarget,
  rowTimeOf,
  takeBaseline,
} from '../../capture/baseline.js'
import { type BaselineFact, factInstant } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { dateOf } from '../../transform/partition.js'
import { regionOfSource } from '../../transform/stream-record.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { checkRegion } from '../ask/archive-writing.js'
import { LIVE_OPTIONS } from '../ask/connection.js'
import { KEYS_OF_OPTION, sealedByStack } from '../ask/key-store.js'
import { keyedTable } from '../ask/keyed-table.js'
import { lookAtKeys } from '../ask/own-keys.js'
import { type BaselineSource, openFullExport, openScan } from '../ask/table-source.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, loadConfiguration } from '../ask/workspace.js'
import { callAws, describeWriteFailure } from '../failures.js'
import { type Command, CommandError, EXIT, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { grouped, Progress } from '../show/progress.js'
import { paint } from '../show/terminal.js'
import { printable } from '../show/text.js'
import { type BaselinePlace, openPlace } from './baseline/place.js'

/** Gives an archive its beginning: every item that a table holds. */
export const baseline: Command = {
  usage: 'baseline <table>',
  summary: 'adds every item that the table holds now, or held when it was exported',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--export <dir>', 'takes them from a full export on disk: its folder AWSDynamoDB/<exportId>'],
    ['--scan', 'takes them from the live table, with strongly consistent reads'],
    ...LIVE_OPTIONS,
    ['--segments <n>', 'scans with so many readers at once (1)'],
    ['--delivery-stream <name>', 'on AWS, the Firehose that they are sent to: the output ReplayStream of the table'],
    ['--bucket <name>', 'on AWS, the archive: it is waited for until every row is there'],
    KEYS_OF_OPTION,
    FORMAT_OPTION,
  ],
  example: 'itemtrail baseline Orders --scan',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const name = args[0] as string
    checkUse(options)
    const source = await openSource(name, options, io)
    const place = await openPlace(name, options)
    const configuration = loadConfiguration(options)
    if (place.root !== undefined) await lookAtKeys(configuration, place.root)
    const keyed = await keyedTable(name, configuration, source.keys, place.root)
    const table = await sealedByStack(keyed, options)
    checkSince(table, source)
    await place.check(table)
    if (place.root !== undefined) await checkRegion(place.root, name, regionOfSource(source.origin.source))
    const before = await findBaseline(place, name, source)
    if (before !== undefined) {
      const result = { refused: 0, examples: [], items: before.items, fact: before, key: factKey(before) }
      const page = () => io.out(`this baseline of ${name} is complete already: ${printable(result.key)}\n`)
      await format.print({ page, whole: () => describe(name, source, result) }, io)
      return EXIT.done
    }
    const progress = new Progress(io, 'item')
    const target = await place.openTarget(table, source.origin, (items, expected) =>
      progress.update(items, items, expected),
    )
    try {
      const result = await take(source, table, target, progress, place.root)
      const page = () => showResult(result, table, source, place, io)
      await format.print({ page, whole: () => describe(name, source, result) }, io)
      return result.fact === undefined ? EXIT.findings : EXIT.done
    } finally {
      target.close()
    }
  },
}

function checkUse(options: Options): void {
  const { scan, endpoint, region, segments, deliveryStream, bucket } = options
  const from = options.export
  if ((from === undefined) === (scan !== true))
    throw new CommandError('a baseline comes from one source, expected --export DIR or --scan')
  if ((deliveryStream === undefined) !== (bucket === undefined))
    throw new CommandError(
      'an archive on AWS is a stream and a bucket, expected --delivery-stream and --bucket together',
    )
  if (options.keysOf !== undefined && bucket === undefined)
    throw new CommandError('--keys-of is of an archive on AWS, expected --delivery-stream and --bucket with it')
  const live = Object.entries({
    '--endpoint': endpoint,
    ...(bucket === undefined && { '--region': region }),
    '--segments': segments,
  })
  const stray = live.find(([, value]) => value !== undefined)
  if (scan !== true && stray !== undefined)
    throw new CommandError(`${stray[0]} is of a live table, expected --scan with it`)
}

function openSource(name: string, options: Options, io: Io): Promise<BaselineSource> {
  return typeof options.export === 'string' ? openFullExport(name, options.export, io) : openScan(name, options, io)
}

/** The transform would refuse each row, after everything was read. */
function checkSince({ table, since }: TableConfiguration, { origin }: BaselineSource): void {
  const date = dateOf(rowTimeOf(origin))
  if (since !== undefined && date < since)
    throw new CommandError(
      `baseline of ${table} would be of ${date}, before the archive's first day ${since}, see "since" in the configuration`,
      EXIT.usage,
      `all its rows have one time, just before it was taken: "since": ${JSON.stringify(date)} lets them in, on AWS with a deployment`,
    )
}

/** A complete baseline of the same export, which would add the same rows once more. */
async function findBaseline(place: BaselinePlace, table: string, { origin }: BaselineSource) {
  const facts = await place.readFacts(table)
  return facts.find((fact): fact is BaselineFact => fact.kind === 'baseline' && fact.source === origin.source)
}

async function take(
  source: BaselineSource,
  table: TableConfiguration,
  target: BaselineTarget,
  progress: Progress,
  root: string | undefined,
): Promise<BaselineResult> {
  const onItem = (items: number) => {
    const { done, total } = source.progress()
    progress.update(items, done, total)
  }
  const onRead = () => progress.note('waiting for what was read to be in the archive ...')
  const options = { onItem, onRead, toUs: source.toUs }
  try {
    return await callAws(`baseline of ${table.table} cannot be delivered`, () =>
      takeBaseline(source.items(), source.origin, table, target, options),
    )
  } catch (error) {
    const written =
      root === undefined ? undefined : describeWriteFailure(error, root, `archive ${JSON.stringify(root)}`)
    const problem = error instanceof BaselineDeliveryError ? error.message : written
    if (problem === undefined) throw error
    throw new CommandError(problem, EXIT.findings, 'rows without a fact do no harm; mend the cause and run it again')
  } finally {
    progress.end()
  }
}

function showResult(
  { items, refused, examples, key }: BaselineResult,
  { table }: TableConfiguration,
  { origin }: BaselineSource,
  place: BaselinePlace,
  io: Io,
): void {
  const what = `${grouped(items)} ${items === 1 ? 'item' : 'items'} of ${table} from ${printable(origin.source)}`
  if (key !== undefined) {
    io.out(`${paint(io, 'green', 'complete')}  ${what}\n`)
    io.out(`  all its rows are of ${factInstant(rowTimeOf(origin))}; ${printable(key)} says that they are all there\n`)
    return
  }
  io.out(`${paint(io, 'red', 'incomplete')}  ${what}: ${grouped(refused)} refused, so this is no baseline\n`)
  for (const { item, reason } of examples) io.out(`  ${printable(item)}  ${printable(reason)}\n`)
  if (refused > examples.length) io.out(`  and ${grouped(refused - examples.length)} further ones\n`)
  io.err(`${place.refusedHint}; mend the cause and run it again\n`)
}

function describe(table: string, { origin }: BaselineSource, result: BaselineResult): object {
  const { items, refused, examples, fact, key } = result
  return {
    table,
    complete: fact !== undefined,
    method: origin.method,
    source: origin.source,
    from: factInstant(origin.fromUs),
    to: fact?.to ?? null,
    row_time: factInstant(rowTimeOf(origin)),
    items,
    refused,
    examples,
    digest: fact?.digest ?? null,
    fact: key ?? null,
  }
}
