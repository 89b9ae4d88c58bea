/** The real `baseline` of a live table into an archive on AWS: scanned while others write, and waited for row by row. */
import { takeBaseline } from '../capture/baseline.js'
import { describeTable, TableScan } from '../capture/table-scan.js'
import { FirehoseTarget } from '../delivery/baseline-to-firehose.js'
import { Bucket } from '../store/s3.js'
import { factInstant, StatesDigest } from '../transform/fact.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { SimulatedBucket } from './bucket.js'
import { dynamoDbClientOf } from './dynamodb-client.js'
import type { SimulatedFirehose } from './firehose.js'
import { type Process, timeOf } from './process.js'
import { s3ClientOf } from './s3-client.js'
import type { SimulatedTable } from './table.js'

/** Of what a baseline is taken, and where to. */
export interface BaselinePath {
  readonly table: SimulatedTable
  readonly configurationOf: () => TableConfiguration
  readonly archive: SimulatedBucket
  readonly firehose: SimulatedFirehose
}

/** Takes a baseline; whether it is complete. Throws where it cannot be read or delivered. */
export async function baselineBy(process: Process, path: BaselinePath): Promise<boolean> {
  const configuration = path.configurationOf()
  const client = dynamoDbClientOf(process, path.table)
  const time = timeOf(process)
  const live = await describeTable(client, configuration.table, process.now, time)
  const scan = new TableScan(client, live, 1, process.now, time)
  const fromUs = live.askedUs
  const origin = { method: 'scan', source: `${live.arn}/scan/${factInstant(fromUs)}`, fromUs } as const
  const bucket = new Bucket(s3ClientOf(process, [path.archive]), path.archive.name)
  const target = await FirehoseTarget.open({
    firehose: path.firehose.clientOf(process),
    deliveryStream: 'replay',
    bucket,
    table: configuration,
    origin,
    time,
    sleep: process.sleep,
    arrivals: async (_, prefix, source, known = []) => arrivedLines(bucket, prefix, source, known),
  })
  const toUs = () => Math.max(scan.untilUs, fromUs)
  const { fact } = await takeBaseline(scan.items(), origin, configuration, target, { toUs, now: process.now })
  return fact !== undefined
}

/** Row lines stand here for Parquet. */
function arrivedLines(bucket: Bucket, prefix: string, source: string, known: Iterable<string>) {
  const read = new Set(known)
  const arrived = new Set<string>()
  const look = async () => {
    for (const key of await bucket.list(prefix)) {
      if (read.has(key)) continue
      for (const line of Buffer.from(await bucket.open(key))
        .toString()
        .trimEnd()
        .split('\n')) {
        const row = JSON.parse(line) as Readonly<Record<string, string>>
        if (row.event_name === 'BASELINE' && row.source === source) arrived.add(`${row.item_key}\n${row.new_hash}`)
      }
      read.add(key)
    }
    const digest = new StatesDigest()
    for (const state of arrived) digest.add(...(state.split('\n') as [string, string]))
    return { items: arrived.size, digest: digest.hex() }
  }
  return { look, close: () => {} }
}
