import { cpSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { askQuery } from '../../../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery, savedQuery } from '../../../queries/catalog.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { type QueryEngine, QueryError } from '../../../queries/engines/engine.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { anyItemKey, similarItemKeys } from '../../../queries/known-keys.js'
import { DiskArchive } from '../../../store/folder.js'
import { keptConfigurations } from '../../../store/kept-configurations.js'
import { tablesOf } from '../../../store/table-objects.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { askSql, ingestRecords, temporaryFolder } from '../../delivery/desk.js'
import { kinesisDocument, streamsRecord, tableConfiguration } from '../../factories.js'
import { wrongHashes } from '../../transform/second-implementation.js'
import { change, keyOf, STORY, STORY_TABLE } from '../story.js'

async function withEngine<T>(
  root: string,
  tables: readonly TableConfiguration[],
  ask: (engine: DuckDbEngine) => Promise<T>,
): Promise<T> {
  const engine = await DuckDbEngine.open(root, tables)
  try {
    return await ask(engine)
  } finally {
    engine.close()
  }
}

describe('an archive in a folder', () => {
  const NAMES = [`it's a [x] br[a-c]k st*r q? {a,b} größe 文 😀 "$HOME" %41`, '**', 'back\\slash']

  for (const name of NAMES) {
    it(`called ${name} works`, async () => {
      const root = temporaryFolder(name)
      await ingestRecords(root, STORY)
      const [row] = await askSql(
        root,
        'select count(*) as n, min(event_date) as first, max(event_date) as last from orders',
      )
      expect(row).toEqual({ n: 9n, first: '2026-11-20', last: '2026-11-21' })
    })
  }

  it('is not mistaken for its neighbours, whose names its own would match as a pattern', async () => {
    const root = temporaryFolder('st*r')
    await ingestRecords(root, STORY)
    const [name] = readdirSync(join(root, 'data/Orders/event_date=2026-11-20'))
    const neighbour = join(root, '..', 'stxr')
    cpSync(root, neighbour, { recursive: true })
    expect(name).toBeDefined()
    expect(await askSql(root, 'select count(*) as n from orders')).toEqual([{ n: 9n }])
  })

  it('takes no column from the folders above it, neither when it is written nor when it is read', async () => {
    for (const name of ['region=mars', 'event_date=1999-01-01']) {
      const root = temporaryFolder(name)
      await ingestRecords(root, STORY)
      const rows = await askSql(root, 'select * from orders order by event_time_us')
      expect(new Set(rows.map(row => row.region))).toEqual(new Set(['us-east-1']))
      expect(new Set(rows.map(row => row.table_name))).toEqual(new Set(['Orders']))
      expect(rows[0]?.event_date).toBe('2026-11-20')
      const columns = (row: object) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
      expect(rows.flatMap(row => wrongHashes(columns(row)))).toEqual([])
    }
  })

  it('may have moved since it was written', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, STORY)
    const moved = join(root, '..', 'moved to [elsewhere]')
    renameSync(root, moved)
    expect(await askSql(moved, 'select count(*) as n from orders')).toEqual([{ n: 9n }])
  })

  it('may be empty, or not be there', async () => {
    const root = temporaryFolder()
    for (const folder of [root, join(root, 'none')]) {
      expect(await tablesOf(new DiskArchive(folder))).toEqual([])
      expect(await keptConfigurations(new DiskArchive(folder), 'Orders')).toEqual([])
      expect(await askSql(folder, 'select count(*) as n from orders')).toEqual([{ n: 0n }])
    }
  })

  it('holds what Athena sees and no more: names that begin with "_" or "." are passed over', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, STORY)
    const folder = join(root, 'data/Orders/event_date=2026-11-20')
    for (const name of ['_temporary.parquet', '.hidden.parquet', 'notes.txt'])
      writeFileSync(join(folder, name), 'no Parquet')
    mkdirSync(join(root, 'data/Orders/event_date=2026-11-19'))
    expect(await askSql(root, 'select count(*) as n from orders')).toEqual([{ n: 9n }])
  })

  it('keeps its tables apart, whatever they are called', async () => {
    const root = temporaryFolder()
    const named = (table: string) =>
      streamsRecord({ eventSourceARN: `arn:aws:dynamodb:us-east-1:1:table/${table}/stream/2026` })
    await ingestRecords(root, [named('My-Table.v2'), named('my_orders'), named('my_orders')])
    expect(await tablesOf(new DiskArchive(root))).toEqual(['My-Table.v2', 'my_orders'])
    expect(await askSql(root, 'select count(*) as n from my_table_v2')).toEqual([{ n: 1n }])
    expect(await askSql(root, 'select count(*) as n from my_orders')).toEqual([{ n: 1n }])
    expect(await askSql(root, 'select count(*) as n from my_orders_deliveries')).toEqual([{ n: 2n }])
  })
})

