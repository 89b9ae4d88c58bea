/** Changes and rates taken from what there is already: a sample of records, or an archive. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Document } from '../capture/document-reader.js'
import { isOverlong } from '../capture/overlong.js'
import type { QueryEngine } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { type Row, rowsOf } from '../queries/engines/rows.js'
import { privateFolder } from '../store/durable.js'
import type { Item } from '../transform/attribute-value.js'
import { decodeChange } from '../transform/change.js'
import { Refusal } from '../transform/refusal.js'
import { type StreamRecord, tryReadStreamRecord } from '../transform/stream-record.js'
import { unconfiguredTable } from '../transform/table-configuration.js'
import type { NamedTable } from '../transform/table-names.js'
import { SAMPLE_BYTES, SAMPLE_CHANGES, type SampleChange } from './sample-changes.js'
import type { MeasuredParquet } from './traffic.js'

/** What was measured of one table. */
export interface Measured {
  readonly table: string
  /** A sample of them; empty where there was none that could be read. */
  readonly changes: readonly SampleChange[]
  /** Changes in all, and of them those whose time is known. */
  readonly count: number
  readonly rates: Rates | null
  readonly parquet: MeasuredParquet | null
}

/** Changes a second: on average, and in the busiest minute. */
export interface Rates {
  readonly writesPerSecond: number
  readonly peakWritesPerSecond: number
}

/** Less than this is no time to measure a rate over. */
const LEAST_SPAN_SECONDS = 60

function ratesOf(count: number, firstUs: number, lastUs: number, busiestMinute: number): Rates | null {
  const seconds = (lastUs - firstUs) / 1e6
  if (count < 2 || seconds < LEAST_SPAN_SECONDS) return null
  const writesPerSecond = count / seconds
  return { writesPerSecond, peakWritesPerSecond: Math.max(writesPerSecond, busiestMinute / 60) }
}

/** What the documents of a sample are: by table, and how many are no change that could be read. */
export interface MeasuredSample {
  readonly tables: readonly Measured[]
  readonly unread: number
}

/** Reads all documents, and of each table keeps a sample that is spread over them. */
export async function measureSample(documents: AsyncIterable<Document>): Promise<MeasuredSample> {
  const tables = new Map<string, TableSample>()
  let unread = 0
  for await (const document of documents) {
    const record = isOverlong(document) ? undefined : tryReadStreamRecord(document)
    const change = record && changeOf(record)
    if (record === undefined || change === undefined) unread++
    else {
      const sample = tables.get(record.table) ?? new TableSample()
      tables.set(record.table, sample)
      sample.add(change, record.time?.us)
    }
  }
  return { tables: [...tables].map(([table, sample]) => sample.measured(table)), unread }
}

class TableSample {
  private kept: SampleChange[] = []
  private bytes = 0
  private stride = 1
  private count = 0
  private timed = 0
  private readonly minutes = new Map<number, number>()
  private first = Number.POSITIVE_INFINITY
  private last = Number.NEGATIVE_INFINITY

  add(change: SampleChange, us: number | undefined): void {
    if (us !== undefined) this.time(us)
    if (this.count++ % this.stride !== 0) return
    this.kept.push(change)
    this.bytes += lengthOf(change)
    // every other one goes, and from here on every other one comes: what is kept stays spread evenly
    while (this.kept.length > 1 && (this.kept.length > SAMPLE_CHANGES || this.bytes > SAMPLE_BYTES)) {
      this.kept = this.kept.filter((_, i) => i % 2 === 0)
      this.bytes = this.kept.reduce((sum, one) => sum + lengthOf(one), 0)
      this.stride *= 2
    }
  }

  private time(us: number): void {
    this.timed++
    this.first = Math.min(this.first, us)
    this.last = Math.max(this.last, us)
    const minute = Math.floor(us / 60e6)
    this.minutes.set(minute, (this.minutes.get(minute) ?? 0) + 1)
  }

  measured(table: string): Measured {
    const busiest = [...this.minutes.values()].reduce((most, count) => Math.max(most, count), 0)
    const rates = ratesOf(this.timed, this.first, this.last, busiest)
    return { table, changes: this.kept, count: this.count, rates, parquet: null }
  }
}

function lengthOf({ oldImage, newImage }: SampleChange): number {
  return JSON.stringify([oldImage, newImage]).length
}

