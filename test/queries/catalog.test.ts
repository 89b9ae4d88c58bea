import { beforeAll, describe, expect, it } from 'vitest'
import { askQuery } from '../../queries/answers/ask.js'
import { columnTypesOf } from '../../queries/answers/canonical-answer.js'
import { parseSavedQuery, renderQuery, SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { parseInstant } from '../../transform/instant.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { tableConfiguration } from '../factories.js'
import { keyOf, STORY, STORY_TABLE } from './story.js'

const TABLE = {
  ...STORY_TABLE,
  lifecycle: { path: ['status'], allowed: [['PENDING', 'PROCESSING'] as const] },
}

/** What to ask a query with: an item of the story, and its own examples. */
function exampleOf(query: SavedQuery): Readonly<Record<string, string>> {
  const values: Readonly<Record<string, string>> = { item: keyOf('A'), attribute: 'status' }
  const given = query.parameters
    .filter(({ preset }) => preset !== 'facts')
    .map(({ name, type, example }) => [name, values[type] ?? example])
  return { ...Object.fromEntries(given), ...(query.asksForColumn ? { column: 'status' } : {}) }
}

describe.each([...SAVED_QUERIES.values()].map(query => ({ name: query.name, query })))('$name', ({ query }) => {
  const { sql } = renderQuery(query, { changes: 'orders', column: 'status' })
  const bare = withoutTexts(sql)

  it('says what it answers', () => {
    expect(query.name).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(query.question).toMatch(/^[A-Z].*[?.]$/)
    expect(query.empty).toMatch(/^[a-z].*[^.]$/)
    for (const column of query.columns) expect(column.meaning, column.name).toBeTruthy()
    expect(new Set(query.columns.map(column => column.name)).size).toBe(query.columns.length)
  })

  it('says of each parameter what it is, with an example that it takes', () => {
    for (const { name, type, meaning, example, default: preset } of query.parameters) {
      expect(meaning, name).toBeTruthy()
      expect(example, name).not.toBe('')
      if (type === 'instant') {
        for (const text of [example, preset ?? example]) expect(parseInstant(text), text).toBeDefined()
      }
    }
  })

  it('leaves nothing to put in, and is one statement that reads', () => {
    expect(bare).not.toMatch(/[{}:;`"]/)
    expect(bare.trimStart()).toMatch(/^with |^select /)
    expect(bare).not.toMatch(/\b(insert|update|delete|create|drop|attach|copy|pragma|set)\b/i)
  })

  it('looks at the partition first where it asks for a time', () => {
    if (!query.parameters.some(({ type }) => type === 'instant')) return
    const [date, time] = [bare.search(/event_date [<>]= /), bare.search(/event_time_us [<>]/)]
    expect(date).toBeGreaterThan(0)
    expect(date).toBeLessThan(time)
  })

  it('answers with the columns that it names, in their order and of their types, with rows in the archive and without', async () => {
    const columns = query.columns.map(({ name, type }) => [
      name,
      type === 'timestamp' ? `${type} with time zone` : type,
    ])
    for (const engine of engines)
      expect(columnTypesOf(await askQuery(engine, query, TABLE, exampleOf(query)))).toEqual(columns)
  })

  it('says of which days it reads rows, and its text bounds them so and in no other way', () => {
    const { from, to, dayBefore, dayAfter } = query.days
    const told = [
      ...(from === undefined ? [] : [`event_date >= {day${dayBefore ? '-before' : ''} :${from}}`]),
      ...(to === undefined ? [] : [`event_date <= {day${dayAfter ? '-after' : ''} :${to}}`]),
    ]
    const bounds = withoutComments(query.template).match(/event_date (?:[<>]=?|=|in|like)[^\n)]*/g) ?? []
    // one that looks for rows in days that are none is bound to no days, whatever its period
    const looksEverywhere = bounds.some(bound => bound.includes("'"))
    expect(told).toEqual(looksEverywhere ? [] : bounds.map(bound => bound.trim()))
  })

  it('says whether it tells what items were at moments, and by whose word', () => {
    const tells = /^last_(states|changes) as \($/m.test(query.template)
    // which breaks have a reason is of no moment
    const takesFacts = query.parameters.some(({ name, preset }) => preset === 'facts' && name !== 'explained')
    expect([tells, query.states !== undefined]).toEqual([
      tells && (takesFacts || query.withoutFacts !== undefined),
      takesFacts,
    ])
    const types = new Map(query.parameters.map(({ name, type }) => [name, type]))
    const moments = [query.states?.from, query.states?.to, query.withoutFacts, query.days.from, query.days.to]
    for (const moment of moments) if (moment !== undefined) expect(types.get(moment), moment).toBe('instant')
  })

  it('says whether it asks who made changes, if its text does', () => {
    const asks = /\b(actor|actor_source|last_writer)\b/.test(withoutComments(query.template))
    expect(query.actor !== undefined).toBe(asks)
    const tells = [...query.columns, ...query.parameters].some(({ name }) =>
      /actor|writer|(created|deleted)_by/.test(name),
    )
    expect(query.actor === 'today').toBe(tells)
  })
})

const engines: DuckDbEngine[] = []
beforeAll(async () => {
  const [filled, empty] = [temporaryFolder(), temporaryFolder()]
  await ingestRecords(filled, STORY, { configuration: TABLE })
  for (const root of [filled, empty]) engines.push(await DuckDbEngine.open(root, [TABLE]))
  return () => {
    for (const engine of engines) engine.close()
  }
})

function withoutComments(sql: string): string {
  return sql.replaceAll(/--.*$/gm, '')
}

/** SQL without comments and without what stands in quotes. */
function withoutTexts(sql: string): string {
  return sql.replaceAll(/--.*$/gm, '').replaceAll(/'(?:[^']|'')*'/g, "''")
}

describe('the catalog', () => {
  it('refuses a query file that says too little', () => {
    const header = ['-- @question What?', '-- @empty nothing', '-- @column a bigint -- what it is']
    for (const missing of header) {
      const text = [...header.filter(line => line !== missing), 'select 1 as a'].join('\n')
      expect(() => parseSavedQuery('q', text)).toThrow('query q lacks')
    }
    const odd = [...header, 'select {no-such-part}'].join('\n')
    expect(() => parseSavedQuery('q', odd)).toThrow('{no-such-part}')
  })

  it('puts the name of a table where it belongs, whatever the table is called', async () => {
    const table = tableConfiguration({ table: 'My-Table.v2' })
    const engine = await DuckDbEngine.open(temporaryFolder(), [table])
    for (const query of SAVED_QUERIES.values()) {
      if (query.asksForColumn) continue
      expect((await askQuery(engine, query, table, { ...presetsOf(query), ...exampleOf(query) })).numRows).toBe(0)
    }
    engine.close()
  })

  function presetsOf(query: SavedQuery): Readonly<Record<string, string>> {
    return query.parameters.some(({ name }) => name === 'allowed') ? { allowed: '[]' } : {}
  }
})