it('gives a column the name that a statement says, also that of a prototype', async () => {
  const root = temporaryFolder()
  await ingestRecords(root, STORY)
  const [row] = await askSql(root, `select 1 as "__proto__", 2 as "constructor"`)
  expect(Object.entries(row as object)).toEqual([
    ['__proto__', 1],
    ['constructor', 2],
  ])
})

describe('columns of an archive', () => {
  const column = (name: string) => ({ column: name, path: [name], type: 'string' as const })
  const earlier = tableConfiguration({ columns: [column('status')] })
  const later = tableConfiguration({ columns: [column('city')] })
  const root = temporaryFolder()
  beforeAll(async () => {
    const attributes = { status: { S: 'NEW' }, city: { S: 'Köln' } }
    await ingestRecords(root, [change('A', '20T10:00:00', undefined, attributes)], { configuration: earlier })
    await ingestRecords(root, [change('B', '21T10:00:00', undefined, attributes)], { configuration: later })
  })

  it('are those of every configuration that it was written under, null where a row has none', async () => {
    const rows = await withEngine(root, [], async engine => [
      ...rowsOf(await engine.run('select new_status, new_city, key_order_id from orders order by event_time_us')),
    ])
    expect(rows).toEqual([
      { new_status: 'NEW', new_city: null, key_order_id: 'A' },
      { new_status: null, new_city: 'Köln', key_order_id: 'B' },
    ])
  })

  it('include configured ones that no row has filled yet', async () => {
    const newest = tableConfiguration({ columns: [{ column: 'total', path: ['total'], type: 'decimal(12,2)' }] })
    const table = await withEngine(root, [newest], engine => engine.run('select new_total, new_status from orders'))
    expect(table.schema.fields.map(field => [field.name, String(field.type)])).toEqual([
      ['new_total', 'Decimal[12e+2]'],
      ['new_status', 'Utf8'],
    ])
  })

  it('are kept as configurations beside the rows', async () => {
    const versions = await keptConfigurations(new DiskArchive(root), 'Orders')
    const kept = versions.map(table => table.columns.map(({ column }) => column))
    expect(kept.flat().sort()).toEqual(['city', 'status'])
  })
})

describe('a statement', () => {
  const root = temporaryFolder()
  beforeAll(async () => {
    await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  })

  it('that fails tells so in the words of the engine', async () => {
    await expect(askSql(root, 'select nothing from orders')).rejects.toThrow(QueryError)
    await expect(askSql(root, 'select nothing from orders')).rejects.toThrow('nothing')
    await expect(askSql(root, 'select ? + 1', ['x'])).rejects.toThrow(QueryError)
  })

  it('takes values as values, whatever they look like', async () => {
    for (const odd of [
      "' or '1'='1",
      '?',
      '$1',
      ':at',
      '{changes}',
      "'; drop view orders; --",
      '\\',
      '\0',
      '%',
      '😀',
    ]) {
      expect(await askSql(root, 'select ? as v, count(*) as n from orders where item_key = ?', [odd, odd])).toEqual([
        { v: odd, n: 0n },
      ])
    }
  })

  it('finds keys that are like one that is not there', async () => {
    await withEngine(root, [STORY_TABLE], async engine => {
      expect(await similarItemKeys(engine, STORY_TABLE, keyOf('AA'))).toEqual([keyOf('A'), keyOf('B'), keyOf('C')])
      expect(await similarItemKeys(engine, STORY_TABLE, keyOf('far from any of them'))).toEqual([])
      expect(JSON.parse((await anyItemKey(engine, STORY_TABLE)) ?? '')).toHaveProperty('order_id')
    })
    const none = await withEngine(temporaryFolder(), [STORY_TABLE], engine => anyItemKey(engine, STORY_TABLE))
    expect(none).toBeUndefined()
  })
})

