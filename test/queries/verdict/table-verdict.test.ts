/** That what is judged of many items together is what is judged of each. */
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { judgeTable } from '../../../queries/verdict/table-verdict.js'
import type { AuditRow } from '../../../transform/audit-row.js'
import { ORDERS, ORDERS_CONFIG, run } from '../../cli/command-line.js'
import { rowsOfRecord, temporaryFolder, writeRows } from '../../delivery/desk.js'
import { streamsRecord } from '../../factories.js'
import { FACTS, ORDERS_TABLE, QUESTIONS, us, withoutDay } from '../judged-orders.js'
import { keepFacts } from '../true-facts.js'

const whole = async (root: string) => root

/** The same with a row that the transform did not write. */
async function withRow(root: string, forged: Partial<AuditRow>): Promise<string> {
  const [row] = rowsOfRecord(streamsRecord()) as [AuditRow]
  await writeRows(root, [{ ...row, ...forged }], ORDERS_TABLE)
  return root
}

describe.each([
  { what: 'whole', of: whole, facts: [], isOrdinary: true },
  { what: 'without a day', of: async (root: string) => withoutDay(root), facts: [], isOrdinary: true },
  { what: 'whole, with facts', of: whole, facts: FACTS, isOrdinary: true },
  { what: 'without a day, with facts', of: async (root: string) => withoutDay(root), facts: FACTS, isOrdinary: true },
  {
    what: 'with an altered row',
    of: (root: string) => withRow(root, { new_hash: '0'.repeat(64) }),
    facts: [],
    isOrdinary: true,
  },
  { what: 'with a row of no key', of: (root: string) => withRow(root, { item_key: '' }), facts: [], isOrdinary: false },
  {
    what: 'with a row of a key of two lines',
    of: (root: string) => withRow(root, { item_key: '{"order_id":\n{"S":"x"}}', event_name: 'MODIFY' }),
    facts: FACTS,
    isOrdinary: false,
  },
])('items of an archive, $what', ({ of, facts, isOrdinary }) => {
  it('are judged alike together and one by one, of any time', async () => {
    const written = join(temporaryFolder(), 'archive')
    await run(['ingest', ORDERS, '--archive', written, '--config', ORDERS_CONFIG])
    const root = await of(written)
    await keepFacts(root, ORDERS_TABLE, facts)
    const [together, apart] = [
      await DuckDbEngine.open(root, [ORDERS_TABLE]),
      await DuckDbEngine.open(root, [ORDERS_TABLE]),
    ]
    Object.defineProperty(apart, 'takesLongText', { value: false })
    const asked = vi.spyOn(together, 'rows')
    for (const [i, [question, period]] of QUESTIONS.entries()) {
      const options = { hashes: i % 2 === 0, nowUs: us('2027-01-01T00:00:00Z') }
      const found = await judgeTable(together, ORDERS_TABLE, period, options)
      expect(found, question).toEqual(await judgeTable(apart, ORDERS_TABLE, period, options))
    }
    const areTogether = asked.mock.calls.some(([sql]) => sql.includes('as apart(item_key)'))
    if (isOrdinary) expect(areTogether).toBe(true)
    together.close()
    apart.close()
  })
})
