import { hash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { DeliveryError, ingest, NO_TABLE } from '../../delivery/ingest.js'
import { redrive } from '../../delivery/redrive.js'
import { ArchiveRedrive } from '../../delivery/redrive-to-archive.js'
import { surveyRefused } from '../../delivery/refused-survey.js'
import { streamInArchive } from '../../delivery/table-origin.js'
import { DiskArchive } from '../../store/folder.js'
import { archiveLedger, Ledger } from '../../store/redriven.js'
import { type RefusedEntry, readRefused, reasonOf } from '../../store/refused-reader.js'
import { parsePartition } from '../../transform/layout.js'
import {
  ARRIVAL,
  baselineDocument,
  CHANGED_AT,
  kinesisDocument,
  type RecordContent,
  STREAM_ARN,
  streamsRecord,
  tableConfiguration,
} from '../factories.js'
import { askSql, ingestRecords, inputOf, NOW, temporaryFolder } from './desk.js'
import { readParquet } from './parquet-reader.js'

let root: string
let archive: DiskArchive
beforeEach(() => {
  root = temporaryFolder()
  archive = new DiskArchive(root)
})

const GOOD = streamsRecord()
const ofTable = (table: string) =>
  streamsRecord({ eventSourceARN: `arn:aws:dynamodb:us-east-1:1:table/${table}/stream/x` })
/** As `aws dynamodbstreams get-records` prints it: nothing says which table it is of. */
const { eventSourceARN: _, ...NAMELESS } = streamsRecord()
const OF_ORDERS = { table: 'Orders', streamArn: STREAM_ARN }

async function refusedIn(): Promise<readonly RefusedEntry[]> {
  const entries = []
  for await (const { entry } of readRefused(archive, key => expect.unreachable(key))) entries.push(entry)
  return entries
}

const summaryOf = async (records: readonly RecordContent[], options: Parameters<typeof ingestRecords>[2] = {}) =>
  (await ingestRecords(root, records, options)).map(({ table, records: taken, rows, refused, objects }) => ({
    table,
    taken,
    rows,
    refused,
    objects,
  }))

describe('ingest', () => {
  it('sends each record to the delivery stream of its table', async () => {
    const records = [GOOD, ofTable('Other'), GOOD, kinesisDocument({ tableName: 'Third' }), baselineDocument()]
    expect(await summaryOf(records)).toEqual([
      { table: 'Orders', taken: 3, rows: 3, refused: 0, objects: 1 },
      { table: 'Other', taken: 1, rows: 1, refused: 0, objects: 1 },
      { table: 'Third', taken: 1, rows: 1, refused: 0, objects: 1 },
    ])
    const tables = (await archive.list('data/')).map(key => parsePartition(key).table)
    expect(tables).toEqual(['Orders', 'Other', 'Third'])
  })

  it('keeps what names no table apart', async () => {
    const records = ['hello', NAMELESS, '[]', '\0', { tableName: 'x' }, { tableName: '../../etc' }]
    expect(await summaryOf([GOOD, ...records])).toEqual([
      { table: 'Orders', taken: 1, rows: 1, refused: 0, objects: 1 },
      { table: NO_TABLE, taken: 6, rows: 0, refused: 6, objects: 0 },
    ])
    const kept = (await refusedIn()).map(entry => entry.data.toString())
    expect(kept).toEqual(records.map(record => (typeof record === 'string' ? record : JSON.stringify(record))))
    expect(await archive.list('data/')).toHaveLength(1)
  })

  it('takes the table of records that name none from its caller', async () => {
    const records = [
      NAMELESS,
      JSON.stringify(NAMELESS, null, 2),
      kinesisDocument({ tableName: undefined }),
      ofTable('Other'),
    ]
    expect(await summaryOf(records, OF_ORDERS)).toMatchObject([
      { table: 'Orders', taken: 3, rows: 3 },
      { table: 'Other', taken: 1, rows: 1 },
    ])
    const rows = await askSql(root, 'select distinct table_name from orders')
    expect(rows).toEqual([{ table_name: 'Orders' }])
  })

  it('makes the row that Lambda’s record makes of one that names no stream, once the archive knows the stream', async () => {
    const later = { SequenceNumber: '4421584500000000017450439092', eventName: 'MODIFY' } as const
    const { eventSourceARN, ...unnamed } = streamsRecord(later)
    await ingestRecords(root, [GOOD])
    expect(await summaryOf([unnamed], { table: 'Orders' })).toMatchObject([{ rows: 1, refused: 0 }])
    await ingestRecords(root, [streamsRecord(later)])
    const rows = await askSql(
      root,
      'select count(*) as n, count(distinct row_hash) as hashes, max(source) as source from orders_deliveries',
    )
    expect(rows).toEqual([{ n: 3n, hashes: 2n, source: eventSourceARN }])
  })

  it('refuses a record that names no stream where the archive knows none of its table, or several', async () => {
    const reasonsOf = async () => {
      const [summary] = await ingestRecords(root, [NAMELESS], { table: 'Orders' })
      return [...(summary?.reasons.keys() ?? [])]
    }
    const reason = 'record names no stream: it has a "SequenceNumber" and no "eventSourceARN"'
    expect(await reasonsOf()).toEqual([reason])
    await ingestRecords(root, [GOOD, streamsRecord({ eventSourceARN: `${STREAM_ARN}1`, SequenceNumber: '9' })])
    expect(await reasonsOf()).toEqual([reason])
    expect(await refusedIn()).toHaveLength(2)
  })

  it('keeps the stream of a second region out, and tells which the archive has', async () => {
    const other = { eventSourceARN: STREAM_ARN.replace('us-east-1', 'eu-west-1'), awsRegion: 'eu-west-1' }
    const reason = expect.stringContaining(
      'region is "eu-west-1", the archive holds changes of Orders from us-east-1: ',
    )
    const records = [GOOD, streamsRecord({ ...other, SequenceNumber: '7' })]
    const [together] = await ingestRecords(root, records)
    expect([together?.rows, [...(together?.reasons.keys() ?? [])]]).toEqual([1, [reason]])
    const [alone] = await ingestRecords(root, [streamsRecord(other), kinesisDocument({ awsRegion: 'eu-west-1' })])
    expect([alone?.rows, [...(alone?.reasons ?? [])]]).toEqual([0, [[reason, 2]]])
    const kept = await refusedIn()
    expect(kept.map(entry => reasonOf(entry, tableConfiguration()))).toEqual([reason, reason, reason])
    const options = {
      objects: archive,
      prefixes: ['refused/'],
      ledger: Ledger.open(archiveLedger(root), 'archive'),
      configurationOf: () => tableConfiguration(),
      isKept: async () => false,
      to: 'archive' as const,
    }
    expect((await surveyRefused(options)).counts).toMatchObject({ ready: 0, refused: 3 })
  })

  it('keeps what is no record with the table that its caller named', async () => {
    await ingestRecords(root, ['no JSON', '{}', ' { } '], { table: 'Orders' })
    const kept = (await refusedIn()).map(entry => [entry.table, entry.data.toString().trim()])
    expect(kept[0]).toEqual(['Orders', 'no JSON'])
    expect(kept.slice(1)).toEqual([
      ['Orders', '{}'],
      ['Orders', '{ }'],
    ])
  })

  it('keeps of a record that names no table the very bytes that came, and knows its reason and its table', async () => {
    const early = JSON.stringify({ ...NAMELESS, odd: '\u00e9 \ud83d\ude00' }, null, 1)
    const since = tableConfiguration({ since: '2027-01-01' })
    const [summary] = await ingestRecords(root, [early], { ...OF_ORDERS, configuration: since })
    expect([...(summary?.reasons.keys() ?? [])]).toEqual([expect.stringContaining('before the archive')])
    const [entry] = await refusedIn()
    expect(entry?.data.toString()).toBe(early)
    const options = {
      objects: archive,
      prefixes: ['refused/'],
      ledger: Ledger.open(archiveLedger(root), 'archive'),
      configurationOf: () => tableConfiguration(),
      isKept: async () => false,
      streamOf: (table: string) => streamInArchive(archive, table),
      to: 'archive' as const,
    }
    expect((await surveyRefused(options)).counts).toMatchObject({ ready: 0, refused: 1 })
    await ingestRecords(root, [GOOD])
    const survey = await surveyRefused(options)
    expect(survey.counts).toMatchObject({ ready: 1, refused: 0 })
    expect(await redrive(survey, new ArchiveRedrive(archive, () => tableConfiguration()), options)).toMatchObject({
      sent: 1,
      refusedAgain: 0,
    })
    const rows =
      'select table_name, event_date, count(*) as n, count(distinct row_hash) as changes from orders_deliveries group by all'
    expect(await askSql(root, rows)).toEqual([{ table_name: 'Orders', event_date: '2026-11-22', n: 2n, changes: 1n }])
    // nothing on AWS takes it so
    const elsewhere = { ...options, ledger: Ledger.open(`${root}/other`, 'x'), to: 'firehose' as const }
    expect((await surveyRefused(elsewhere)).counts).toMatchObject({ ready: 0, refused: 1 })
  })

  it('counts why records were refused', async () => {
    const bad = streamsRecord({ Keys: {} })
    const [summary] = await ingestRecords(root, [GOOD, bad, bad, streamsRecord({ eventName: 'MODIFY', SizeBytes: -1 })])
    const reasons = [...(summary?.reasons ?? [])]
    expect(reasons.map(([, times]) => times)).toEqual([2, 1])
    expect(reasons[0]?.[0]).toContain('Keys is {}')
  })

  it('gives a record without a time that of its file, and any other that of the clock', async () => {
    const timeless = streamsRecord({ ApproximateCreationDateTime: undefined })
    const modifiedAt = ARRIVAL - 86_400_000
    await ingestRecords(root, [GOOD, timeless, kinesisDocument({ ApproximateCreationDateTime: undefined })], {
      modifiedAt,
    })
    const rows = await askSql(root, 'select time_precision, event_time, arrived_at, event_date from orders order by 1')
    const before = new Date(modifiedAt).toISOString()
    expect(rows).toEqual([
      { time_precision: 'arrival', event_time: before, arrived_at: before, event_date: '2026-11-21' },
      { time_precision: 'arrival', event_time: before, arrived_at: before, event_date: '2026-11-21' },
      {
        time_precision: 's',
        event_time: new Date(CHANGED_AT * 1000).toISOString(),
        arrived_at: new Date(NOW).toISOString(),
        event_date: '2026-11-22',
      },
    ])
  })

  it('takes the records of events one by one, so that none takes its neighbours along', async () => {
    const event = { Records: [GOOD, { broken: true }, GOOD] }
    expect(await summaryOf([event])).toEqual([
      { table: 'Orders', taken: 2, rows: 2, refused: 0, objects: 1 },
      { table: NO_TABLE, taken: 1, rows: 0, refused: 1, objects: 0 },
    ])
  })

  it('refuses changes that Athena would not show', async () => {
    const since = tableConfiguration({ since: '2026-11-22' })
    const early = streamsRecord({ ApproximateCreationDateTime: CHANGED_AT - 86_400 })
    const future = streamsRecord({ ApproximateCreationDateTime: CHANGED_AT + 3 * 86_400 })
    expect(await summaryOf([early, GOOD, future], { configuration: since })).toMatchObject([{ rows: 1, refused: 2 }])
  })

  it('says how far it is', async () => {
    const seen: number[] = []
    await ingestRecords(root, [GOOD, 'x', GOOD], { onRecord: count => seen.push(count) })
    expect(seen).toEqual([1, 2, 3])
  })

  it('has nothing to say about nothing', async () => {
    expect(await ingestRecords(root, [])).toEqual([])
    expect(await archive.list('')).toEqual([])
  })

  it('delivers what has waited for its interval while its source pauses, refused records too', async () => {
    let clock = NOW
    const isThere = async (prefix: string) => {
      while ((await archive.list(prefix)).length === 0) {
        clock += 900_000
        await setTimeout(5)
      }
    }
    const pausing = async function* () {
      yield* inputOf([GOOD, 'no record'])
      await Promise.all([isThere('data/'), isThere('refused/')])
      yield* inputOf([GOOD])
    }
    const options = { archive, configurationOf: () => tableConfiguration(), now: () => clock, tickMs: 1 }
    const summaries = await ingest(pausing(), ARRIVAL, options)
    expect(summaries).toMatchObject([{ rows: 2, objects: 2 }, { refused: 1 }])
  })

  it('ends where a delivery fails while its source pauses', async () => {
    let clock = NOW
    const endless = async function* () {
      yield* inputOf([GOOD])
      clock += 10_000_000
      // as a full disk would
      rmSync(join(root, '.staging'), { recursive: true, force: true })
      writeFileSync(join(root, '.staging'), '')
      await new Promise(() => {})
    }
    const options = { archive, configurationOf: () => tableConfiguration(), now: () => clock, tickMs: 1 }
    await expect(ingest(endless(), ARRIVAL, options)).rejects.toThrow(/staging/)
  })

  it('delivers what was read when reading fails, and then fails', async () => {
    const failing = async function* () {
      yield* inputOf([GOOD, GOOD])
      throw new Error('cable pulled')
    }
    const options = { archive, configurationOf: () => tableConfiguration(), now: () => NOW }
    await expect(ingest(failing(), ARRIVAL, options)).rejects.toThrow('cable pulled')
    const [key, ...others] = await archive.list('data/')
    expect(others).toEqual([])
    expect(await readParquet(archive.pathOf(key as string))).toHaveLength(2)
    expect(await archive.list('.staging/')).toEqual([])
  })

  it('gives the same rows whether it came once or twice, and adds no object that another rewrote', async () => {
    await ingestRecords(root, [GOOD, ofTable('Other')])
    await ingestRecords(root, [GOOD, ofTable('Other')])
    expect(await archive.list('data/')).toHaveLength(4)
    const rows = await askSql(root, 'select * from orders_deliveries')
    expect(rows).toHaveLength(2)
    expect(rows[0]).toEqual(rows[1])
  })
})

describe('a document that is too long', () => {
  const bounds = { most: 10_000, kept: 100 }
  const configurationOf = (table: string) => tableConfiguration({ table })
  const long = 'y'.repeat(42_000)

  it('is refused with its beginning and the place of the whole, and costs no other', async () => {
    const lines = [JSON.stringify(GOOD), long, JSON.stringify(ofTable('Customers'))]
    const summaries = await ingest(inputOf(lines), ARRIVAL, { archive, configurationOf, now: () => NOW, bounds })
    expect(summaries).toMatchObject([
      { table: 'Orders', rows: 1, refused: 0 },
      { table: NO_TABLE, records: 1, rows: 0, refused: 1 },
      { table: 'Customers', rows: 1, refused: 0 },
    ])
    const [entry] = (await refusedIn()) as [RefusedEntry]
    expect(entry.data.toString()).toBe('y'.repeat(100))
    const reason = reasonOf(entry, tableConfiguration())
    expect(reason).toContain('document has 42000 bytes')
    expect(reason).toContain(`begins at byte ${(lines[0]?.length as number) + 1} of its input`)
    expect(reason).toContain(hash('sha256', long))
  })

  it('waits for its original in redrive, though its beginning holds whole records', async () => {
    const pack = JSON.stringify({ Records: [GOOD], rest: long })
    await ingest(inputOf([pack]), ARRIVAL, {
      archive,
      configurationOf,
      now: () => NOW,
      bounds: { ...bounds, kept: 5000 },
    })
    const survey = await surveyRefused({
      objects: archive,
      prefixes: ['refused/'],
      ledger: Ledger.open(archiveLedger(root), 'archive'),
      configurationOf,
      isKept: async () => true,
      to: 'archive',
    })
    expect(survey.counts).toEqual({ ready: 0, refused: 0, 'too-large': 0, 'needs-original': 1 })
    expect(survey.groups).toMatchObject([{ reason: expect.stringContaining('document has'), changes: 1, ready: 0 }])
  })
})

describe('a table that cannot be written', () => {
  it('keeps no other from being written, and is named', async () => {
    mkdirSync(join(root, 'data'), { recursive: true })
    writeFileSync(join(root, 'data', 'Broken'), 'no folder')
    const lines = [ofTable('Broken'), GOOD, ofTable('Broken'), ofTable('Customers')].map(record =>
      JSON.stringify(record),
    )
    const configurationOf = (table: string) => tableConfiguration({ table })
    const failure = await ingest(inputOf(lines), ARRIVAL, { archive, configurationOf, now: () => NOW }).catch(
      error => error,
    )
    expect(failure).toBeInstanceOf(DeliveryError)
    expect(failure.message).toMatch(/^table Broken could not be written: .*(ENOTDIR|EEXIST)/)
    expect(
      (await archive.list('data/'))
        .map(key => key.split('/')[1])
        .filter(name => name !== 'Broken')
        .sort(),
    ).toEqual(['Customers', 'Orders'])
  })
})
