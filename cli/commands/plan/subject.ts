import { BUFFER } from '../../../aws/firehose-buffer.js'
/**
 * What a plan is made for: the flags, a sample or an archive become a workload with changes that weigh like its own.
 */
import { readDocuments } from '../../../capture/document-reader.js'
import { openInput } from '../../../capture/input.js'
import { type Configuration, tableConfiguration } from '../../../config/configuration.js'
import { RETENTION_DAYS, SCAN_CUTOFF_GB } from '../../../cost/deployed.js'
import type { Subject } from '../../../cost/flow.js'
import { type Measured, measureArchive, measureSample } from '../../../cost/measured.js'
import { madeUpChanges, type SampleShape } from '../../../cost/sample-changes.js'
import { weighTraffic } from '../../../cost/traffic.js'
import {
  checkShares,
  type FigureRange,
  peakOf,
  RANGES,
  readItemSize,
  readNumber,
  type Workload,
  WorkloadError,
} from '../../../cost/workload.js'
import { findWorkspaceTable, loadConfiguration, withWorkspace } from '../../ask/workspace.js'
import { describeReadFailure } from '../../failures.js'
import { CommandError, EXIT, type Io, type Options } from '../../io.js'
import { grouped } from '../../show/progress.js'
import type { PlanSource } from './for-programs.js'

export interface Described {
  readonly source: PlanSource
  readonly subject: Subject
}

const EXAMPLE = 'itemtrail plan --writes-per-second 100 --item-size 1KB'

/** What the arguments describe or point at. Throws `CommandError` for a workload that cannot be. */
export async function subjectOf(sample: string | undefined, options: Options, io: Io): Promise<Described> {
  try {
    return await describe(sample, options, loadConfiguration(options), io)
  } catch (error) {
    throw error instanceof WorkloadError ? new CommandError(error.message) : error
  }
}

async function describe(
  sample: string | undefined,
  options: Options,
  configuration: Configuration | undefined,
  io: Io,
): Promise<Described> {
  const archived = text(options, 'fromArchive')
  if (sample !== undefined && archived !== undefined) {
    throw new CommandError('a sample and --from-archive are given, expected one of them')
  }
  if (archived !== undefined) {
    // some rows are written to a file of our own, to see how small they become
    const measured = await withWorkspace({ ...options, files: true }, workspace =>
      measureArchive(workspace.engine, findWorkspaceTable(workspace, archived)),
    )
    return fromMeasured('archive', measured, options, configuration)
  }
  if (sample !== undefined) {
    return fromMeasured('sample', await measureFile(sample, text(options, 'table'), io), options, configuration)
  }
  return fromArguments(options, configuration)
}

function fromArguments(options: Options, configuration: Configuration | undefined): Described {
  const size = text(options, 'itemSize')
  const writes = number(options, 'writesPerSecond', 'writes per second', RANGES.writesPerSecond)
  if (writes === undefined || size === undefined) {
    throw new CommandError(
      'nothing to plan for: expected --writes-per-second and --item-size, a sample, or --from-archive TABLE',
      EXIT.usage,
      EXAMPLE,
    )
  }
  const changes = madeUpChanges(shapeOf(size, options))
  const workload = workloadOf(writes, undefined, options, configuration, undefined)
  return {
    source: { from: 'arguments', table: null, changes: null },
    subject: { workload, changes, traffic: weighTraffic(changes) },
  }
}

function shapeOf(size: string, options: Options): SampleShape {
  const updates = number(options, 'updates', 'updates', RANGES.percent)
  const deletes = number(options, 'deletes', 'deletes', RANGES.percent)
  // where only one of two is told, the other's preset must not make it impossible
  const shares = {
    updates: updates ?? Math.min(70, 100 - (deletes ?? 10)),
    deletes: deletes ?? Math.min(10, 100 - (updates ?? 70)),
  }
  checkShares(shares.updates, shares.deletes)
  return { itemBytes: readItemSize(size), updates: shares.updates / 100, deletes: shares.deletes / 100 }
}

