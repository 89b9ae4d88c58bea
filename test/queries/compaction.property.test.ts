import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compactTable } from '../../local/compaction.js'
import { askQuery, bindQuery } from '../../queries/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/duckdb.js'
import type { QueryEngine } from '../../queries/engine.js'
import { type Row, rowsOf } from '../../queries/rows.js'
import { archiveBegan } from '../../queries/state-at.js'
import type { AuditRow } from '../../transform/audit-row.js'
import { formatInstant } from '../../transform/instant.js'
import { temporaryFolder, writeRows } from '../local/desk.js'
import { runs } from '../transform/arbitraries.js'
import { BEGIN, EARLIER, LATER, randomArchive } from './random-archive.js'

const ITEMS = 40
const ARCHIVES = 4

const ABOUT_ONE_ITEM = [...SAVED_QUERIES.values()].filter(({ parameters }) =>
  parameters.some(({ type }) => type === 'item'),
)

describe('questions about one item', () => {
  it('have one answer, whether the archive is compacted, in part, in several goes, or not at all', async () => {
    const cuts = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    await fc.assert(
      fc.asyncProperty(randomArchive(ITEMS), cuts, async ({ rows }, shares) => {
        const [plain, compacted] = [temporaryFolder(), temporaryFolder()]
        const [first = 0, second = 0] = shares.map(share => Math.floor(share * rows.length)).sort((a, b) => a - b)
        const parts = [rows.slice(0, first), rows.slice(first, second), rows.slice(second)]
        for (const part of parts) {
          await writeRows(plain, part)
          await writeRows(compacted, part)
          // before the new rows are compacted, and after
          await expectSameAnswers(plain, compacted, rows)
          if (part.length > 0) expect((await compactTable(compacted, 'Orders')).changed).toBe(true)
        }
        await expectSameAnswers(plain, compacted, rows)
        expect((await compactTable(compacted, 'Orders')).changed).toBe(false)
        expect((await compactTable(compacted, 'Orders', { rebuild: true })).changed).toBe(true)
        await expectSameAnswers(plain, compacted, rows)
      }),
      { ...runs(ARCHIVES), endOnFailure: true },
    )
  }, 120_000)
})

async function expectSameAnswers(plain: string, compacted: string, rows: readonly AuditRow[]): Promise<void> {
  const [expected, found] = [await answersOf(plain, rows), await answersOf(compacted, rows)]
  expect(found).toEqual(expected)
}

async function answersOf(root: string, rows: readonly AuditRow[]): Promise<Readonly<Record<string, unknown>>> {
  const engine = await DuckDbEngine.open(root, [EARLIER, LATER])
  try {
    const some = rows[0] as AuditRow
    const at = formatInstant(BEGIN * 1_000_000 + (some.event_time_us % 4_000_000), 6)
    const answers: Record<string, unknown> = { began: await archiveBegan(engine, EARLIER) }
    for (const query of ABOUT_ONE_ITEM) {
      const moments = { ...(query.parameters.some(({ name }) => name === 'at') && { at }) }
      answers[`${query.name} of all`] = await askOfAll(engine, query, moments)
      for (const item_key of [some.item_key, '{"order_id":{"S":"none"}}'])
        answers[`${query.name} of ${item_key}`] = await ask(engine, query, { ...moments, item_key })
    }
    // one that reads by day, after the others: both kinds on one engine
    answers.duplicates = await ask(engine, SAVED_QUERIES.get('duplicates') as SavedQuery, {})
    expect(engine.remarks()).toEqual([])
    return answers
  } finally {
    engine.close()
  }
}

async function ask(engine: QueryEngine, query: SavedQuery, parameters: Readonly<Record<string, string>>) {
  return sorted([...rowsOf(await askQuery(engine, query, EARLIER, { ...presets(query), ...parameters }))])
}

/** A question about one item, put to all at once: the same text, but for the one comparison that picks the item. */
async function askOfAll(engine: QueryEngine, query: SavedQuery, parameters: Readonly<Record<string, string>>) {
  const bound = bindQuery(query, EARLIER, { ...presets(query), ...parameters, item_key: 'none' })
  const sql = bound.sql.replace('item_key = ?', 'item_key <> ?')
  return sorted([...rowsOf(await engine.run(sql, bound.values, { scope: { table: EARLIER.table } }))])
}

function presets(query: SavedQuery): Readonly<Record<string, string>> {
  return query.parameters.some(({ name }) => name === 'attribute') ? { attribute: 'v' } : {}
}

function sorted(rows: readonly Row[]): readonly string[] {
  return rows
    .map(row => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)))
    .sort((a, b) => (a < b ? -1 : 1))
}
