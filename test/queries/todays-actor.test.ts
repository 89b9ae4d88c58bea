import { describe, expect, it } from 'vitest'
import { answerQuery } from '../../queries/answers/ask.js'
import { readHistory } from '../../queries/answers/read-history.js'
import { queryVersion, statementIsOurs } from '../../queries/answers/receipt.js'
import { SAVED_QUERIES, type SavedQuery, savedQuery } from '../../queries/catalog.js'
import { DuckDbEngine } from '../../queries/engines/duckdb.js'
import { rowsOf } from '../../queries/engines/rows.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { baselineDocument, streamsRecord, tableConfiguration } from '../factories.js'

const ODD = `by:who's?"`
const item = (by: unknown) => ({ order_id: { S: 'A' }, meta: { M: { [ODD]: by } } }) as never

const RECORDS = [
  baselineDocument({ Item: item({ S: 'zoe' }) }),
  streamsRecord({ SequenceNumber: '1', NewImage: item({ S: 'alice' }), Keys: { order_id: { S: 'A' } } }),
  ...[
    [item({ S: 'alice' }), item({ N: '7' })],
    [item({ N: '7' }), item({ NULL: true })],
    [item({ NULL: true }), item({ S: 'bob' })],
  ].map(([OldImage, NewImage], i) =>
    streamsRecord({
      eventName: 'MODIFY',
      SequenceNumber: `${i + 2}`,
      Keys: { order_id: { S: 'A' } },
      OldImage,
      NewImage,
    }),
  ),
  streamsRecord({
    eventName: 'REMOVE',
    SequenceNumber: '9',
    Keys: { order_id: { S: 'A' } },
    OldImage: item({ S: 'bob' }),
    NewImage: undefined,
  }),
]

const { actor: _, ...UNCONFIGURED } = tableConfiguration()
const TODAY = tableConfiguration({ actor: ['meta', ODD] })

async function asked<T>(archived: TableConfiguration, ask: (engine: DuckDbEngine) => Promise<T>): Promise<T> {
  const root = temporaryFolder()
  await ingestRecords(root, RECORDS, { configuration: archived })
  const engine = await DuckDbEngine.open(root, [TODAY])
  try {
    return await ask(engine)
  } finally {
    engine.close()
  }
}

const answerOf = (engine: DuckDbEngine, name: string, parameters = {}) =>
  answerQuery(engine, SAVED_QUERIES.get(name) as SavedQuery, TODAY, parameters)

describe('the actor of rows that were made before one was configured', () => {
  it('is taken from the image by the attribute configured today, and marked', async () => {
    const history = await asked(UNCONFIGURED, engine => readHistory(engine, TODAY, '{"order_id":{"S":"A"}}'))
    const who = history.changes.map(({ event_name, actor, actor_source, last_writer }) =>
      [event_name, actor, actor_source, last_writer].join(' '),
    )
    expect(who).toEqual([
      'BASELINE  unknown zoe',
      'INSERT alice new_image_today ',
      'MODIFY 7 new_image_today alice',
      'MODIFY  unknown 7',
      'MODIFY bob new_image_today ',
      'REMOVE  unknown bob',
    ])
  })

  it('is what lists filter and count by, and is what rows would say had it been configured', async () => {
    const lists = async (engine: DuckDbEngine) => {
      const rows = async (name: string, parameters = {}) =>
        [...rowsOf((await answerOf(engine, name, parameters)).table)].map(({ actor_source, ...row }) => row)
      return [
        await rows('changes-by-actor', { actor: 'alice' }),
        await rows('changes-without-actor'),
        await rows('deletions'),
        await rows('mass-changes', { at_least: '1' }),
        await rows('table-as-of', { at: '2026-11-22T10:00:00Z' }),
      ]
    }
    const before = await asked(UNCONFIGURED, lists)
    const ids = (text: string) => text.replaceAll(/"event_id":"\w+"/g, '')
    const shown = (value: unknown) => ids(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? Number(v) : v)))
    expect(shown(before)).toBe(shown(await asked(TODAY, lists)))
    expect(before[0]).toHaveLength(1)
    expect(before[2]).toMatchObject([{ deleted_by: 'not recorded', last_writer: 'bob' }])
  })

  it('is asked for only where rows were made under another configuration', async () => {
    const sqlOf = async (archived: TableConfiguration) =>
      asked(archived, async engine => (await answerOf(engine, 'deletions')).asked.sql)
    expect(await sqlOf(UNCONFIGURED)).toContain('by the attribute configured today: ["meta",')
    expect(await sqlOf(TODAY)).not.toContain('configured today')
  })

  it('leaves a receipt whose statement is known as that of its question', async () => {
    await asked(UNCONFIGURED, async engine => {
      const answer = await answerOf(engine, 'deletions')
      const query = savedQuery('deletions')
      const question = { query: query.name, query_version: queryVersion(query), table: 'Orders', parameters: [] }
      const { sql, placeholders } = answer.asked
      const isOurs = (text: string) => statementIsOurs({ question, statement: { sql: text, placeholders } } as never)
      expect(isOurs(sql)).toBe(true)
      expect(isOurs(sql.replace("'meta'", "'other'"))).toBe(false)
    })
  })
})

describe('the names that answers print', () => {
  it('are those that questions take', async () => {
    await asked(UNCONFIGURED, async engine => {
      for (const actor of ['DynamoDB time to live', 'time to live', 'dynamodb.amazonaws.com']) {
        const { asked: question } = await answerOf(engine, 'changes-by-actor', { actor })
        expect(question.parameters.get('actor')).toBe('dynamodb.amazonaws.com')
      }
    })
  })
})
