/**
 * The verdict of a table and a period by Athena's engine, before a real Trino, as by DuckDB: of the bundled orders,
 * whole and without a day.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AthenaEngine } from '../../queries/engines/athena.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { type AskedPeriod, judgeTable, type TableVerdict } from '../../queries/verdict/table-verdict.js'
import { openAthena } from '../athena-engine.js'
import { startAthenaServer } from '../athena-server.js'
import { ORDERS, ORDERS_CONFIG, run } from '../cli/command-line.js'
import { temporaryFolder } from '../delivery/desk.js'
import {
  ALL_TIME,
  DAY,
  FACTS,
  ORDERS_TABLE,
  period,
  QUESTIONS,
  THE_DAY,
  us,
  withoutDay,
} from '../queries/judged-orders.js'
import { keepFacts } from '../queries/true-facts.js'
import { serveTrino } from './athena.js'
import { missingForTrino, startTrino } from './server.js'
import { createAuditTable } from './tables.js'

const missing = missingForTrino()

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
