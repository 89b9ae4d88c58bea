import { appendFileSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, it } from 'vitest'
import { type DocumentToSend, type RedriveTarget, redrive } from '../../delivery/redrive.js'
import { ArchiveRedrive } from '../../delivery/redrive-to-archive.js'
import { type SurveyOptions, surveyRefused } from '../../delivery/refused-survey.js'
import { DiskArchive } from '../../store/folder.js'
import { archiveLedger, Ledger } from '../../store/redriven.js'
import { openRefused } from '../../store/refused-reader.js'
import { rowLine } from '../../transform/audit-row.js'
import { dateOf } from '../../transform/partition.js'
import { processingFailedLine } from '../../transform/refused-line.js'
import { ARRIVAL, CHANGED_AT, STREAM_ARN, streamsRecord, tableConfiguration } from '../factories.js'
import { MemoryObjects } from '../memory-objects.js'
import { askSql, NOW, rowsOfRecord, temporaryFolder } from './desk.js'

const DAY_SECONDS = 24 * 60 * 60

let memory: MemoryObjects
let root: string
beforeEach(() => {
  memory = new MemoryObjects()
  root = temporaryFolder()
})

/** The bytes of a record made `day` days before the built ones. */
const change = (order: number, day = 0) =>
  JSON.stringify(
    streamsRecord({
      eventID: `event-${order}`,
      Keys: { order_id: { S: `ORD${order}` } },
      NewImage: { order_id: { S: `ORD${order}` } },
      ApproximateCreationDateTime: CHANGED_AT - day * DAY_SECONDS,
    }),
  )

const failedLine = (data: string | Uint8Array, arrival = ARRIVAL) =>
  processingFailedLine(
    {
      data: Buffer.from(data),
      arrival,
      attempts: 1,
      code: 'Lambda.ProcessingFailedStatus',
      message: 'ProcessingFailed status set for record',
      lambdaArn: 'arn',
    },
    ARRIVAL,
  )

function refuse(name: string, ...records: readonly (string | Uint8Array)[]): string {
  const key = `refused/processing-failed/Orders/${name}`
  memory.contents.set(key, Buffer.from(records.map(record => failedLine(record)).join('')))
  return key
}

const optionsOf = (more: Partial<SurveyOptions> = {}): SurveyOptions => ({
  objects: memory,
  prefixes: ['refused/', 'aws/lambda/'],
  ledger: Ledger.open(archiveLedger(root), 'archive'),
  configurationOf: table => tableConfiguration({ table }),
  isKept: async () => false,
  to: 'firehose',
  now: () => NOW,
  ...more,
})

/** A destination that keeps what it is sent, and accepts what `accepts` says. */
class Memory implements RedriveTarget {
  readonly name = 'memory'
  readonly calls: string[][] = []
  limits = { documents: 3, bytes: 1e6, days: 2 }
  accepts: (document: string) => boolean = () => true

  async send(documents: readonly DocumentToSend[]) {
    this.calls.push(documents.map(({ data }) => Buffer.from(data).toString()))
    const accepted = documents.filter(({ data }) => this.accepts(Buffer.from(data).toString()))
    const errors = new Map(accepted.length < documents.length ? [['ServiceUnavailableException', 1]] : [])
    return { accepted, refusedAgain: 0, errors }
  }
}

async function run(destination: RedriveTarget, more: Partial<SurveyOptions> = {}) {
  const options = optionsOf(more)
  const survey = await surveyRefused(options)
  return { survey, redriven: await redrive(survey, destination, options) }
}

