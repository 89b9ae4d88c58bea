import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../../library/open-archive.js'
import { answerSql } from '../../../queries/answers/ask.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { QueryError } from '../../../queries/engines/engine.js'
import { checkForeignText } from '../../../queries/engines/foreign-statement.js'
import { ingestRecords, temporaryFolder } from '../../delivery/desk.js'
import { STORY } from '../story.js'

let root: string
let engine: DuckDbEngine
let outside: string
beforeAll(async () => {
  root = temporaryFolder()
  await ingestRecords(root, STORY)
  outside = join(root, '../outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret.csv'), 'a\n1\n')
  mkdirSync(join(root, 'derived'))
  symlinkSync(join(outside, 'secret.csv'), join(root, 'derived/linked.csv'))
  engine = await DuckDbEngine.open(root)
})
afterAll(() => engine.close())

const files = () => [...readdirSync(root, { recursive: true }), ...readdirSync(outside)].sort()

describe('SQL of others', () => {
  it.each([
    'select count(*) from orders',
    'from orders select item_key',
    'with a as (select 1 as x) select x from a, range(3)',
    'values (1)',
    'table orders',
    'describe orders',
    'summarize orders',
    'show tables',
    '(select 1) union all (select 2);',
    "select e'\\'' -- ; select 2",
    "select ';'",
    "select event_time at time zone 'Europe/Berlin' from orders",
    "select json_extract_scalar(new_image, '$.a') from orders",
  ])('is run when it is one query: %s', async sql => {
    await expect(answerSql(engine, sql)).resolves.toBeDefined()
  })

  it.each([
    'select 1; select 2',
    "select e'\\''; drop view orders --'",
    'drop view orders',
    'create or replace view orders as select 1',
    "copy (select 1) to 'data/x.csv'",
    "attach 'derived/x.db'",
    'install httpfs',
    'load httpfs',
    'set threads = 1',
    "pragma enable_profiling='json'",
    'call pragma_version()',
    "export database 'derived/x'",
    "select * from enable_logging('QueryLog', storage := 'file', storage_path := 'derived/log')",
    'select * from "enable_logging"()',
    "select * from QUERY('select 1')",
    "select 1 where exists (select * from query_table('orders'))",
    'select * from arrow_scan(1, 2, 3)',
    "select json(x) from json_execute_serialized_sql('{}') as t(x)",
    "select * from read_csv('../outside/secret.csv')",
    "select (select count(*) from glob('/*'))",
    "select * from 'derived/linked.csv'",
    '',
  ])('is refused when it is anything else: %s', async sql => {
    const before = files()
    await expect(answerSql(engine, sql)).rejects.toThrow(QueryError)
    await expect(answerSql(engine, 'select count(*) as n from orders')).resolves.toMatchObject({ length: 1 })
    expect(files()).toEqual(before)
  })

  it('is held to the same when it streams, and by the library', async () => {
    await using archive = await openArchive(root)
    const read = async () => {
      for await (const _ of archive.stream('drop view orders')) break
    }
    await expect(read()).rejects.toThrow('the statement is no query')
    await expect(archive.sql("select * from read_csv('x')")).rejects.toThrow('calls read_csv')
  })

  it('reaches files where that was said, one statement at a time', async () => {
    await using archive = await openArchive(root, { files: true })
    const path = join(outside, 'secret.csv')
    expect([...(await archive.sql(`select * from '${path}'`))]).toEqual([{ a: 1n }])
    await expect(archive.sql('select 1; select 2')).rejects.toThrow('the text holds 2 statements')
  })
})

describe('the engine', () => {
  const written = () => existsSync(join(outside, 'x.csv'))

  it.each([
    () => `select * from '${outside}/secret.csv'`,
    () => `select * from '${root}/derived/linked.csv'`,
    () => `select * from '${root}/../outside/secret.csv'`,
    () => `copy (select 1) to '${outside}/x.csv'`,
    () => `attach '${outside}/x.db'`,
    () => "select * from glob('/etc/*')",
    () => "select * from 'https://localhost:1/x.parquet'",
    () => 'set enable_external_access = true',
    () => "set allowed_directories = ['/']",
    () => 'install httpfs',
    () => 'load httpfs',
    () => 'install spatial from community',
  ])('cannot be led out of the archive by a statement of its own: %s', async sql => {
    // settings are locked by the first statement of somebody else; these need none
    const fresh = await DuckDbEngine.open(root)
    await expect(fresh.run(sql())).rejects.toThrow(QueryError)
    fresh.close()
    expect(written()).toBe(false)
  })

  it('has its settings locked before somebody else asks it anything', async () => {
    const fresh = await DuckDbEngine.open(root)
    await fresh.run('set threads = 1')
    await Promise.all([1, 2].map(() => fresh.run('select 1', [], { foreign: true })))
    for (const sql of ['set threads = 2', 'set lock_configuration = false', "set memory_limit = '8GB'"])
      await expect(fresh.run(sql)).rejects.toThrow(/lock/i)
    fresh.close()
  })

  it('has all that saved queries need built in', async () => {
    const sql = 'select extension_name from duckdb_extensions() where loaded and installed'
    const names = [...(await answerSqlRows(sql))].map(row => row.extension_name)
    expect(names).toEqual(expect.arrayContaining(['core_functions', 'icu', 'json', 'parquet']))
  })

  const answerSqlRows = async (sql: string) => {
    const wide = await DuckDbEngine.open(root, [], { files: true })
    try {
      return await answerSql(wide, sql)
    } finally {
      wide.close()
    }
  }
})

describe('SQL of others for Athena', () => {
  it.each(['select 1', 'show tables', 'describe orders', 'explain select 1', "select 'a;b' -- ;", '(values 1)'])(
    'is sent when it begins like a question: %s',
    sql => {
      expect(() => checkForeignText(sql)).not.toThrow()
    },
  )

  it.each([
    'drop table orders',
    "unload (select 1) to 's3://x/'",
    'select 1; drop table orders',
    'create table a as select 1',
  ])('is not sent when it is anything else: %s', sql => {
    expect(() => checkForeignText(sql)).toThrow(QueryError)
  })
})
