/**
 * The canary: its table in DynamoDB Local, whose stream comes into a folder by the real transform and Parquet, as far
 * as a test lets it. Needs Java.
 */
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { describe, expect, it } from 'vitest'
import type { Counts } from '../../capture/write-metrics.js'
import { CANARY_HOURS } from '../../config/canary.js'
import { readStream } from '../../examples/orders/stream-reader.js'
import { createCanary } from '../../functions/canary.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { DiskArchive } from '../../store/folder.js'
import type { Objects } from '../../store/objects.js'
import { linesOf, run } from '../cli/command-line.js'
import { LOCAL_CONNECTION } from './live-table.js'
import { type LiveTable, missing, Place } from './table.js'

const place = new Place()
const title = `the canary against DynamoDB Local${missing === undefined ? '' : ` (${missing})`}`
const MINUTE = 60_000

/** Its table, an archive that has of its writes what was let through, and a clock. */
class World {
  ms = Date.UTC(2026, 10, 22, 23, 50)
  readonly counted: Counts[] = []
  readonly told: string[] = []
  readonly call: () => Promise<void>

  constructor(private readonly table: LiveTable) {
    this.call = createCanary(this.options())
  }

  options(): Parameters<typeof createCanary>[0] {
    return {
      dynamoDb: new DynamoDBClient({ ...LOCAL_CONNECTION, endpoint: place.endpoint, maxAttempts: 1 }),
      archive: new DiskArchive(this.table.archive),
      table: this.table.name,
      writeMetrics: counts => this.counted.push(counts),
      report: message => this.told.push(message),
      now: () => this.ms,
    }
  }

  /** Five minutes pass, and it is called. What it counts. */
  async next(call = this.call): Promise<Counts | undefined> {
    this.ms += 5 * MINUTE
    await call()
    return this.counted.at(-1)
  }

  /** Lets the changes with these numbers, from the first, arrive now. */
  async arrive(...numbers: readonly number[]): Promise<readonly string[]> {
    const records: object[] = []
    const client = new DynamoDBStreamsClient({ ...LOCAL_CONNECTION, endpoint: place.endpoint })
    for await (const record of readStream(client, this.table.streamArn)) {
      const written = (record.dynamodb as { NewImage?: { written_at?: { S?: string } } }).NewImage?.written_at?.S
      const ApproximateCreationDateTime = Math.floor(Date.parse(written as string) / 1000)
      records.push({ ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime } })
    }
    const before = this.objects()
    const stdin = linesOf(numbers.map(number => records[number - 1]))
    const { exit, err } = await run(['ingest', '-', '--archive', this.table.archive], { stdin })
    expect([exit, err]).toEqual([0, expect.anything()])
    const made = this.objects().filter(path => !before.includes(path))
    for (const path of made) {
      await asFirehoseWrites(path)
      utimesSync(path, this.ms / 1000, this.ms / 1000)
    }
    return made
  }

  private objects(): string[] {
    try {
      const names = readdirSync(join(this.table.archive, 'data'), { recursive: true, encoding: 'utf8' })
      return names.filter(name => name.endsWith('.parquet')).map(name => join(this.table.archive, 'data', name))
    } catch {
      return []
    }
  }
}

/** An archive that tells nothing before so many have asked it: each has read the item then, and none has written it. */
function meetingPlace(archive: Objects, callers: number): Objects {
  const waiting: (() => void)[] = []
  const meet = () =>
    new Promise<void>(resolve => {
      if (waiting.push(resolve) >= callers) for (const goOn of waiting) goOn()
    })
  const entries = (prefix: string) => meet().then(() => archive.entries(prefix))
  return new Proxy(archive, { get: (target, name) => (name === 'entries' ? entries : Reflect.get(target, name)) })
}

/** The same rows by Snappy: what a desk compresses by, Node 20 cannot read without DuckDB. */
async function asFirehoseWrites(path: string): Promise<void> {
  const duckDb = await openDuckDb()
  const connection = await duckDb.connect()
  await connection.run(`create table rows as from read_parquet('${path}', hive_partitioning = false)`)
  await connection.run(`copy rows to '${path}' (format parquet, compression snappy)`)
  connection.closeSync()
  duckDb.closeSync()
}

const world = async () => {
  const table = await place.create([['id', 'S']])
  return { table, canary: new World(table) }
}

