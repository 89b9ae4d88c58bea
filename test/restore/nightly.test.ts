import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Counts } from '../../capture/write-metrics.js'
import { nightlyKey } from '../../config/nightly.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import type { ExportBounds } from '../../restore/copied-export.js'
import { createNightly } from '../../restore/nightly.js'
import { findFacts } from '../../store/kept-facts.js'
import { temporaryFolder } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { FolderBucket } from '../folder-bucket.js'
import { LOOPBACK_CONNECTION, type Loopback, startLoopback } from '../loopback.js'
import { EXPORT_ARN, incrementalSummary, TABLE_ARN, writeExport } from '../table-export.js'
import { archiveWrites, exportOf, FROM, keyOf, TO, type Write } from './window.js'

const WRITES: readonly Write[] = [
  { id: 'a', at: '2026-11-21T10:00:00Z', status: 'A' },
  { id: 'a', at: '2026-11-22T10:00:00Z', status: 'B' },
  { id: 'b', at: '2026-11-22T11:00:00Z', status: 'A' },
]
const LOST: Write = { id: 'c', at: '2026-11-22T12:00:00Z', status: 'A', lost: true }

/** What DynamoDB does of exports, which DynamoDB Local does not: it takes the request, and says how far it is. */
let service: Loopback
let asked: Record<string, unknown>[] = []
let refusal: string | undefined
let status: object
beforeAll(async () => {
  service = await startLoopback((request, body, response) => {
    const headers = { 'content-type': 'application/x-amz-json-1.0' }
    const isStart = `${request.headers['x-amz-target']}`.endsWith('ExportTableToPointInTime')
    if (isStart) asked.push(JSON.parse(body.toString()))
    if (isStart && refusal !== undefined) {
      const error = { __type: `com.amazonaws.dynamodb.v20120810#${refusal}`, message: 'Point in time recovery is off' }
      return response.writeHead(400, headers).end(JSON.stringify(error))
    }
    const ExportDescription = { ExportArn: EXPORT_ARN, ...(isStart ? { ExportStatus: 'IN_PROGRESS' } : status) }
    response.writeHead(200, headers).end(JSON.stringify({ ExportDescription }))
  })
})
afterAll(() => service.stop())
beforeEach(() => {
  asked = []
  refusal = undefined
  status = { ExportStatus: 'IN_PROGRESS' }
})

/** An archive, the bucket of its exports, and a clock. */
class Night {
  readonly archive = new FolderBucket(temporaryFolder())
  readonly exports = new FolderBucket(temporaryFolder('exports'))
  readonly counted: Counts[] = []
  readonly told: string[] = []
  ms = Date.parse('2026-11-21T13:30:00Z')

  constructor(private readonly bounds?: ExportBounds) {}

  async at(instant: string): Promise<Counts> {
    this.ms = Date.parse(instant)
    const engine = await DuckDbEngine.open(this.archive.root, [tableConfiguration()])
    try {
      await createNightly({
        dynamoDb: new DynamoDBClient({ ...LOOPBACK_CONNECTION, endpoint: service.endpoint, maxAttempts: 1 }),
        exports: this.exports,
        target: { tableArn: TABLE_ARN, bucket: 'exports', prefix: 'exports/Orders', keyArn: 'key' },
        archive: this.archive,
        table: tableConfiguration(),
        writeMetrics: counts => this.counted.push(counts),
        report: message => this.told.push(message),
        now: () => this.ms,
        ...(this.bounds && { bounds: this.bounds }),
      })(engine)
    } finally {
      engine.close()
    }
    return Object.assign({}, ...this.counted.splice(0))
  }

  /** Writes the export that was asked for, as DynamoDB would. */
  deliver(lines: readonly object[], fields: object = {}): void {
    writeExport(this.exports.root, {
      prefix: 'exports/Orders',
      files: [lines.slice(0, 1), lines.slice(1)],
      summary: { ...incrementalSummary({ exportFromTime: FROM, exportToTime: TO }), ...fields },
    })
    status = { ExportStatus: 'COMPLETED' }
  }

  async facts() {
    return (await findFacts(this.archive, 'Orders')).facts
  }
}