describe('the survey of what is refused', () => {
  it('groups records by the reason that the transform gives, with their arrivals', async () => {
    memory.contents.set(
      'refused/processing-failed/Orders/a',
      Buffer.from(failedLine('no JSON', ARRIVAL) + failedLine('no JSON', ARRIVAL + 5) + failedLine(change(1))),
    )
    const { groups, counts } = await surveyRefused(optionsOf())
    expect(groups).toEqual([
      {
        table: 'Orders',
        type: 'processing-failed',
        reason: expect.stringContaining('record is not a JSON object'),
        records: 2,
        changes: 2,
        ready: 0,
        first: ARRIVAL,
        last: ARRIVAL + 5,
      },
      expect.objectContaining({ reason: expect.stringContaining('the transform takes it now'), records: 1, ready: 1 }),
    ])
    expect(counts).toEqual({ ready: 1, refused: 2, 'too-large': 0, 'needs-original': 0 })
  })

  it('splits a pack, of which only what is wrong stays refused', async () => {
    refuse('pack', `${change(1)}\n${change(2, 1)}{"dynamodb":{}}\n${change(3)}`)
    const { counts, days, groups } = await surveyRefused(optionsOf())
    expect(counts).toMatchObject({ ready: 3, refused: 1 })
    expect([...days.keys()].sort()).toEqual(['2026-11-21', '2026-11-22'])
    expect(groups).toMatchObject([{ records: 1, changes: 4, ready: 3 }])
  })

  it('reads what Lambda gave up, and what is compressed', async () => {
    const invocation = {
      version: '1.0',
      timestamp: '2026-11-23T10:00:00.000Z',
      requestContext: { requestId: 'r', functionArn: 'f', condition: 'RecordAgeExceeded', approximateInvokeCount: 9 },
      DDBStreamBatchInfo: {
        shardId: 's',
        approximateArrivalOfFirstRecord: '2026-11-22T10:00:01Z',
        streamArn: STREAM_ARN,
      },
      payload: `{"Records":[${change(1)},${change(2)}]}`,
    }
    const given = (name: string, value: object) =>
      memory.contents.set(`aws/lambda/m/s/2026/11/23/${name}`, gzipSync(JSON.stringify(value)))
    given('a', invocation)
    given('b', { ...invocation, payload: JSON.parse(invocation.payload) })
    given('c', { Records: [JSON.parse(change(3))] })
    const { groups, counts } = await surveyRefused(optionsOf())
    expect(counts.ready).toBe(5)
    expect(groups).toMatchObject([
      { table: 'Orders', type: 'given-up', reason: 'Lambda gave the batch up: RecordAgeExceeded', records: 2 },
      { table: 'Orders', type: 'given-up', reason: 'Lambda gave the batch up', records: 1 },
    ])
    expect(new Date(groups[0]?.first as number).toISOString()).toBe('2026-11-22T10:00:01.000Z')
  })

  it('tells pointers into a stream, broken gzip and lines that are no entries', async () => {
    memory.contents.set('aws/lambda/m/s/pointers', Buffer.from('{"version":"1.0","DDBStreamBatchInfo":{}}'))
    memory.contents.set('refused/processing-failed/Orders/gzip', gzipSync('{}').subarray(0, 12))
    memory.contents.set('refused/processing-failed/Orders/line', Buffer.from('42\n'))
    const { damaged, groups } = await surveyRefused(optionsOf())
    expect([...damaged].sort()).toEqual([...memory.contents.keys()].sort())
    expect(groups).toEqual([])
  })

  it('knows what is too large for Firehose, but not for a desk', async () => {
    const value = 'x'.repeat(1_000_000)
    const large = JSON.stringify(streamsRecord({ NewImage: { order_id: { S: 'ORD12345' }, value: { S: value } } }))
    memory.contents.set('refused/oversize/Orders/hash', Buffer.from(failedLine(large)))
    expect((await surveyRefused(optionsOf())).counts).toMatchObject({ ready: 0, 'too-large': 1 })
    expect((await surveyRefused(optionsOf({ to: 'archive' }))).counts).toMatchObject({ ready: 1, 'too-large': 0 })
  })

  it('leaves other tables alone when one is named', async () => {
    refuse('a', change(1))
    memory.contents.set('refused/processing-failed/Customers/b', Buffer.from(failedLine(change(2))))
    expect((await surveyRefused(optionsOf({ table: 'Orders' }))).counts.ready).toBe(1)
    expect((await surveyRefused(optionsOf())).counts).toMatchObject({ ready: 1, refused: 1 })
  })
})

