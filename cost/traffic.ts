/** What a change weighs on its way, on average: by the real packer and the real transform over a sample. */
import { BILLED_BYTES } from '../aws/firehose-limits.js'
import { countForCall, type Pack, packRecords } from '../capture/packing.js'
import { type TableConfiguration, unconfiguredTable } from '../transform/table-configuration.js'
import { transformRecord } from '../transform/transform.js'
import { PARQUET } from './assumptions.js'
import { itemBytes } from './item-size.js'
import { kinesisDocumentOf, SAMPLE_TABLE, type SampleChange, streamsRecordOf } from './sample-changes.js'

/** What Kinesis on demand rounds each record up to when it bills. */
const KINESIS_STEP = 1024

/** Lambda hands a function so many bytes at most (developer guide, "Lambda quotas"). */
const PAYLOAD_BYTES = 6 * 1024 ** 2

/** Bytes and units of a change, each an average. */
export interface Traffic {
  readonly changes: number
  readonly itemBytes: number
  readonly updates: number
  readonly deletes: number
  /** Units of DynamoDB's: started KB of the larger image, of which an update is billed the same. */
  readonly units: number
  readonly streamsBytes: number
  readonly kinesisBytes: number
  readonly largestKinesisBytes: number
  /** As Kinesis on demand rounds it. */
  readonly kinesisBilledBytes: number
  /** As Firehose rounds it, one record a change. */
  readonly streamsAloneBytes: number
  readonly kinesisAloneBytes: number
  /** What the transform makes of it: a row line. */
  readonly rowBytes: number
  /** In an object of Firehose's. */
  readonly parquetBytes: number
  /** Of these, all that is no image. */
  readonly withoutImagesBytes: number
  /** Of these, all that is no image's hash: what every question reads that looks at no image. */
  readonly narrowBytes: number
  readonly parquetMeasured: boolean
}

/** What an archive knows of its rows in Parquet. */
export interface MeasuredParquet {
  readonly rowBytes: number
  readonly withoutImagesBytes: number
  readonly narrowBytes: number
}

/** Weighs the changes of a sample. */
export function weighTraffic(
  changes: readonly SampleChange[],
  parquet?: MeasuredParquet,
  configured: Pick<TableConfiguration, 'columns'> = unconfiguredTable(SAMPLE_TABLE),
): Traffic {
  // nothing else of a configuration makes rows larger, and some of it refuses changes of this sample's day or keys
  const table = { ...unconfiguredTable(SAMPLE_TABLE), columns: configured.columns }
  const streams = changes.map((change, i) => byteLength(streamsRecordOf(change, i)))
  const kinesis = changes.map((change, i) => byteLength(kinesisDocumentOf(change, i)))
  const sizes = changes.map(largerImage)
  const images = mean(changes.map(({ oldImage, newImage }) => imageText(oldImage) + imageText(newImage)))
  const share = (name: SampleChange['eventName']) => mean(changes.map(({ eventName }) => Number(eventName === name)))
  return {
    changes: changes.length,
    itemBytes: mean(sizes),
    updates: share('MODIFY'),
    deletes: share('REMOVE'),
    units: mean(sizes.map(bytes => Math.max(1, Math.ceil(bytes / 1024)))),
    streamsBytes: mean(streams),
    kinesisBytes: mean(kinesis),
    largestKinesisBytes: kinesis.reduce((largest, bytes) => Math.max(largest, bytes), 0),
    kinesisBilledBytes: mean(kinesis.map(bytes => roundUp(bytes, KINESIS_STEP))),
    streamsAloneBytes: mean(streams.map(bytes => roundUp(bytes, BILLED_BYTES))),
    kinesisAloneBytes: mean(kinesis.map(bytes => roundUp(bytes, BILLED_BYTES))),
    rowBytes: mean(changes.map((change, i) => rowBytesOf(change, i, table))),
    parquetBytes: parquet?.rowBytes ?? PARQUET.rowBytes + PARQUET.imageShare * images,
    withoutImagesBytes: parquet?.withoutImagesBytes ?? PARQUET.rowBytes,
    narrowBytes: parquet?.narrowBytes ?? PARQUET.narrowBytes,
    parquetMeasured: parquet !== undefined,
  }
}

/** What becomes of a change where so many come together, on average. */
export interface Packing {
  /** Changes in one call of the forwarder. */
  readonly changes: number
  /** Firehose records, of changes that came together, for each change. */
  readonly records: number
  readonly bytes: number
  /** As Firehose rounds it. */
  readonly billedBytes: number
  /** PutRecordBatch calls for each change. */
  readonly puts: number
}

const packings = new WeakMap<readonly SampleChange[], Map<number, Packing>>()

/** Packs a sample as the forwarder does when so many changes come together, or as many as fit into a call. */
export function packSample(changes: readonly SampleChange[], together: number): Packing {
  const known = packings.get(changes) ?? new Map<number, Packing>()
  packings.set(changes, known)
  const packing = known.get(together) ?? packBatches(batchesOf(changes, together))
  known.set(together, packing)
  return packing
}

function packBatches(batches: readonly (readonly object[])[]): Packing {
  const packs = batches.map(batch => {
    const { packs, oversize } = packRecords(batch)
    return [...packs, ...oversize]
  })
  const all = packs.flat()
  const count = sum(batches.map(batch => batch.length))
  return {
    changes: count / batches.length,
    records: all.length / count,
    bytes: sum(all.map(({ data }) => data.length)) / count,
    billedBytes: sum(all.map(({ data }) => roundUp(data.length, BILLED_BYTES))) / count,
    puts: sum(packs.map(putsOf)) / count,
  }
}

/** The sample as Lambda would hand it over, begun again from the front until one batch is full. */
function batchesOf(changes: readonly SampleChange[], together: number): readonly (readonly object[])[] {
  const records = changes.map(streamsRecordOf)
  const sizes = records.map(byteLength)
  const batches: object[][] = []
  let batch: object[] = []
  let bytes = 0
  for (let i = 0; i < records.length || (batches.length === 0 && batch.length < together); i++) {
    const size = sizes[i % records.length] as number
    if (batch.length > 0 && (batch.length === together || bytes + size > PAYLOAD_BYTES)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(records[i % records.length] as object)
    bytes += size
  }
  // a last batch that is not full would tell of the sample's end, not of the workload
  if (batches.length === 0 || batch.length === together) batches.push(batch)
  return batches
}

function putsOf(packs: readonly Pack[]): number {
  let puts = 0
  for (let rest = packs; rest.length > 0; rest = rest.slice(countForCall(rest))) puts++
  return puts
}

function rowBytesOf(change: SampleChange, position: number, table: TableConfiguration): number {
  const data = Buffer.from(JSON.stringify(streamsRecordOf(change, position)))
  const transformed = transformRecord(data, Date.UTC(2026, 10, 23), table)
  if (transformed.kind === 'refused') throw new Error(`change of a sample was refused: ${transformed.reason}`)
  return Buffer.byteLength(transformed.lines)
}

function largerImage({ keys, oldImage, newImage }: SampleChange): number {
  return Math.max(...[keys, oldImage, newImage].map(image => (image === null ? 0 : itemBytes(image))))
}

function imageText(image: object | null): number {
  return image === null ? 0 : byteLength(image)
}

function byteLength(value: object): number {
  return Buffer.byteLength(JSON.stringify(value))
}

function roundUp(bytes: number, step: number): number {
  return Math.ceil(bytes / step) * step
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
