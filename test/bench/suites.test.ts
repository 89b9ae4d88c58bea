import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { measureDays } from '../../bench/days.js'
import { measureDesk } from '../../bench/desk.js'
import { measureHandler } from '../../bench/handler.js'
import { measureIngest } from '../../bench/ingest.js'
import { orderRecords } from '../../bench/orders.js'
import { measureWriters } from '../../bench/parquet-writers.js'
import { measureSealing } from '../../bench/sealing.js'
import type { SuiteResult } from '../../bench/suite.js'
import { measureTransform } from '../../bench/transform.js'

/** A few changes of which some are lost, told twice and told late. */
const A_DESK = {
  ...{ changes: 300, items: 40, days: 3, breaks: 0.01, repeats: 0.05, late: 0.02 },
  ...{ historyChanges: 200, rounds: 1, rows: ['ingest', 'history, compacted'] },
}

const SOME_DAYS = {
  ...{ items: 20, versions: 3, days: [2, 4] as const, objectsPerDay: 1 },
  ...{ rounds: 1, rows: ['history, compacted', 'as-of TABLE'] },
}

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))

describe('the suites of npm run bench run, at a small size', () => {
  const suites: readonly (readonly [string, (note: () => void) => Promise<SuiteResult>])[] = [
    ['transform', note => measureTransform({ records: 1500, rounds: 2 }, note)],
    ['sealing', note => measureSealing({ records: 1500, rounds: 2 }, note)],
    ['parquet-writers', note => measureWriters({ rows: 50, rounds: 1 }, note)],
  ]
  const built: typeof suites = [
    ['handler', note => measureHandler({ eventBytes: 20_000, rounds: 1 }, note)],
    ['desk', note => measureDesk(A_DESK, note)],
    ['days', note => measureDays(SOME_DAYS, note)],
    ['ingest', note => measureIngest({ changes: 50, rounds: 1, times: 2 }, note)],
  ]

  it.each(suites)('%s', async (_name, measure) => expectFindings(await measure(() => {})))

  it.each(built)('%s', async (_name, measure) => {
    expect(existsSync(DIST), 'npm run build makes dist').toBe(true)
    expectFindings(await measure(() => {}))
  })
})

/** Figures are there; what they are is the machine's business. */
function expectFindings({ findings, remarks }: SuiteResult): void {
  expect(findings.length).toBeGreaterThan(0)
  for (const { figure } of findings) expect(figure).not.toMatch(/NaN|undefined|Infinity/)
  expect(remarks.length).toBeGreaterThan(0)
}

describe('the changes that are measured', () => {
  it('are the same in every run', () => {
    expect([...orderRecords({ count: 20 })]).toEqual([...orderRecords({ count: 20 })])
    expect([...orderRecords({ count: 1, seed: 2 })]).not.toEqual([...orderRecords({ count: 1 })])
  })

  it('are of about 1.9 KB, 20 % INSERT, 70 % MODIFY, 10 % REMOVE', () => {
    const records = [...orderRecords({ count: 2000 })]
    const bytes = records.reduce((sum, record) => sum + Buffer.byteLength(record), 0) / records.length
    expect(bytes).toBeGreaterThan(1700)
    expect(bytes).toBeLessThan(2100)
    const share = (name: string) => records.filter(record => record.includes(`"eventName":"${name}"`)).length / 2000
    expect(['INSERT', 'MODIFY', 'REMOVE'].map(name => Math.round(share(name) * 10))).toEqual([2, 7, 1])
  })
})