describe('sending again', () => {
  it('sends documents singly, day by day, and each change once', async () => {
    refuse('a', `${change(1)}\n${change(2, 1)}`, change(3))
    refuse('b', `${change(2, 1)}\n${change(4)}`, 'no JSON')
    const destination = new Memory()
    const { redriven } = await run(destination)
    expect(destination.calls).toEqual([
      [change(2, 1), change(1)],
      [change(3), change(4)],
    ])
    expect(redriven).toMatchObject({ sent: 5, waiting: 0, left: 0 })
  })

  it('judges each refused document once, however its changes are sent afterwards', async () => {
    refuse('a', `${change(1)}\n${change(2, 1)}`, change(3))
    let judged = 0
    const configurationOf = (table: string) => {
      judged++
      return tableConfiguration({ table })
    }
    const options = optionsOf({ configurationOf })
    const survey = await surveyRefused(options)
    const before = judged
    expect((await redrive(survey, new Memory(), options)).sent).toBe(3)
    expect(judged).toBe(before)
  })

  it('does not send twice, and changes no refused object', async () => {
    const key = refuse('a', `${change(1)}\n{}`, change(2))
    const before = memory.contents.get(key)
    await run(new Memory())
    const again = new Memory()
    const { survey, redriven } = await run(again)
    expect(again.calls).toEqual([])
    expect(redriven.sent).toBe(0)
    expect(survey).toMatchObject({ done: 1, counts: { ready: 0, refused: 1 } })
    const { ledger } = optionsOf()
    expect([0, 1, 2].map(line => ledger.isDone({ object: key, line }))).toEqual([false, true, false])
    expect(memory.contents.get(key)).toBe(before)
    expect([...memory.contents.keys()]).toEqual([key])
  })

  it('sends what is refused once more under another key', async () => {
    refuse('a', change(1))
    await run(new Memory())
    refuse('b', change(1))
    const again = new Memory()
    await run(again)
    expect(again.calls).toEqual([[change(1)]])
  })

  it('stops where documents are not accepted, and goes on there', async () => {
    refuse('a', ...[1, 2, 3, 4, 5].map(order => change(order)))
    const destination = new Memory()
    destination.accepts = document => document !== change(2)
    const { redriven } = await run(destination)
    expect(redriven).toMatchObject({ sent: 2, left: 3, errors: new Map([['ServiceUnavailableException', 1]]) })
    destination.accepts = () => true
    destination.calls.length = 0
    expect((await run(destination)).redriven).toMatchObject({ sent: 3, left: 0 })
    expect(destination.calls.flat().sort()).toEqual([change(2), change(4), change(5)])
  })

  it('goes on after it was killed while it remembered', async () => {
    refuse('a', ...[1, 2, 3, 4].map(order => change(order)))
    const destination = new Memory()
    destination.limits = { ...destination.limits, documents: 1 }
    await run(destination)
    const path = archiveLedger(root)
    const lines = readFileSync(path, 'utf8').split('\n')
    const killed = temporaryFolder()
    appendFileSync(archiveLedger(killed), lines.slice(0, 2).join('\n').slice(0, -20))
    root = killed
    const again = new Memory()
    await run(again)
    expect(again.calls.flat()).toEqual([2, 3, 4].map(order => change(order)))
    const last = new Memory()
    await run(last)
    expect(last.calls).toEqual([])
  })

  it('leaves more days than fit for another run', async () => {
    refuse('a', ...[0, 1, 2, 3].map(day => change(day, day)))
    expect((await run(new Memory())).redriven).toMatchObject({ sent: 2, waiting: 2, left: 0 })
    expect((await run(new Memory())).redriven).toMatchObject({ sent: 2, waiting: 0, left: 0 })
  })

  it('sends what the transform refuses only when it is told to', async () => {
    refuse('a', 'no JSON', change(1))
    const destination = new Memory()
    expect((await run(destination, { all: true })).redriven).toMatchObject({ sent: 2 })
    expect(destination.calls).toEqual([['no JSON', change(1)]])
  })
})

