import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindValues, parseSavedQuery, renderQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { checkParameters, ParameterError, type ParameterType } from '../../queries/parameters.js'
import { temporaryFolder } from '../delivery/desk.js'
import { runs } from '../transform/arbitraries.js'

const parameter = (name: string, type: ParameterType, value?: string) => ({
  name,
  type,
  example: 'x',
  meaning: 'm',
  preset: undefined,
  ...(value === undefined ? {} : { default: value }),
})

describe('checkParameters', () => {
  const parameters = [parameter('item_key', 'item'), parameter('to', 'instant', '9999-12-31T00:00:00Z')]
  const check = (given: Readonly<Record<string, string>>) => Object.fromEntries(checkParameters(parameters, given))

  it('fills in defaults and passes texts on as they are', () => {
    const odd = `'; drop table orders; -- ? :to {changes} \0 ü`
    expect(check({ item_key: odd })).toEqual({ item_key: odd, to: '9999-12-31T00:00:00.000000Z' })
    expect(check({ item_key: '' }).item_key).toBe('')
  })

  it('puts instants into UTC, to the microsecond', () => {
    const instant = (to: string) => check({ item_key: 'x', to }).to
    expect(instant('2026-11-22T12:00:00+02:00')).toBe('2026-11-22T10:00:00.000000Z')
    expect(instant('2026-11-22 10:00:00.1234567Z')).toBe('2026-11-22T10:00:00.123456Z')
    expect(instant('1969-12-31T23:59:59.999999Z')).toBe('1969-12-31T23:59:59.999999Z')
  })

  it('names what is missing, unknown or impossible', () => {
    expect(() => check({})).toThrow(new ParameterError('parameter item_key is missing, give for example item_key=x'))
    expect(() => check({ item_key: 'x', until: 'y' })).toThrow(
      'parameter "until" is unknown, this query has item_key, to',
    )
    for (const to of ['2026-11-22', '2026-11-22T10:00:00', 'now', '2026-02-30T00:00:00Z', "' or 1=1"]) {
      expect(() => check({ item_key: 'x', to }), to).toThrow('expected ISO 8601 with a zone')
    }
    expect(() => checkParameters([], { a: 'b' })).toThrow('this query has none')
  })

  it('takes whole numbers from 1', () => {
    const integer = (text: string) => checkParameters([parameter('n', 'integer')], { n: text }).get('n')
    expect([integer('1'), integer('20')]).toEqual([1, 20])
    for (const text of ['0', '-1', '1.5', '1e3', '', '٣', '9999999999999999', '1 or 1=1']) {
      expect(() => integer(text), text).toThrow('expected a whole number from 1')
    }
  })

  it('takes steps as JSON pairs, and writes them in one way', () => {
    const steps = (text: string) => checkParameters([parameter('allowed', 'steps')], { allowed: text }).get('allowed')
    expect(steps(' [ ["a", "b"],\n["\\u00fc","c"] ]')).toBe('[["a","b"],["ü","c"]]')
    for (const text of ['', 'a,b', '{}', '["a","b"]', '[["a"]]', '[["a","b","c"]]', '[["a",1]]']) {
      expect(() => steps(text), text).toThrow('expected pairs as JSON')
    }
  })
})

describe('an instant in a statement', () => {
  let engine: DuckDbEngine
  beforeAll(async () => {
    engine = await DuckDbEngine.open(temporaryFolder())
  })
  afterAll(() => engine.close())

  const query = parseSavedQuery(
    'moment',
    `-- @question When?
-- @empty never
-- @parameter at instant example=2026-11-22T10:00:00Z -- the moment
-- @column us bigint -- microseconds since 1970
-- @column day varchar -- the UTC day
select {us :at} as us, {day :at} as day`,
  )
  const statement = renderQuery(query, { changes: 'none' })
  const bound = async (at: string) => {
    const values = bindValues(statement, checkParameters(query.parameters, { at }))
    const [row] = [...rowsOf(await engine.run(statement.sql, values))]
    return row
  }

  it('is the very microsecond and the UTC day that was meant, in any zone, until the year 2106', async () => {
    const moment = fc.record({
      us: fc.integer({ min: 0, max: 2 ** 32 * 1_000_000 }),
      offset: fc.integer({ min: -14 * 60, max: 14 * 60 }),
    })
    await fc.assert(
      fc.asyncProperty(moment, async ({ us, offset }) => {
        const local = new Date(Math.floor(us / 1000) + offset * 60_000).toISOString().slice(0, 19)
        const minutes = Math.abs(offset)
        const zone = [Math.floor(minutes / 60), minutes % 60].map(part => String(part).padStart(2, '0')).join(':')
        const text = `${local}.${String(us % 1_000_000).padStart(6, '0')}${offset < 0 ? '-' : '+'}${zone}`
        expect(await bound(text), text).toEqual({
          us: BigInt(us),
          day: new Date(Math.floor(us / 1000)).toISOString().slice(0, 10),
        })
      }),
      runs(50),
    )
  })

  it('reaches to the ends of time that questions default to', async () => {
    expect(await bound('1970-01-01T00:00:00Z')).toEqual({ us: 0n, day: '1970-01-01' })
    expect(await bound('9999-12-31T00:00:00Z')).toEqual({ us: 253_402_214_400_000_000n, day: '9999-12-31' })
    expect(await bound('1969-12-31T23:59:59.999999Z')).toEqual({ us: -1n, day: '1969-12-31' })
  })
})
