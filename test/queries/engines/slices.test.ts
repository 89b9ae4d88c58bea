import { describe, expect, it } from 'vitest'
import { bindQuery } from '../../../queries/bind.js'
import { savedQuery } from '../../../queries/catalog.js'
import type { BoundStatement } from '../../../queries/engines/derivation.js'
import type { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import type { Scope } from '../../../queries/engines/engine.js'
import { NarrowedTables } from '../../../queries/engines/narrowed-tables.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { inSlice, type Slice } from '../../../queries/engines/slices.js'
import { differenceOfLinked, lastOfLinked } from '../../../queries/verdict/last-of-linked.js'
import { formatInstant } from '../../../transform/instant.js'
import { tableConfiguration } from '../../factories.js'
import { BEGIN, withRandomArchive } from '../random-archive.js'

const TABLE = tableConfiguration()

describe('a question of a whole table, in slices', () => {
  it('has the rows, in the order, that it has at once', async () => {
    await withArchive(async (engine, narrowed, query) => {
      const imageSize = async () => 4_000
      const slicesOf = (room: number, { narrowing }: Scope) => narrowed.slicesOf(narrowing, query, { imageSize, room })
      for (const { sql, values, scope } of questions()) {
        const ask = async (slice?: Slice) => {
          const statement = await narrowed.statementOf({ sql, values }, scope, query, slice)
          return [...rowsOf(await engine.run(statement.sql, statement.values))]
        }
        expect(await slicesOf(Number.POSITIVE_INFINITY, scope)).toEqual([{}])
        const slices = await slicesOf(200_000, scope)
        expect(slices.length).toBeGreaterThan(2)
        const answers: unknown[] = []
        for (const slice of slices) answers.push(...(await ask(slice)))
        expect(answers).toEqual(await ask())
      }
    })
  })

  it('that does not fit is asked again in smaller ones, and no more than a few times', async () => {
    await withArchive(async (engine, narrowed, query) => {
      const room = { imageSize: async () => 0, room: 1 }
      for (const { sql, values, scope } of questions()) {
        const ask = async (most: number) => {
          let asked = 0
          const answers: unknown[] = []
          const begin = async (statement: BoundStatement) => {
            asked++
            const rows = [...rowsOf(await engine.run(statement.sql, statement.values))]
            if (rows.length > most) throw new Error('Out of Memory Error: failed to allocate data')
            return rows
          }
          const pieces = narrowed.inSlices({ sql, values }, scope, query, room, begin)
          try {
            for await (const rows of pieces) answers.push(...rows)
          } catch (error) {
            return { asked, answers, error: (error as Error).message }
          }
          return { asked, answers }
        }
        const whole = await ask(Number.POSITIVE_INFINITY)
        const halved = await ask(whole.answers.length - 1)
        expect([whole.asked, halved.asked]).toEqual([1, 3])
        expect(halved.answers).toEqual(whole.answers)
        expect(await ask(-1)).toEqual({ asked: 5, answers: [], error: expect.stringMatching(/^Out of Memory/) })
      }
    })
  })

  it('reads each row in one of them, and one of no item in the last', async () => {
    await withArchive(async (_, narrowed, query) => {
      const items = `select cast(i as varchar) as item_key, 1 as linked, 3 as row_count from range(1000) as t(i)
        union all select null, 1, 3`
      const narrowing = { items, where: 'linked = 0', images: '1' }
      const slices = await narrowed.slicesOf(narrowing, query, { imageSize: async () => 1, room: 101 })
      const counts = await Promise.all(
        slices.map(slice => query(`select count(*), count(item_key) from ${inSlice(slice, `(${items})`)}`)),
      )
      const [all, named] = [0, 1].map(i => counts.map(([row]) => Number(row?.[i])))
      expect(slices.length).toBe(10)
      expect(Math.max(...(all as number[]))).toBeLessThan(110)
      expect(named?.reduce((sum, n) => sum + n, 0)).toBe(1000)
      expect(all?.map((n, i) => n - (named?.[i] ?? 0))).toEqual([...Array(9).fill(0), 1])
    })
  })
})

type Query = (sql: string) => Promise<readonly (readonly unknown[])[]>

/** A random archive, and what is asked narrow, then wide of it. */
async function withArchive(ask: (engine: DuckDbEngine, narrowed: NarrowedTables, query: Query) => Promise<void>) {
  await withRandomArchive(60, async engine => {
    const query = async (sql: string) => [...rowsOf(await engine.run(sql))].map(row => Object.values(row))
    await ask(engine, new NarrowedTables(448e6), query)
  })
}

function* questions() {
  const [fromUs, toUs] = [1_000_000, 3_500_000].map(later => BEGIN * 1_000_000 + later) as [number, number]
  const [from, to] = [formatInstant(fromUs, 6), formatInstant(toUs, 6)]
  const [asOf, diff] = [savedQuery('table-as-of'), savedQuery('diff-of-table')]
  const then = bindQuery(asOf, TABLE, { at: to })
  const between = bindQuery(diff, TABLE, { from, to })
  const scopeOf = ({ scope }: typeof then) => scope as Scope
  yield {
    ...then,
    scope: { ...scopeOf(then), narrowing: lastOfLinked(asOf, TABLE, toUs, then.parameters, false) },
  }
  yield {
    ...between,
    scope: { ...scopeOf(between), narrowing: differenceOfLinked(diff, TABLE, { fromUs, toUs }, between.parameters) },
  }
}