describe('the archive on a desk', () => {
  const toArchive = (more: Partial<SurveyOptions> = {}) =>
    run(new ArchiveRedrive(new DiskArchive(root), table => tableConfiguration({ table })), {
      to: 'archive',
      ...more,
    })

  it('gets the same rows however often a pack is sent', async () => {
    refuse('a', `${change(1)}\n${change(2, 1)}`)
    await toArchive()
    await toArchive({ ledger: Ledger.open(join(root, 'another'), 'archive') })
    const rows = await askSql(
      root,
      'select event_id, count(*) as times, max(event_date) as day from orders_deliveries group by 1',
    )
    expect(rows.map(row => String(row.times))).toEqual(['2', '2'])
    expect((await new DiskArchive(root).list('refused/')).length).toBe(0)
  })

  it('keeps the arrival of a record that has no time', async () => {
    const untimed = JSON.stringify(streamsRecord({ ApproximateCreationDateTime: undefined }))
    memory.contents.set(
      'refused/processing-failed/Orders/a',
      Buffer.from(failedLine(untimed, ARRIVAL - 5 * 86_400_000)),
    )
    await toArchive()
    const [row] = await askSql(root, 'select event_date, time_precision from orders')
    expect(row).toMatchObject({ time_precision: 'arrival' })
    expect(String(row?.event_date)).toContain(dateOf((ARRIVAL - 5 * 86_400_000) * 1000))
  })

  it('converts a row line again if it fits now, and asks for the original if not', async () => {
    const [row] = rowsOfRecord(streamsRecord())
    const line = rowLine(row as NonNullable<typeof row>).trim()
    const entry = (rawData: string) =>
      `${JSON.stringify({ ErrorCode: 'c', ErrorMessage: 'm', arrivalTimestamp: ARRIVAL, rawData: Buffer.from(rawData).toString('base64') })}\n`
    const otherConfiguration = line.replace(/"config_id":"[^"]*"/, '"config_id":"0123456789abcdef"')
    const lines = [line, line.replace('"event_time_us":', '"unknown":1,"event_time_us":'), otherConfiguration]
    memory.contents.set('refused/format-conversion-failed/Orders/a', Buffer.from(lines.map(entry).join('')))
    expect((await surveyRefused(optionsOf())).counts).toMatchObject({ ready: 0, 'needs-original': 3 })
    const { survey } = await toArchive()
    expect(survey.counts).toMatchObject({ ready: 1, 'needs-original': 2 })
    expect(await askSql(root, 'select event_id, row_hash from orders')).toEqual([
      { event_id: row?.event_id, row_hash: row?.row_hash },
    ])
  })
})

describe('the places of refused records', () => {
  it('count the lines as they stand', async () => {
    const key = refuse('a', 'x')
    memory.contents.set(key, Buffer.from(`\nbroken\n${failedLine('x')}`))
    const damaged: string[] = []
    const lines: number[] = []
    for await (const { line } of openRefused(memory, key, bad => damaged.push(bad))) lines.push(line)
    expect(lines).toEqual([2])
    expect(damaged).toEqual([key])
  })
})

it('remembers what was sent in a file of the archive, not behind a link', () => {
  const root = temporaryFolder()
  symlinkSync('/etc/passwd', join(root, '.redriven.ndjson'))
  expect(() => archiveLedger(root)).toThrow('.redriven.ndjson: is a link, which an archive does not follow')
})
