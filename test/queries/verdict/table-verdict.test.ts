/** That what is judged of many items together is what is judged of each. */
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { judgeTable } from '../../../queries/verdict/table-verdict.js'
import { ORDERS, ORDERS_CONFIG, run } from '../../cli/command-line.js'
import { temporaryFolder } from '../../delivery/desk.js'
import { FACTS, ORDERS_TABLE, QUESTIONS, us, withoutDay } from '../judged-orders.js'
import { keepFacts } from '../true-facts.js'

describe.each([
  ['whole', (root: string) => root, []],
  ['without a day', withoutDay, []],
  ['whole, with facts', (root: string) => root, FACTS],
  ['without a day, with facts', withoutDay, FACTS],
])('items of an archive, %s', (_, of, facts) => {
  it('are judged alike together and one by one, of any time', async () => {
    const written = join(temporaryFolder(), 'archive')
    await run(['ingest', ORDERS, '--archive', written, '--config', ORDERS_CONFIG])
    const root = of(written)
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
    expect(asked.mock.calls.filter(([sql]) => sql.includes('as apart(item_key)')).length).toBeGreaterThan(5)
    together.close()
    apart.close()
  })
})
