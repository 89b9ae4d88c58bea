/**
 * The verdict of a table and a period by Athena's engine, before a real Trino, as by DuckDB: of the bundled orders,
 * whole and without a day.
 */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfiguration } from '../../config/configuration.js'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { type AskedPeriod, judgeTable, type TableVerdict } from '../../queries/verdict/table-verdict.js'
import { FACT_VERSION, type Fact } from '../../transform/fact.js'
import { parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { openAthena } from '../athena-engine.js'
import { startAthenaServer } from '../athena-server.js'
import { ORDERS, ORDERS_CONFIG, run } from '../cli/command-line.js'
import { temporaryFolder } from '../delivery/desk.js'
import { keepFacts } from '../queries/true-facts.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()
const DAY = '2026-11-12'
const ORDERS_TABLE = readConfiguration(ORDERS_CONFIG).tables.get('Orders') as TableConfiguration
const us = (instant: string) => parseInstant(instant)?.us as number
const period = (from: string | null, to: string | null): AskedPeriod => ({
  kind: 'period',
  fromUs: from === null ? null : us(from),
  toUs: to === null ? null : us(to),
})

/**
 * The table was empty before its first change, was as its rows say on the last day, and lost part of its stream
 * meanwhile.
 */
const FACTS: readonly Fact[] = [
  {
    version: FACT_VERSION,
    table: 'Orders',
    recorded: '2026-10-01T00:00:01.000000Z',
    kind: 'baseline',
    method: 'scan',
    source: 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/scan/2026-10-01',
    from: '2026-10-01T00:00:00.000000Z',
    to: '2026-10-01T00:00:00.500000Z',
    rowTime: '2026-09-30T23:59:59.999999Z',
    items: 0,
    digest: '',
  },
  {
    version: FACT_VERSION,
    table: 'Orders',
    recorded: '2026-11-20T12:01:00.000000Z',
    kind: 'reconciliation',
    method: 'scan',
    source: 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/scan/2026-11-20',
    from: '2026-11-20T12:00:00.000000Z',
    to: '2026-11-20T12:01:00.000000Z',
    items: 0,
    differing: [{ key: '{"order_id":{"S":"ORD12345"}}', since: null }],
    unsettled: [],
    digest: '',
  },
  {
    version: FACT_VERSION,
    table: 'Orders',
    recorded: '2026-11-05T12:00:00.000000Z',
    kind: 'gap',
    source: 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/stream/x',
    shard: 's-1',
    after: null,
    before: null,
    from: '2026-11-05T06:00:00.000000Z',
    to: '2026-11-05T07:00:00.000000Z',
    reason: 'trimmed',
  },
]

const ALL_TIME = period(null, null)
const THE_DAY = period(`${DAY}T00:00:00Z`, '2026-11-13T00:00:00Z')

const QUESTIONS: readonly (readonly [string, AskedPeriod])[] = [
  ['all time', ALL_TIME],
  ['the day that is gone', THE_DAY],
  ['hours to the microsecond', period('2026-11-11T06:30:00.123456Z', '2026-11-12T06:30:00.654321Z')],
  ['a day with a recorded gap', period('2026-11-05T00:00:00Z', '2026-11-06T00:00:00Z')],
  ['what goes on after what has arrived', period('2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z')],
  ['the time before the archive', period(null, '2026-09-30T00:00:00Z')],
  ['the items of a moment', { kind: 'states', fromUs: us('2026-11-13T00:00:00Z'), toUs: us('2026-11-13T00:00:00Z') }],
  ['two moments', { kind: 'states', fromUs: us('2026-11-11T00:00:00Z'), toUs: us('2026-11-15T00:00:00Z') }],
]

/** One archive as both engines read it. */
interface Archive {
  readonly duckDb: DuckDbEngine
  readonly athena: AthenaEngine
  close(): Promise<void>
}

describe.skipIf(missing !== undefined)(
  `the verdict of a table on Trino${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let whole: Archive
    let holed: Archive
    /** Without the day and with the facts, the comparison among them that was made before it went. */
    let compared: Archive

    beforeAll(async () => {
      const root = join(temporaryFolder(), 'archive')
      await run(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG])
      holed = await openArchive(withoutDay(root))
      await keepFacts(root, ORDERS_TABLE, FACTS)
      compared = await openArchive(withoutDay(root))
      whole = await openArchive(root)
    })
    afterAll(async () => {
      for (const archive of [whole, holed, compared]) await archive.close()
    })

    it.each(QUESTIONS)('is the same of %s, without the objects of a day', async (_, asked) => {
      await judgeBoth(holed, asked)
    })

    it('says what is missing where the day is gone', async () => {
      const { confidence, isDoubtful, items, verdicts, gaps, emptyDays } = await judgeBoth(holed, THE_DAY)
      expect({ confidence, isDoubtful, items, gaps, emptyDays }).toEqual({
        ...{ confidence: 'GAP', isDoubtful: true, items: 21, gaps: 15, emptyDays: [DAY] },
      })
      expect(verdicts).toMatchObject({ GAP: 15, 'PRE-ARCHIVE': 6 })
    })

    it('rests on facts alike: a baseline, a comparison that vouches for the rows, a recorded gap', async () => {
      const last = period('2026-11-20T00:00:00Z', '2026-11-20T11:00:00Z')
      const { confidence, verdicts, altered } = await judgeBoth(whole, last, true)
      expect({ confidence, altered, differ: verdicts.DIFFERS }).toEqual({
        confidence: 'DIFFERS',
        altered: 0,
        differ: 1,
      })
      expect(verdicts.COMPLETE).toBeGreaterThan(10)
      const { lost } = await judgeBoth(whole, period('2026-11-05T00:00:00Z', '2026-11-06T00:00:00Z'))
      expect(lost).toHaveLength(1)
    })

    it('lets a comparison go alike that was made of other rows', async () => {
      expect((await judgeBoth(compared, ALL_TIME)).alteredComparisons).toHaveLength(1)
      expect((await judgeBoth(whole, ALL_TIME)).alteredComparisons).toEqual([])
    })
  },
)

/** Judges by both engines, expects one verdict, and gives it. */
async function judgeBoth({ duckDb, athena }: Archive, asked: AskedPeriod, hashes = false): Promise<TableVerdict> {
  const options = { hashes, nowUs: us('2027-01-01T00:00:00Z') }
  const [found, expected] = [
    await judgeTable(athena, ORDERS_TABLE, asked, options),
    await judgeTable(duckDb, ORDERS_TABLE, asked, options),
  ]
  expect(found).toEqual(expected)
  return found
}

/** In a schema of its own, because every archive here has the same table. */
async function openArchive(root: string): Promise<Archive> {
  const trino = await startTrino()
  const server = await startAthenaServer()
  serveTrino(server, trino.client)
  await createAuditTable(trino.client, root, ORDERS_TABLE, ORDERS_TABLE.since as string)
  const duckDb = await DuckDbEngine.open(root, [ORDERS_TABLE])
  const athena = openAthena(server, { facts: duckDb.facts })
  const close = async () => {
    duckDb.close()
    athena.close()
    await server.stop()
    await trino.stop()
  }
  return { duckDb, athena, close }
}

function withoutDay(root: string): string {
  const holed = join(temporaryFolder(), 'archive')
  cpSync(root, holed, { recursive: true })
  rmSync(join(holed, 'data/Orders', `event_date=${DAY}`), { recursive: true })
  return holed
}
