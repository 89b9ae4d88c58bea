import { readdirSync } from 'node:fs'
import { TrinoSQL } from 'dt-sql-parser/dist/parser/trino/index.js'
import { describe, expect, it } from 'vitest'
import { bindQuery } from '../../queries/bind.js'
import { internalQuery, renderQuery, SAVED_QUERIES } from '../../queries/catalog.js'
import { tableConfiguration } from '../factories.js'

const saved = [...SAVED_QUERIES.values()]
const internal = readdirSync(new URL('../../queries/internal/', import.meta.url)).map(file =>
  internalQuery(file.replace('.sql', '')),
)
const problemsOf = (sql: string) => new TrinoSQL().validate(sql)

/** Trino's own grammar, which takes seconds for what is deeply nested; `npm run test:trino` runs the queries. */
describe('Trino’s own grammar', () => {
  it.each([...saved, ...internal])('takes $name', query => {
    expect(problemsOf(renderQuery(query, { changes: 'orders', column: 'status' }).sql)).toEqual([])
  })

  it.each(saved)('takes $name with the actor of today', query => {
    const today = tableConfiguration({ actor: ['meta', `by:who's?"`] })
    const asked = { ...query, parameters: [], asksForColumn: false }
    const { sql } = bindQuery(asked, today, {}, { actor: ['meta', `by:who's?"`] })
    expect(problemsOf(`${sql.replaceAll(/--[^\n]*/g, '')};`)).toEqual([])
  })

  it('refuses a dialect of DuckDB', () => {
    for (const sql of ['select * exclude (a) from t', 'select a::varchar from t', 'select a from t qualify b = 1'])
      expect(problemsOf(sql)).not.toEqual([])
  })
})