/** What is typed wins over what was measured, but for the changes themselves: those are as they are. */
function fromMeasured(
  from: 'sample' | 'archive',
  measured: Measured,
  options: Options,
  configuration: Configuration | undefined,
): Described {
  for (const [name, flag] of [
    ['itemSize', 'item-size'],
    ['updates', 'updates'],
    ['deletes', 'deletes'],
  ] as const) {
    if (options[name] !== undefined)
      throw new CommandError(`--${flag} is measured in the ${from}, expected it only without one`)
  }
  const { table, changes, count, rates, parquet } = measured
  if (changes.length === 0) throw new CommandError(`table ${JSON.stringify(table)} has no change yet`, EXIT.unchecked)
  const typed = number(options, 'writesPerSecond', 'writes per second', RANGES.writesPerSecond)
  const writes = typed ?? rates?.writesPerSecond
  if (writes === undefined) {
    throw new CommandError(
      `the ${from} spans less than a minute, which is no time to measure a rate over, expected --writes-per-second`,
    )
  }
  const peak = typed === undefined ? rates?.peakWritesPerSecond : undefined
  const workload = workloadOf(writes, peak, options, configuration, table)
  return {
    source: { from, table, changes: count },
    subject: {
      workload,
      changes,
      traffic: weighTraffic(changes, parquet ?? undefined, tableConfiguration(configuration, table)),
    },
  }
}

function workloadOf(
  writesPerSecond: number,
  measuredPeak: number | undefined,
  options: Options,
  configuration: Configuration | undefined,
  table: string | undefined,
): Workload {
  const peak = number(options, 'peak', 'peak', RANGES.writesPerSecond) ?? measuredPeak
  const lock = configuration?.lock
  const locked = lock === undefined || lock.mode === 'none' ? RETENTION_DAYS : lock.days
  const buffer = (table === undefined ? undefined : configuration?.deployments.get(table)?.buffer) ?? BUFFER
  return {
    writesPerSecond,
    peakWritesPerSecond: peakOf(writesPerSecond, peak),
    peakGiven: peak !== undefined,
    retentionDays: number(options, 'retentionDays', 'retention days', RANGES.retentionDays) ?? locked,
    buffer: {
      mb: number(options, 'bufferMb', 'buffer MB', RANGES.bufferMb) ?? buffer.mb,
      seconds: number(options, 'bufferSeconds', 'buffer seconds', RANGES.bufferSeconds) ?? buffer.seconds,
    },
    scanCutoffGb: configuration?.scanCutoffGb ?? SCAN_CUTOFF_GB,
  }
}

async function measureFile(path: string, wanted: string | undefined, io: Io): Promise<Measured> {
  const name = path === '-' ? 'standard input' : path
  const { tables, unread } = await readSample(path, io)
  if (unread > 0) io.err(`${grouped(unread)} documents of ${name} are no change that could be read, and are left out\n`)
  if (tables.length === 0) throw new CommandError(`${name} holds no change record that names its table`, EXIT.findings)
  const names = tables.map(({ table }) => table).sort()
  const found = wanted === undefined && tables.length === 1 ? tables[0] : tables.find(({ table }) => table === wanted)
  if (found !== undefined) return found
  throw new CommandError(
    wanted === undefined
      ? `${name} has changes of ${names.length} tables, expected --table with one of ${names.join(', ')}`
      : `table ${JSON.stringify(wanted)} is not in ${name}, expected one of ${names.join(', ')}`,
  )
}

async function readSample(path: string, io: Io) {
  try {
    const input = await openInput(path, io.stdin)
    return await measureSample(readDocuments(input.bytes))
  } catch (error) {
    const reading = describeReadFailure(error, path)
    throw reading === undefined ? error : new CommandError(reading, EXIT.findings)
  }
}

function number(options: Options, option: string, name: string, range: FigureRange): number | undefined {
  const typed = text(options, option)
  return typed === undefined ? undefined : readNumber(name, typed, range)
}

function text(options: Options, option: string): string | undefined {
  const value = options[option]
  return typeof value === 'string' ? value : undefined
}
