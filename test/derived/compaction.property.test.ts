import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compactTable } from '../../derived/desk-compactor.js'
import { openDesk } from '../../library/open-archive.js'
import { askQuery, streamQuery } from '../../queries/answers/ask.js'
import { bindQuery } from '../../queries/bind.js'
import { SAVED_QUERIES, type SavedQuery, savedQuery } from '../../queries/catalog.js'
import type { QueryEngine } from '../../queries/engines/engine.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { archiveBegan } from '../../queries/verdict/state-at.js'
import { type ItemOfTable, itemsAt } from '../../queries/verdict/table-at.js'
import { ContinuityCheck, type ItemVerdict } from '../../queries/verdict/verify-continuity.js'
import type { AuditRow } from '../../transform/audit-row.js'
import { formatInstant } from '../../transform/instant.js'
import { temporaryFolder, writeRows } from '../delivery/desk.js'
import { BEGIN, EARLIER, LATER, randomArchive } from '../queries/random-archive.js'
import { runs } from '../transform/arbitraries.js'

const ITEMS = 30
const ARCHIVES = Number(process.env.RUNS ?? 1)

const ABOUT_ONE_ITEM = [...SAVED_QUERIES.values()].filter(({ parameters }) =>
  parameters.some(({ type }) => type === 'item'),
)

describe('questions about one item, about the states of all, and whether anything is missing', () => {
  it('have one answer, whether the archive is compacted, in part, in several goes, or not at all', async () => {
    const cuts = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    await fc.assert(
      fc.asyncProperty(randomArchive(ITEMS), cuts, async ({ rows }, shares) => {
        const [plain, compacted] = [temporaryFolder(), temporaryFolder()]
        const [first = 0, second = 0] = shares.map(share => Math.floor(share * rows.length)).sort((a, b) => a - b)
        const parts = [rows.slice(0, first), rows.slice(first, second), rows.slice(second)]
        for (const [i, part] of parts.entries()) {
          await writeRows(plain, part)
          await writeRows(compacted, part)
          // before the new rows are compacted, and after
          await expectSameAnswers(plain, compacted, rows, i === 2)
          if (part.length > 0) expect((await compactTable(compacted, 'Orders', EACH_DAY)).changed).toBe(true)
        }
        await expectSameAnswers(plain, compacted, rows, true)
        expect((await compactTable(compacted, 'Orders', EACH_DAY)).changed).toBe(false)
        const { manifest } = await compactTable(compacted, 'Orders', { rebuild: true, ...EACH_DAY })
        expect(manifest.checkpoints.length).toBeGreaterThan(0)
        await expectSameAnswers(plain, compacted, rows, false)
      }),
      { ...runs(ARCHIVES), endOnFailure: true },
    )
  }, 600_000)
})

/** Checkpoints as often as the rule allows. */
const EACH_DAY = { checkpointBytes: 1 }

async function expectSameAnswers(
  plain: string,
  compacted: string,
  rows: readonly AuditRow[],
  states: boolean,
): Promise<void> {
  const [expected, found] = [await answersOf(plain, rows, states), await answersOf(compacted, rows, states)]
  expect(found).toEqual(expected)
}

async function answersOf(
  root: string,
  rows: readonly AuditRow[],
  states: boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const engine = await openDesk(root, [EARLIER, LATER])
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
    for (const [i, offset] of (states ? [2_400_000, 100_000_000_000] : []).entries()) {
      const at = { us: BEGIN * 1_000_000 + offset }
      answers[`states ${i}`] = await statesOf(engine, at)
      answers[`table-as-of ${i}`] = await ask(engine, savedQuery('table-as-of'), {
        at: formatInstant(at.us, 6),
      })
      const period = {
        from: formatInstant(BEGIN * 1_000_000 + 2_500_000, 6),
        to: formatInstant(BEGIN * 1_000_000 + 2_500_000 + offset, 6),
      }
      answers[`diff-of-table ${i}`] = await ask(engine, savedQuery('diff-of-table'), period)
      const pieces: Row[] = []
      for await (const piece of streamQuery(engine, savedQuery('diff-of-table'), EARLIER, period))
        pieces.push(...rowsOf(piece))
      answers[`diff-of-table ${i}, streamed`] = sorted(pieces)
    }
    const check = await ContinuityCheck.open(engine, EARLIER)
    const verdicts: ItemVerdict[] = []
    for await (const verdict of check.verdicts()) verdicts.push(verdict)
    answers.verified = { verdicts, tally: check.tally, regions: [...check.regions].sort() }
    // one that reads by day, after the others: both kinds on one engine
    answers.duplicates = await ask(engine, savedQuery('duplicates'), {})
    expect(engine.remarks()).toEqual([])
    return answers
  } finally {
    engine.close()
  }
}

async function statesOf(engine: QueryEngine, at: { readonly us: number }): Promise<readonly ItemOfTable[]> {
  const items: ItemOfTable[] = []
  for await (const item of itemsAt(engine, EARLIER, at)) items.push(item)
  return items
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