describe('a question about a period', () => {
  const DAYS = 12
  const days = Array.from({ length: DAYS }, (_, i) => String(10 + i))
  // where nobody is named at all, a question about people opens nothing
  const after = (day: string) => ({ day: { S: day }, updated_by: { S: 'alice' } })
  const changes = days.map(day => change('A', `${day}T12:00:00`, undefined, after(day)))
  const timeless = kinesisDocument({ ApproximateCreationDateTime: undefined })
  const period = { from: '2026-11-14T00:00:00Z', to: '2026-11-15T00:00:00Z', at: '2026-11-12T23:59:59.999999Z' }

  /** Objects that a saved query opens for their rows, each time that it scans the archive. */
  async function objectsRead(engine: DuckDbEngine, query: SavedQuery): Promise<readonly number[]> {
    const read: number[] = []
    const explained: QueryEngine = {
      close: () => {},
      run: async (sql, values) => {
        const table = await engine.run(`explain (analyze, format json) ${sql}`, values)
        const plan = [...rowsOf(table)].map(row => row.explain_value).join('')
        for (const [, files] of plan.matchAll(/"Total Files Read":\s*"(\d+)"/g)) read.push(Number(files))
        return table
      },
    }
    const known: Readonly<Record<string, string>> = { item_key: keyOf('A'), allowed: '[]', ...period }
    const given = query.parameters
      .filter(({ preset }) => preset !== 'facts')
      .map(({ name, example }) => [name, known[name] ?? example])
    const column = query.asksForColumn ? { column: 'status' } : {}
    await askQuery(explained, query, STORY_TABLE, { ...Object.fromEntries(given), ...column })
    return read
  }

  it('opens no object of another day', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, changes, { configuration: STORY_TABLE })
    await withEngine(root, [STORY_TABLE], async engine => {
      for (const query of SAVED_QUERIES.values()) {
        const names = query.parameters.map(({ name }) => name)
        // a question about a state, or about steps, needs what led there: all days up to it
        const looksBack = !/event_date >= /.test(query.template)
        // the changes of a day more tell whether a baseline was ahead, and what else a call can have been for
        const more = Number(query.days.dayBefore) + Number(query.days.dayAfter)
        const most = more + (names.includes('at') ? 3 : names.includes('to') ? (looksBack ? 6 : 2) : DAYS)
        const [read, ...again] = await objectsRead(engine, query)
        expect(again, query.name).toEqual([])
        expect(read, query.name).toBeGreaterThan(0)
        expect(read, query.name).toBeLessThanOrEqual(most)
      }
    })
  })

  it('opens no object of another day for changes that have a time, where others have none', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, [...changes, timeless])
    await withEngine(root, [STORY_TABLE], async engine => {
      const between = savedQuery('changes-between')
      // those without a time may lie in any partition, and are looked for in a scan of their own
      const [least, ...others] = (await objectsRead(engine, between)).toSorted((a, b) => a - b)
      expect(least).toBeLessThanOrEqual(2)
      expect(others.length).toBeLessThanOrEqual(1)
      const answer = await engine.run('select count(*) as n from orders')
      expect([...rowsOf(answer)]).toEqual([{ n: BigInt(DAYS + 1) }])
    })
  })
})

const MORE_MEMORY = '--memory SIZE (of the library: memory) lets it hold more, such as 4GB'

describe('memory', () => {
  const SORTED =
    'select max(p) as most from (select row_number() over (order by hash(i)) as p from range(1000000) as t(i))'
  const withMemory = async <T>(ask: (engine: DuckDbEngine) => Promise<T>) => {
    const engine = await DuckDbEngine.open(temporaryFolder(), [], { memory: '40MB', files: true })
    return ask(engine).finally(() => engine.close())
  }
  const folders = () => readdirSync(tmpdir()).filter(name => name.startsWith(`itemtrail-memory-${process.pid}-`))

  it('answers what does not fit in it by a folder, which is gone afterwards', async () => {
    const before = folders()
    await withMemory(async engine => {
      expect(folders().length).toBe(before.length + 1)
      expect([...rowsOf(await engine.run(SORTED))]).toEqual([{ most: 1000000n }])
    })
    expect(folders()).toEqual(before)
  })

  it('takes memory that is too little even for a look at the archive for that, and not for damage', async () => {
    const root = temporaryFolder()
    await ingestRecords(root, [streamsRecord({})])
    // with much less DuckDB sometimes cannot even be opened: a thread of its own may take 36 KiB for a macro meanwhile
    const engine = await DuckDbEngine.open(root, [tableConfiguration()], { memory: '64KB' })
    const tooLittle = {
      message: expect.stringMatching(/^table Orders cannot be read: Out of Memory Error: .*\/62\.5 KiB used\)$/),
      hint: MORE_MEMORY,
    }
    for (const foreign of [false, true])
      await expect(engine.run('select * from orders', [], { foreign })).rejects.toMatchObject(tooLittle)
    engine.close()
  })

  it('takes memory that is too little for being opened for that', async () => {
    const trail = temporaryFolder()
    writeFileSync(join(trail, 'calls.json'), JSON.stringify({ Records: [] }))
    const opening = DuckDbEngine.open(temporaryFolder(), [], { cloudtrail: trail, memory: '64KB' })
    await expect(opening).rejects.toMatchObject({
      name: 'QueryError',
      message: expect.stringMatching(/^Out of Memory Error: .*\/62\.5 KiB used\)$/),
      hint: MORE_MEMORY,
    })
  })

  it('says in a sentence that the disk is full, or the memory too little, and what to do', async () => {
    await withMemory(async engine => {
      await expect(engine.run('select list(i) as all_of_it from range(20000000) as t(i)')).rejects.toMatchObject({
        message: expect.stringMatching(/^Out of Memory Error: .*$/),
        hint: MORE_MEMORY,
      })
      await engine.run("set max_temp_directory_size = '1MB'")
      await expect(engine.run(SORTED)).rejects.toMatchObject({
        message: expect.stringMatching(
          /^the disk of .*itemtrail-memory-.* is full, which takes what does not fit in memory$/,
        ),
        hint: expect.stringContaining('TMPDIR names another place for it'),
      })
    })
  })
})
