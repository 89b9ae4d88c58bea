import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { internalQuery, renderQuery, SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { queriesDocument, queryTypes } from '../../queries/write-docs.js'
import { misplacedParameters, withoutStrings } from '../athena-rules.js'

const queries = [...SAVED_QUERIES.values()]
const textsIn = (folder: string) =>
  readdirSync(new URL(`../../queries/${folder}/`, import.meta.url)).map(file => ({
    name: file.replace('.sql', ''),
    text: readFileSync(new URL(`../../queries/${folder}/${file}`, import.meta.url), 'utf8'),
  }))
const internal = textsIn('internal').map(({ name }) => internalQuery(name))
const sqlOf = (query: SavedQuery) => renderQuery(query, { changes: 'orders', column: 'status' }).sql
const withoutComments = (sql: string) => sql.replaceAll(/--[^\n]*/g, '')

/** Names are an interface: prepared statements and people's scripts use them. Add, but do not rename or remove. */
const NAMES = [
  ...[
    'activity-by-day',
    'altered-rows',
    'anchors',
    'attribute-catalogue',
    'attribute-history',
    'balance',
    'blame',
    'changes-between',
    'changes-by-actor',
    'changes-of-subject',
    'changes-with-caller',
    'write-calls',
  ],
  ...['changes-by-attribute', 'changes-without-actor', 'continuity', 'deletions', 'diff-of-table', 'duplicates'],
  ...[
    'first-and-last-seen',
    'hot-items',
    'illegal-transitions',
    'item-as-of',
    'item-history',
    'items-as-of',
    'items',
    'items-with-value',
    'partition-history',
    'late-arrivals',
  ],
  ...['mass-changes', 'misfits', 're-created-items', 'status-transitions', 'table-as-of', 'volume-by-hour'],
  ...['amounts-by-actor', 'changes-above', 'changes-outside-hours', 'first-time-actors', 'self-approvals'],
]

/** What DuckDB and Trino both have, some of it on DuckDB by the macros, and answer alike. */
const FUNCTIONS = new Set([
  ...[
    'array_agg',
    'array_distinct',
    'array_join',
    'array_remove',
    'array_sort',
    'cardinality',
    'cast',
    'coalesce',
    'count',
    'count_if',
  ],
  ...[
    'date_format',
    'date_trunc',
    'dense_rank',
    'element_at',
    'filter',
    'from_iso8601_timestamp_nanos',
    'greatest',
    'json_extract_scalar',
  ],
  ...[
    'json_format',
    'json_parse',
    'first_value',
    'lag',
    'lead',
    'length',
    'lpad',
    'map',
    'map_keys',
    'max',
    'min',
    'round',
    'row_number',
  ],
  ...['array_intersect', 'json_array_get', 'json_array_length', 'map_values', 'regexp_extract_all', 'replace'],
  ...['flatten', 'sequence', 'try'],
  ...['abs', 'at_timezone', 'day_of_week', 'from_unixtime', 'nullif'],
  ...['chr', 'lower', 'max_by', 'min_by', 'sha256', 'to_hex', 'to_utf8'],
  // of patterns that begin with \A and end with \z: elsewhere `$` means two things
  ...['regexp_like', 'regexp_replace'],
  ...['split_part', 'strpos', 'substr', 'sum', 'to_unixtime', 'transform', 'unnest'],
])
const KEYWORDS_BEFORE_A_PARENTHESIS = new Set([
  'and',
  'as',
  'by',
  'decimal',
  'in',
  'or',
  'over',
  'select',
  'then',
  'when',
  'where',
  'from',
  't',
  'moments',
  'moves_of',
  'sides',
  'not',
  'else',
  'unnest',
])

describe('saved queries', () => {
  it('keep their names', () => {
    expect(queries.map(query => query.name)).toEqual(expect.arrayContaining(NAMES))
    expect(NAMES.length).toBe(queries.length)
  })

  it.each([...queries, ...internal])(
    '$name has parameters only where Athena allows them: in WHERE, not in quotes, at most 25',
    query => {
      const sql = withoutComments(sqlOf(query))
      expect(misplacedParameters(sql)).toEqual([])
      expect([...sql].filter(character => character === '?').length).toBe(
        [...withoutStrings(sql)].filter(character => character === '?').length,
      )
      expect(renderQuery(query, { changes: 'orders' }).placeholders.length).toBeLessThanOrEqual(25)
    },
  )

  it.each([
    ['select ? from t', ['?']],
    ['select a from t where b = ? limit ?', ['?']],
    ['select a from t group by a having count(*) > ?', ['?']],
    ['with c as (select a from t where b = ? and c in (select d from e where f = ?)) select a from c where g = ?', []],
  ])('would find a parameter out of place in %s', (sql, misplaced) => {
    expect(misplacedParameters(sql)).toEqual(misplaced)
  })

  it.each(queries)('$name uses every parameter that it declares, and no other', query => {
    const used = new Set(renderQuery(query, { changes: 'orders', column: 'status' }).placeholders)
    expect([...used].sort()).toEqual(query.parameters.map(parameter => parameter.name).sort())
  })

  it.each(queries)('$name calls only functions that both engines answer alike', query => {
    const calls = [...withoutStrings(withoutComments(sqlOf(query))).matchAll(/\b([a-z_][a-z0-9_]*)\s*\(/g)].map(
      match => match[1] as string,
    )
    expect(
      calls.filter(
        name => !FUNCTIONS.has(name) && !KEYWORDS_BEFORE_A_PARENTHESIS.has(name) && !isExpression(query, name),
      ),
    ).toEqual([])
  })

  it.each(queries)(
    '$name names each table expression once, because Trino reads the archive again for each time',
    query => {
      const sql = withoutStrings(withoutComments(sqlOf(query)))
      expect([...sql.matchAll(/\bfrom orders\b/g)].length).toBe(1)
      const names = [...sql.matchAll(/^(?:with )?([a-z_]+) as \($/gm)].map(match => match[1] as string)
      const usedTwice = names.filter(
        name => [...sql.matchAll(new RegExp(`\\b(?:from|join) ${name}\\b`, 'g'))].length !== 1,
      )
      expect(usedTwice).toEqual([])
    },
  )

  it.each(queries.filter(query => query.parameters.some(({ name }) => name === 'to' || name === 'at')))(
    '$name bounds the partitions by its period',
    query => expect(query.template).toMatch(/event_date <= \{day(-after)? :(to|at)\}/),
  )

  it('are documented as they are, and known to the compiler', () => {
    expect(readFileSync(new URL('../../docs/queries.md', import.meta.url), 'utf8')).toBe(queriesDocument())
    expect(readFileSync(new URL('../../queries/query-types.ts', import.meta.url), 'utf8')).toBe(queryTypes())
  })

  it('use every shared part', () => {
    const texts = ['sql', 'internal', 'parts'].flatMap(textsIn).map(({ text }) => text)
    for (const { name } of textsIn('parts')) expect(texts.join('\n'), name).toContain(`{${name}}`)
  })
})

/** A common table expression's own name before its text, `name as (`, is no call. */
function isExpression(query: SavedQuery, name: string): boolean {
  return new RegExp(`\\b${name} as \\(`).test(sqlOf(query))
}