describe('a table that is compared night by night', () => {
  it('begins with the first whole day, asks for its export once it is over, and keeps what it found', async () => {
    const night = new Night()
    await archiveWrites(night.archive.root, WRITES)
    expect(await night.at('2026-11-21T13:30:00Z')).toEqual({ ReconcileAge: 0 })
    expect(await night.at('2026-11-23T00:59:00Z')).toEqual({ ReconcileAge: 24 + 59 / 60 })
    expect(asked).toEqual([])
    expect(await night.at('2026-11-23T01:00:00Z')).toEqual({ ReconcileAge: 25 })
    expect(asked).toMatchObject([
      {
        TableArn: TABLE_ARN,
        S3Bucket: 'exports',
        S3Prefix: 'exports/Orders',
        S3SseAlgorithm: 'KMS',
        ExportType: 'INCREMENTAL_EXPORT',
        IncrementalExportSpecification: {
          ExportFromTime: Date.parse(FROM) / 1000,
          ExportToTime: Date.parse(TO) / 1000,
          ExportViewType: 'NEW_AND_OLD_IMAGES',
        },
      },
    ])
    expect(await night.at('2026-11-23T02:00:00Z')).toEqual({ ReconcileAge: 26 })
    night.deliver(exportOf(WRITES))
    expect(await night.at('2026-11-23T03:00:00Z')).toEqual({
      ReconcileAge: 3,
      ReconcileDifferences: 0,
      ReconcileUnsettled: 0,
      ReconcileItems: 2,
    })
    expect(await night.facts()).toMatchObject([
      {
        kind: 'reconciliation',
        method: 'export',
        source: EXPORT_ARN,
        from: '2026-11-22T00:00:00.000000Z',
        to: '2026-11-23T00:00:00.000000Z',
        items: 2,
        differing: [],
        unsettled: [],
      },
    ])
    expect(await night.at('2026-11-23T04:00:00Z')).toEqual({ ReconcileAge: 4 })
    expect(asked).toHaveLength(1)
    await night.at('2026-11-24T01:00:00Z')
    expect(asked).toHaveLength(2)
  })

  it('waits half a day for what differs, and then tells of it', async () => {
    const night = new Night()
    await archiveWrites(night.archive.root, [...WRITES, LOST])
    await night.at('2026-11-21T13:30:00Z')
    await night.at('2026-11-23T01:00:00Z')
    night.deliver(exportOf([...WRITES, LOST]))
    expect(await night.at('2026-11-23T02:00:00Z')).toEqual({ ReconcileAge: 26 })
    expect(night.told.at(-1)).toBe('1 of 3 items differ, and may be on their way: looked at again')
    expect(await night.facts()).toEqual([])
    expect(await night.at('2026-11-23T12:00:00Z')).toMatchObject({ ReconcileDifferences: 1, ReconcileAge: 12 })
    expect(night.told.at(-1)).toBe(`item ${keyOf('c')} differs`)
    expect(await night.facts()).toMatchObject([{ items: 3, differing: [{ key: keyOf('c'), since: null }] }])
  })

  it('names the first thousand of more items that differ, counts the others, and goes on', async () => {
    const night = new Night()
    const lost = Array.from({ length: 1101 }, (_, i) => ({ ...LOST, id: `lost${i}` }))
    await archiveWrites(night.archive.root, WRITES)
    await night.at('2026-11-21T13:30:00Z')
    await night.at('2026-11-23T01:00:00Z')
    night.deliver(exportOf([...WRITES, ...lost]))
    expect(await night.at('2026-11-23T12:00:00Z')).toMatchObject({ ReconcileDifferences: 1101, ReconcileAge: 12 })
    const [fact, ...others] = await night.facts()
    expect(others).toEqual([])
    expect(fact).toMatchObject({ items: 1103, unsettled: [], further: { differing: 101, unsettled: 0 } })
    const keys = lost.map(({ id }) => keyOf(id)).sort()
    expect(fact?.kind === 'reconciliation' && fact.differing.map(({ key }) => key)).toEqual(keys.slice(0, 1000))
    await night.at('2026-11-24T01:00:00Z')
    expect(asked).toHaveLength(2)
  })

  it('takes what arrives while it waits', async () => {
    const night = new Night()
    await archiveWrites(night.archive.root, WRITES.slice(0, 2))
    await night.at('2026-11-21T13:30:00Z')
    await night.at('2026-11-23T01:00:00Z')
    night.deliver(exportOf(WRITES))
    expect(await night.at('2026-11-23T02:00:00Z')).toEqual({ ReconcileAge: 26 })
    await archiveWrites(night.archive.root, WRITES)
    expect(await night.at('2026-11-23T03:00:00Z')).toMatchObject({ ReconcileDifferences: 0, ReconcileItems: 2 })
  })

  it('counts nothing where it is not let export, and asks again', async () => {
    const night = new Night()
    await archiveWrites(night.archive.root, WRITES)
    await night.at('2026-11-21T13:30:00Z')
    refusal = 'PointInTimeRecoveryUnavailableException'
    await expect(night.at('2026-11-23T01:00:00Z')).rejects.toThrow('Point in time recovery is off')
    expect(night.counted).toEqual([])
    refusal = undefined
    expect(await night.at('2026-11-23T02:00:00Z')).toEqual({ ReconcileAge: 26 })
    expect(asked[0]?.ClientToken).toBe(asked[1]?.ClientToken)
  })

  it('tells of an export that failed, and asks for another one', async () => {
    const night = new Night()
    await archiveWrites(night.archive.root, WRITES)
    await night.at('2026-11-21T13:30:00Z')
    await night.at('2026-11-23T01:00:00Z')
    status = { ExportStatus: 'FAILED', FailureCode: 'S3NoSuchBucket', FailureMessage: 'gone' }
    await expect(night.at('2026-11-23T02:00:00Z')).rejects.toThrow('failed, S3NoSuchBucket: gone')
    await night.at('2026-11-23T03:00:00Z')
    expect(new Set(asked.map(({ ClientToken }) => ClientToken)).size).toBe(2)
  })

  it.each([
    ['of another window', { exportToTime: '2026-11-22T12:00:00Z' }, 'expected of'],
    ['of another table', { tableArn: TABLE_ARN.replace('Orders', 'Returns') }, 'expected'],
  ])('believes no export %s', async (_, fields, message) => {
    const night = new Night()
    await archiveWrites(night.archive.root, WRITES)
    await night.at('2026-11-21T13:30:00Z')
    await night.at('2026-11-23T01:00:00Z')
    night.deliver(exportOf(WRITES), fields)
    await expect(night.at('2026-11-23T02:00:00Z')).rejects.toThrow(message)
    expect([night.counted, await night.facts()]).toEqual([[], []])
  })

  it('takes shorter windows where more changed than is compared at once, down to an hour', async () => {
    const night = new Night()
    await archiveWrites(night.archive.root, WRITES)
    await night.at('2026-11-21T13:30:00Z')
    await night.at('2026-11-23T01:00:00Z')
    night.deliver(exportOf(WRITES), { itemCount: 1_000_001 })
    expect(await night.at('2026-11-23T02:00:00Z')).toEqual({ ReconcileAge: 26 })
    expect(night.told.at(-1)).toMatch(/^export has 1000001 items, expected at most 1000000: .*; the next has 12 hours$/)
    for (let i = 0; i < 7; i++) await night.at('2026-11-23T02:15:00Z')
    const ends = asked.map(({ IncrementalExportSpecification: of }) => (of as { ExportToTime: number }).ExportToTime)
    expect(ends.map(to => (to - Date.parse(FROM) / 1000) / 3600)).toEqual([24, 12, 6, 3, 1])
    await expect(night.at('2026-11-23T02:30:00Z')).rejects.toThrow('1000001 items')
    expect(await night.facts()).toEqual([])
  })

  it.each([
    ['a million items', undefined, 24],
    // two items in half a day are too many for twice the hours
    ['three items', { items: 3, bytes: 1024 ** 3 }, 12],
  ])('which compares %s takes longer windows again where those would be small enough', async (_, bounds, hours) => {
    const night = new Night(bounds)
    await archiveWrites(night.archive.root, WRITES)
    await night.at('2026-11-21T13:30:00Z')
    await night.at('2026-11-23T01:00:00Z')
    night.deliver(exportOf(WRITES), { itemCount: 1_000_001 })
    await night.at('2026-11-23T02:00:00Z')
    await night.at('2026-11-23T02:15:00Z')
    night.deliver(exportOf(WRITES), { exportToTime: '2026-11-22T12:00:00.000Z' })
    await night.at('2026-11-23T02:30:00Z')
    const state = await night.exports.openTagged(nightlyKey('Orders'))
    expect(JSON.parse(state?.text ?? '')).toMatchObject({ hours, comparedUntil: '2026-11-22T12:00:00.000000Z' })
    // the rest of the day first
    await night.at('2026-11-23T02:45:00Z')
    night.deliver([], { exportFromTime: '2026-11-22T12:00:00.000Z' })
    await night.at('2026-11-23T03:00:00Z')
    await night.at('2026-11-24T01:00:00Z')
    const windows = asked.map(({ IncrementalExportSpecification: of }) => of as Record<string, number>)
    expect(windows.map(({ ExportFromTime = 0, ExportToTime = 0 }) => (ExportToTime - ExportFromTime) / 3600)).toEqual([
      24, 12, 12, 24,
    ])
  })

  it('goes on with the oldest day that is still exported, and says what is not', async () => {
    const night = new Night()
    await archiveWrites(night.archive.root, WRITES)
    await night.at('2026-11-21T13:30:00Z')
    await night.at('2027-01-10T12:00:00Z')
    expect(night.told[0]).toBe(
      'what changed from 2026-11-22T00:00:00.000000Z to 2026-12-07T00:00:00.000000Z is exported no more',
    )
  })

  it('does not begin anew where what it remembers is damaged', async () => {
    const night = new Night()
    await archiveWrites(night.archive.root, WRITES)
    await night.exports.replace(nightlyKey('Orders'), '{"version":"nightly/v1"}', undefined)
    await expect(night.at('2026-11-23T01:00:00Z')).rejects.toThrow(`${nightlyKey('Orders')}: began is missing`)
  })
})
