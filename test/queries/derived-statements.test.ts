import { TrinoSQL } from 'dt-sql-parser/dist/parser/trino/index.js'
import { describe, expect, it } from 'vitest'
import { renderQuery, SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { copyStatements, itemRelation } from '../../queries/derived-statements.js'
import { AUDIT_COLUMNS } from '../../transform/audit-row.js'
import { misplacedParameters } from '../athena-rules.js'

const about = (digits: number) => ({ archive: 'orders', copy: 'orders_by_item', columns: AUDIT_COLUMNS, digits })

describe('statements of the clustered copy', () => {
  it.each([1, 2, 3])('write each bucket of %i digits once, at most a hundred in a statement', digits => {
    const ranges = copyStatements(about(digits), {}).map(sql => {
      const [, from] = />= '([0-9a-f]+)'/.exec(sql) as unknown as [string, string]
      const [, to] = /< '([0-9a-f]+)'/.exec(sql) ?? []
      return [Number.parseInt(from, 16), to === undefined ? 16 ** digits : Number.parseInt(to, 16)] as const
    })
    expect(ranges[0]?.[0]).toBe(0)
    expect(ranges.at(-1)?.[1]).toBe(16 ** digits)
    for (const [i, [from, to]] of ranges.entries()) {
      expect(to - from).toBeLessThanOrEqual(100)
      if (i > 0) expect(from).toBe(ranges[i - 1]?.[1])
    }
  })

  it('are Trino SQL by its own grammar, with parameters only where Athena allows them', () => {
    const query = SAVED_QUERIES.get('item-history') as SavedQuery
    const asked = renderQuery(query, { changes: itemRelation(about(2)) })
    expect(asked.placeholders.slice(0, 2)).toEqual(['item_key', 'item_key'])
    const properties = { format: 'PARQUET', write_compression: 'ZSTD', external_location: "s3://it's/derived/" }
    for (const sql of [...copyStatements(about(2), properties), asked.sql]) {
      expect(new TrinoSQL().validate(sql)).toEqual([])
      expect(misplacedParameters(sql)).toEqual([])
    }
  })
})