/** Undefined for what the transform would refuse, and for baselines, which no stream carries. */
function changeOf(record: StreamRecord): SampleChange | undefined {
  if (record.eventName === 'BASELINE') return undefined
  try {
    const { keys, oldImage, newImage } = decodeChange(record, unconfiguredTable(record.table))
    const parse = (image: { readonly text: string } | null) =>
      image === null ? null : (JSON.parse(image.text) as Item)
    return {
      eventName: record.eventName,
      keys: parse(keys) as Item,
      oldImage: parse(oldImage),
      newImage: parse(newImage),
    }
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Measures a table of an archive: each change once, without baselines. */
export async function measureArchive(engine: QueryEngine, named: NamedTable): Promise<Measured> {
  const { table } = named
  const rows = `${deliveriesOf(named)} where event_name <> 'BASELINE'`
  const [all] = await ask(
    engine,
    `select count(distinct event_id) as changes,
      coalesce(avg(coalesce(length(old_image), 0) + coalesce(length(new_image), 0)), 0) as bytes from ${rows}`,
  )
  const count = Number(all?.changes)
  if (count === 0) return { table, changes: [], count, rates: null, parquet: null }
  const few = Math.max(20, Math.min(SAMPLE_CHANGES, Math.floor(SAMPLE_BYTES / (1 + Number(all?.bytes)))))
  // an id is a hash, so the least ids are a sample without chance
  const sample = await ask(
    engine,
    `select event_name, item_key, old_image, new_image from ${rows} order by event_id limit ${few}`,
  )
  return {
    table,
    changes: sample.map(toSampleChange),
    count,
    rates: await measureRates(engine, rows),
    parquet: await measureParquet(engine, rows, few),
  }
}

function toSampleChange({ event_name, item_key, old_image, new_image }: Row): SampleChange {
  const parse = (image: Row[string] | undefined) => (typeof image === 'string' ? (JSON.parse(image) as Item) : null)
  return {
    eventName: event_name as SampleChange['eventName'],
    keys: parse(item_key) as Item,
    oldImage: parse(old_image),
    newImage: parse(new_image),
  }
}

async function measureRates(engine: QueryEngine, rows: string): Promise<Rates | null> {
  const [row] = await ask(
    engine,
    `with changes as (
      select event_id, min(event_time_us) as us from ${rows} and time_precision <> 'arrival' group by event_id
    ), minutes as (
      select min(us) as first, max(us) as last, count(*) as changes from changes group by us // 60000000
    )
    select min(first) as first, max(last) as last, sum(changes)::bigint as changes, max(changes) as busiest from minutes`,
  )
  if (row === undefined || row.changes === null) return null
  return ratesOf(Number(row.changes), Number(row.first), Number(row.last), Number(row.busiest))
}

/**
 * Rows that are written to see how small they become; more than the sample, because columns shrink by what they have in
 * common.
 */
const PARQUET_FACTOR = 20

/**
 * How large rows become as Firehose writes them: a desk keeps ZSTD and Firehose writes SNAPPY without dictionaries, so
 * some are written again. In the order of their time, as they would arrive.
 */
async function measureParquet(engine: QueryEngine, rows: string, few: number): Promise<MeasuredParquet> {
  const folder = privateFolder('itemtrail-plan-')
  try {
    const path = join(folder, 'rows.parquet').replaceAll("'", "''")
    await engine.run(
      `copy (select * exclude (event_date) from (select * from ${rows} limit ${few * PARQUET_FACTOR}) order by event_time_us)
      to '${path}' (format parquet, compression snappy, string_dictionary_page_size_limit 1)`,
    )
    const [sizes] = await ask(
      engine,
      `select sum(total_compressed_size)::double as bytes,
        coalesce(sum(total_compressed_size) filter (not regexp_matches(path_in_schema, '_image$')), 0)::double as without_images,
        coalesce(sum(total_compressed_size) filter (not regexp_matches(path_in_schema, '_image$|(old|new)_hash$')), 0)::double as narrow
      from parquet_metadata('${path}')`,
    )
    const [counted] = await ask(engine, `select count(*) as rows from '${path}'`)
    const perRow = (bytes: Row[string] | undefined) => Number(bytes) / Number(counted?.rows)
    return {
      rowBytes: perRow(sizes?.bytes),
      withoutImagesBytes: perRow(sizes?.without_images),
      narrowBytes: perRow(sizes?.narrow),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function ask(engine: QueryEngine, sql: string): Promise<readonly Row[]> {
  return [...rowsOf(await engine.run(sql))]
}