describe.skipIf(missing !== undefined)(title, () => {
  it('counts how long a write took, over midnight, and how long the oldest waits', async () => {
    const { table, canary } = await world()
    expect(await canary.next()).toEqual({ EndToEndLag: 0, CanaryMissing: 0 })
    expect(await canary.next()).toEqual({ EndToEndLag: 300, CanaryMissing: 0 })
    expect(await canary.next()).toEqual({ EndToEndLag: 600, CanaryMissing: 0 })
    canary.ms += 2 * MINUTE
    await canary.arrive(1, 2)
    // the first took twelve minutes; the third waits for seven
    expect(await canary.next()).toEqual({ EndToEndLag: 720, CanaryMissing: 0 })
    await canary.arrive(3, 4)
    expect(await canary.next()).toEqual({ EndToEndLag: 420, CanaryMissing: 0 })
    expect(await canary.next()).toEqual({ EndToEndLag: 300, CanaryMissing: 0 })
    expect(canary.told).toEqual([])
    const [item] = await table.scan()
    expect(JSON.parse(item as string)).toMatchObject({
      id: { S: 'canary' },
      arrived: { S: '2026-11-23T00:12:00.000Z' },
      awaited: { L: [{ S: '2026-11-23T00:17:00.000Z' }] },
    })
  })

  it('counts a write that later ones have overtaken as missing, until it is there', async () => {
    const { canary } = await world()
    for (let i = 0; i < 3; i++) await canary.next()
    await canary.arrive(1, 3)
    expect(await canary.next()).toEqual({ EndToEndLag: 600, CanaryMissing: 1 })
    expect(canary.told).toEqual(['the write of 2026-11-23T00:00:00.000Z is not in the archive, and later ones are'])
    expect(await canary.next()).toMatchObject({ CanaryMissing: 1 })
    await canary.arrive(2)
    expect(await canary.next()).toMatchObject({ CanaryMissing: 0 })
  })

  it('tells of a way that is closed by a lag that grows, and of what it gives up after a day', async () => {
    const { canary } = await world()
    await canary.next()
    await canary.next()
    canary.ms += CANARY_HOURS * 60 * MINUTE - 10 * MINUTE
    expect(await canary.next()).toEqual({ EndToEndLag: CANARY_HOURS * 3600, CanaryMissing: 0 })
    expect(await canary.next()).toEqual({ EndToEndLag: CANARY_HOURS * 3600, CanaryMissing: 0 })
    expect(canary.told).toEqual(['the write of 2026-11-22T23:55:00.000Z is looked for no more'])
  })

  it('takes a write for arrived once, however often it is delivered, in whatever process', async () => {
    const { canary } = await world()
    await canary.next()
    await canary.next()
    await canary.arrive(1, 2)
    canary.ms += MINUTE
    await canary.arrive(1, 2)
    expect(await canary.next()).toEqual({ EndToEndLag: 300, CanaryMissing: 0 })
    const cold = createCanary(canary.options())
    expect(await canary.next(cold)).toEqual({ EndToEndLag: 300, CanaryMissing: 0 })
  })

  it('passes over an object that cannot be read, and goes on waiting for what it may hold', async () => {
    const { canary } = await world()
    await canary.next()
    const [path] = await canary.arrive(1)
    writeFileSync(path as string, 'PAR1 and nothing more PAR1')
    utimesSync(path as string, canary.ms / 1000, canary.ms / 1000)
    expect(await canary.next()).toEqual({ EndToEndLag: 300, CanaryMissing: 0 })
    expect(canary.told).toEqual([expect.stringMatching(/^object data\/Table\d+\/event_date=.* cannot be read: /)])
  })

  it('counts once where two are called at once, and nothing where the table cannot be written', async () => {
    const { table, canary } = await world()
    await canary.next()
    canary.ms += 5 * MINUTE
    const archive = meetingPlace(canary.options().archive, 2)
    const both = await Promise.allSettled([1, 2].map(() => createCanary({ ...canary.options(), archive })()))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(canary.counted).toHaveLength(2)
    await table.put({ id: { S: 'canary' }, written_at: { S: 'somebody else' } })
    await expect(canary.next()).rejects.toThrow()
    expect(canary.counted).toHaveLength(2)
  })

  it('counts nothing where its item says that it was written tomorrow: no write would ever be late', async () => {
    const { table, canary } = await world()
    await canary.next()
    await table.put({ id: { S: 'canary' }, written_at: { S: '2026-11-24T00:00:00.000Z' } })
    await expect(canary.next()).rejects.toThrow('2026-11-24T00:00:00.000Z, which is to come')
    expect(canary.counted).toHaveLength(1)
  })

  it('begins anew where its item is gone, and gives no two writes one instant', async () => {
    const { table, canary } = await world()
    await canary.next()
    canary.ms -= 5 * MINUTE
    await canary.call()
    const [item] = await table.scan()
    expect(JSON.parse(item as string)).toMatchObject({ written_at: { S: '2026-11-22T23:55:00.001Z' } })
    await table.delete({ id: { S: 'canary' } })
    expect(await canary.next()).toEqual({ EndToEndLag: 0, CanaryMissing: 0 })
  })
})
