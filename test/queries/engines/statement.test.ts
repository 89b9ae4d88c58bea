import { describe, expect, it } from 'vitest'
import { readStatement } from '../../../queries/engines/statement.js'

describe('readStatement', () => {
  it.each([
    ['select 1', true],
    ['WITH a as (select 1) select * from a', true],
    ['-- what?\n/* and; why? */ values 1', true],
    ['table orders', true],
    ['(select 1) union (select 2)', true],
    ['show tables', false],
    ['describe orders', false],
    ['explain select 1', false],
    ['', false],
    ['-- nothing', false],
  ])('tells of %j that it is a query: %s', (sql, isQuery) => {
    expect(readStatement(sql).isQuery).toBe(isQuery)
  })

  it.each([
    ['select 1;', 'select 1'],
    [' select 1 ;; \n', 'select 1'],
    ['-- before\nselect 1 -- after; really', 'select 1'],
    ["select ';' -- ;", "select ';'"],
    ['((select 1 order by 1));', 'select 1 order by 1'],
    ['(select 1) union (select 2)', '(select 1) union (select 2)'],
  ])('leaves what can stand inside another statement of %j', (sql, text) => {
    expect(readStatement(sql).text).toBe(text)
  })

  it('finds each ? that stands for a value, and none in strings, names and comments', () => {
    const { text, placeholders } = readStatement(
      `/* ? */ select '?', 'it''s ?', "?" -- ?\nfrom t where a = ? and b in (?) /* ? */ and c = ?`,
    )
    expect(placeholders.map(at => text.slice(at - 4, at + 1))).toEqual(['a = ?', 'in (?', 'c = ?'])
  })

  it.each([
    ['select a from t', []],
    ['select a from t order by a', ['a']],
    ['select a from t ORDER  BY a desc nulls last, lower(b), 3 limit 5', ['a|desc nulls last', 'lower(b)', '3']],
    ['select a from t order by array[a, b], c  ASC offset 1 rows fetch first 2 rows only', ['array[a, b]', 'c|ASC']],
    ['select a from (select a from t order by a)', []],
    ['select row_number() over (order by a) as n, array_agg(b order by c) from t group by d', []],
    ['with x as (select a from t order by a limit 1) select a from x order by b -- done', ['b']],
    ["select 'order by x' from t order by a /* , b */, c", ['a', 'c']],
    ['select a from t union all select a from u order by 1', ['1']],
    ['select a from t order by', ['']],
  ])('reads the outermost order of %j', (sql, order) => {
    const items = readStatement(sql).orderBy
    expect(
      items.map(({ expression, direction }) => (direction === '' ? expression : `${expression}|${direction}`)),
    ).toEqual(order)
  })

  it('tells which names an order may mean', () => {
    const { orderBy } = readStatement('select 1 from t order by A + max("B c"), o.d.e desc, \'x\' || f, 1')
    expect(orderBy.map(({ names }) => names)).toEqual([['a', 'b c'], ['o', 'desc'], ['f'], []])
  })

  it.each([
    ['select a, b from t where c', 'from t where c'],
    ['with x as (select 1 from y) select (select 2 from z), * from x', 'from x'],
    ['select a is distinct from b, extract(day from c) from t', 'from t'],
    ['-- from\nselect 1 from t', 'from t'],
    ['select distinct a from t', undefined],
    ['select a from t union select a from u', undefined],
    ['select 1', undefined],
    ['values 1', undefined],
    ['table t', undefined],
  ])('finds in %j where one more column fits', (sql, rest) => {
    const { text, listEnd } = readStatement(sql)
    expect(listEnd === undefined ? undefined : text.slice(listEnd)).toBe(rest)
  })
})
