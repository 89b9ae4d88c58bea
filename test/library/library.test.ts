import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFolderKeys } from '../../erasure/folder-keys.js'
import { ArchiveError, DuckDbEngine, openArchive, ParameterError, QueryError } from '../../index.js'
import type { OpenArchive } from '../../library/archive.js'
import { makeFolder, ORDERS, ORDERS_CONFIG, run } from '../cli/command-line.js'
import { ingestRecords, temporaryFolder } from '../delivery/desk.js'
import { streamsRecord, tableConfiguration } from '../factories.js'
import { change, keyOf, microseconds, STORY, STORY_TABLE } from '../queries/story.js'

const PACKAGE = join(import.meta.dirname, '../..')

let root: string
let archive: OpenArchive
beforeAll(async () => {
  root = temporaryFolder()
  await ingestRecords(root, STORY, { configuration: STORY_TABLE })
  archive = await openArchive(root)
})
afterAll(() => archive.close())

describe('an open archive', () => {
  it('tells its tables, each in any case', () => {
    expect(archive.tables()).toEqual(['Orders'])
    expect(archive.table('orders').columns.map(({ column }) => column)).toEqual(['status', 'total'])
  })

  it('tells what happened to an item, oldest first', async () => {
    const { table, key, changes, confidence } = await archive.history('Orders', 'B')
    expect({ table, key, confidence }).toEqual({
      table: 'Orders',
      key: { order_id: { S: 'B' } },
      confidence: 'UNBROKEN',
    })
    expect(changes).toMatchObject([
      {
        eventName: 'INSERT',
        time: '2026-11-20T11:00:00Z',
        timeUs: Number(microseconds('20T11:00:00')),
        precision: 's',
        actor: 'alice',
        before: null,
        after: { order_id: { S: 'B' }, status: { S: 'PENDING' } },
        ordered: true,
      },
      { eventName: 'REMOVE', actor: 'dynamodb.amazonaws.com', userIdentity: { type: 'Service' }, after: null },
    ])
  })

  it('tells what an item was, whichever way the moment is said', async () => {
    const us = microseconds('20T12:30:00')
    for (const at of ['2026-11-20T12:30:00Z', '2026-11-20T12:30Z', new Date(Number(us / 1000n)), us, Number(us)]) {
      expect(await archive.asOf('orders', 'A', at)).toMatchObject({
        at: '2026-11-20T12:30:00.000000Z',
        state: 'present',
        item: { status: { S: 'PROCESSING' }, total: { N: '50' } },
        confidence: 'UNBROKEN',
        change: { eventName: 'MODIFY', actor: 'bob' },
        next: { actor: 'dora' },
        beforeArchive: false,
      })
    }
    const later = await archive.asOf('Orders', 'B', '2026-11-22T00:00:00Z')
    expect(later).toMatchObject({ state: 'deleted', item: null, imageHash: null })
    expect(later.next).toBeUndefined()
  })

  it('takes an item that it never saw for one that may be older than itself', async () => {
    const nothing = await archive.history('Orders', 'none')
    expect(nothing).toMatchObject({ changes: [], confidence: 'PRE-ARCHIVE' })
    const then = await archive.asOf('Orders', 'none', '2026-11-20T12:30:00Z')
    expect(then).toMatchObject({ state: 'not there yet', confidence: 'PRE-ARCHIVE', item: null })
  })

  it('tells what differs between two moments', async () => {
    const span = { from: '2026-11-20T10:30:00Z', to: '2026-11-21T01:00:00Z' }
    const { before, after, changes, differences, confidence } = await archive.diff('Orders', 'A', span)
    expect([before.state, after.state, changes, confidence]).toEqual(['present', 'present', 2, 'UNBROKEN'])
    expect(differences?.map(({ kind, path }) => [kind, path[0]])).toEqual([
      ['added', { name: 'note' }],
      ['changed', { name: 'status' }],
      ['changed', { name: 'updated_by' }],
    ])
    expect((await archive.diff('Orders', 'A', { from: '2026-11-20T10:30:00Z' })).after.state).not.toBe('unknown')
  })

  it('compares nothing with what it does not know', async () => {
    const folder = temporaryFolder()
    const records = [change('A', '20T10:00:00', { n: { N: '1' } }, { n: { N: '2' } })]
    await ingestRecords(folder, records)
    const other = await openArchive(folder)
    const found = await other.diff('Orders', 'A', { from: '2026-11-19T00:00:00Z', to: '2026-11-21T00:00:00Z' })
    expect([found.before.state, found.after.state, found.differences]).toEqual(['unknown', 'present', undefined])
    await other.close()
  })

  it('gives a whole table item by item, and answers other questions meanwhile', async () => {
    const found: [unknown, string, unknown][] = []
    for await (const { key, state, item } of archive.tableAsOf('Orders', '2026-11-20T12:30:00Z')) {
      const alone = await archive.asOf('Orders', key as never, '2026-11-20T12:30:00Z')
      expect(alone.item).toEqual(item)
      found.push([key.order_id, state, item?.status])
    }
    expect(found).toEqual([
      [{ S: 'A' }, 'present', { S: 'PROCESSING' }],
      [{ S: 'B' }, 'present', { S: 'PENDING' }],
    ])
  })

  it('asks saved queries, with keys, moments and numbers as a program has them', async () => {
    const blame = await archive.run('blame', 'Orders', { item_key: 'A', at: new Date('2026-11-20T13:00:00Z') })
    expect((await archive.run('changes-between', 'Orders', { from: '2026-11-20', to: 'now' })).length).toBeGreaterThan(
      0,
    )
    expect(blame.length).toBeGreaterThan(0)
    expect(blame.asked).toMatchObject({ query: 'blame', table: 'Orders' })
    expect(blame.asked.parameters.get('item_key')).toBe(keyOf('A'))
    expect(blame.asked.parameters.get('at')).toBe('2026-11-20T13:00:00.000000Z')
    const hot = await archive.run('hot-items', 'Orders', { limit: 1 })
    expect([...hot].map(row => row.item_key)).toEqual([keyOf('A')])
    const byColumn = await archive.run('items-as-of', 'Orders', {
      column: 'status',
      value: 'PENDING',
      at: '2026-11-20T11:00:00Z',
    })
    expect(byColumn.asked.parameters.get('column')).toBe('status')
    expect(byColumn.length).toBe(2)
  })

  it('runs SQL, its answer as an Arrow table and as rows', async () => {
    const answer = await archive.sql(
      'select event_id, total from (select event_id, new_total as total from orders) where total = ?',
      [50],
    )
    expect(answer.columns).toEqual(['event_id', 'total'])
    expect(answer.table.numRows).toBe(answer.length)
    const rows = [...answer.rows()]
    expect(rows[0]).toMatchObject({ total: '50.00' })
    const again: unknown[] = []
    for await (const row of answer) again.push(row)
    expect(again).toEqual(rows)
    expect([...answer]).toEqual(rows)
  })

  it('takes values as values, whatever they look like', async () => {
    for (const value of ["' OR 1=1 --", 'a\nb', '\0', "'; drop view orders; --", 'x'.repeat(100_000)]) {
      expect((await archive.sql('select ? as v from orders limit 1', [value])).rows().next().value).toEqual({
        v: value,
      })
      expect((await archive.history('Orders', value)).changes).toEqual([])
    }
  })

  it('streams large answers, the settings of its SQL among them', async () => {
    const sql = 'select i, 7 / 2 as half, cast(from_iso8601_timestamp(?) as varchar) as t from range(10000) as r(i)'
    let [rows, first] = [0, undefined as unknown]
    for await (const row of archive.stream(sql, ['2026-11-20T00:00:00+02:00'])) {
      first ??= row
      rows++
      if (rows === 5000) await archive.sql('select 1')
    }
    expect(rows).toBe(10_000)
    expect(first).toEqual({ i: 0n, half: 3, t: '2026-11-19 22:00:00+00' })
    for await (const _ of archive.stream('select * from range(10000)')) break
  })

  it('streams from an engine that cannot, and asks one that it was given', async () => {
    const duckDb = await DuckDbEngine.open(root, [STORY_TABLE])
    const other = await openArchive({
      engine: { run: (...question) => duckDb.run(...question), close: () => duckDb.close() },
      tables: ['Orders'],
    })
    const states: string[] = []
    for await (const { state } of other.tableAsOf('Orders', '2026-11-20T12:30:00Z')) states.push(state)
    expect(states).toEqual(['present', 'present'])
    expect((await other.history('Orders', 'B')).changes).toHaveLength(2)
    await other[Symbol.asyncDispose]()
    await expect(other.sql('select 1')).rejects.toThrow()
  })

  it('ends a statement at its signal', async () => {
    const signal = AbortSignal.timeout(50)
    const long = 'select count(*) from range(100000000000) as a(i) where i % 7 = 3 and hash(i) = 1'
    await expect(archive.sql(long, [], { signal })).rejects.toBeInstanceOf(QueryError)
    const stream = archive.stream(long, [], { signal: AbortSignal.timeout(50) })
    await expect(stream.next()).rejects.toThrow('the statement was stopped')
    expect((await archive.sql('select 1 as n')).length).toBe(1)
  })
})

describe('keys', () => {
  it.each([
    ['a simple key as text', { id: { S: 'id=a,b' } }, 'id=a,b'],
    ['a text that looks like JSON', { id: { S: '{"id":"x"}' } }, '{"id":"x"}'],
    ['a plain object', { id: { S: 'x' } }, { id: 'x' }],
    ['DynamoDB JSON', { id: { S: 'x' } }, { id: { S: 'x' } }],
    ['two attributes', { pk: { S: 'a' }, sk: { N: '7' } }, { sk: 7, pk: 'a' }],
    ['a bigint', { id: { N: '12345678901234567890' } }, { id: 12345678901234567890n }],
    ['a number as text', { id: { N: '7' } }, '7'],
    ['a number in other words', { id: { N: '7' } }, '7.0'],
    ['bytes', { id: { B: 'AQID' } }, { id: new Uint8Array([1, 2, 3]) }],
    ['a whole item', { id: { S: 'x' } }, { id: 'x', total: 3 }],
  ])('may be %s', async (_, Keys, key) => {
    const folder = temporaryFolder()
    await ingestRecords(folder, [streamsRecord({ Keys, NewImage: Keys })], {
      configuration: tableConfiguration({ keys: [] }),
    })
    const other = await openArchive(folder)
    expect((await other.history('Orders', key)).changes).toHaveLength(1)
    await other.close()
  })
})

describe('what is asked wrongly', () => {
  const wrong: readonly (readonly [
    string,
    (archive: OpenArchive) => Promise<unknown>,
    abstract new (...args: never[]) => Error,
    string,
  ])[] = [
    [
      'a table',
      a => a.history('Invoices', 'A'),
      ArchiveError,
      'table "Invoices" is not in the archive, which has Orders',
    ],
    [
      'a saved query',
      a => a.run('nothing' as 'deletions', 'Orders'),
      ArchiveError,
      'query "nothing" is unknown, expected one of',
    ],
    ['a moment without a zone', a => a.asOf('Orders', 'A', '2026-11-20T10:00'), ParameterError, 'expected ISO 8601'],
    ['milliseconds', a => a.asOf('Orders', 'A', 1_790_000_000_000), ParameterError, 'expected microseconds since 1970'],
    ['no date', a => a.asOf('Orders', 'A', new Date('x')), ParameterError, 'instant is Invalid Date'],
    ['a key without its attribute', a => a.history('Orders', { id: 'A' }), ParameterError, 'has no order_id, expected'],
    ['a key that is none', a => a.history('Orders', 7 as never), ParameterError, 'key 7 does not say order_id'],
    [
      'a key of no type',
      a => a.history('Orders', { order_id: {} as never }),
      ParameterError,
      'key.order_id has 0 types',
    ],
    [
      'a period that runs backwards',
      a => a.diff('Orders', 'A', { from: '2026-11-21T00:00:00Z', to: '2026-11-20T00:00:00Z' }),
      ParameterError,
      'which is after to',
    ],
    // @ts-expect-error the compiler knows the parameters, too
    ['a parameter', a => a.run('hot-items', 'Orders', { limt: 3 }), ParameterError, 'parameter "limt" is unknown'],
    ['a value', a => a.run('hot-items', 'Orders', { limit: 0 }), ParameterError, 'expected a whole number from 1'],
    ['a type', a => a.run('hot-items', 'Orders', { limit: null as never }), ParameterError, 'is of type null'],
    ['SQL', a => a.sql('selct 1'), QueryError, 'syntax error'],
  ]
  it.each(wrong)('is refused with the reason: %s', async (_, ask, type, message) => {
    const error = await ask(archive).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(type)
    expect((error as Error).message).toContain(message)
  })

  it('is refused for an archive that is not there, is a file, or is damaged', async () => {
    await expect(openArchive(join(root, 'none'))).rejects.toThrow('is not there, expected a folder')
    await expect(openArchive(ORDERS_CONFIG)).rejects.toBeInstanceOf(ArchiveError)
    const damaged = temporaryFolder()
    mkdirSync(join(damaged, 'data/Orders/event_date=2026-11-20'), { recursive: true })
    writeFileSync(join(damaged, 'data/Orders/event_date=2026-11-20/x.parquet'), 'no Parquet')
    await using archive = await openArchive(damaged)
    await expect(archive.history('Orders', 'ORD1')).rejects.toThrow(/table Orders cannot be read: .*x\.parquet/)
  })
})

describe('docs/library.md and docs/receipts.md', () => {
  const texts = ['library', 'receipts'].map(name => readFileSync(join(PACKAGE, `docs/${name}.md`), 'utf8'))
  const blocks = texts.flatMap(text => [...text.matchAll(/^```ts\n(.*?)^```/gms)])
  let folder: string
  beforeAll(async () => {
    folder = makeFolder()
    const { exit } = await run(['ingest', ORDERS, '--config', ORDERS_CONFIG, '--archive', join(folder, 'archive')])
    expect(exit).toBe(0)
    copyFileSync(ORDERS_CONFIG, join(folder, 'itemtrail.config.json'))
    createFolderKeys(join(folder, 'keys'))
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(PACKAGE, join(folder, 'node_modules/itemtrail'), 'junction')
  })

  const outputs = [
    /^2026-11-18T09:14:07Z INSERT .*\n(.*\n)*UNBROKEN\n$/,
    /^\{"order_id":\{"S":"ORD10150"\}\} SHIPPED PICKED\n$/,
    /^\[ 'Orders' \]\n$/,
    /^\{\n {2}M: \{\n(.*\n)*\}\n$/,
    /^UNBROKEN \{ S: '\w+' \} \{ N: '[\d.]+' \} \S+\n\d+ changes\n(.*\n)*changed status .*\n(.*\n)*11 of 11 alice@ops\.example [0-9a-f]{64} no journal\n(\{ S: 'ORD1000\d' \} \w+ \d+\n){3}shipping\.last_scan \S+ \S+\n\d+ items\n$/,
    /^17 event_time\n(\S+ .+\n){17}UNBROKEN false 42 0\nBigInt64Array\(\d\) \[ .* \]\n\d+\n$/,
    /^\d+ \d+ \S+ \S+\n\d+ unbroken\n\d+ rows\n\{"order_id":\{"S":"ORD12345"\}\} different\n$/,
    /^instant is "2026-11-19 12:00", expected ISO 8601 with a zone such as 2026-11-19T12:00:00Z, a day .*\n$/,
    /^17 \d+ same\n$/,
  ]

  it('has examples, each with what it must print', () => {
    expect(blocks).toHaveLength(outputs.length)
    expect(existsSync(join(PACKAGE, 'dist/index.js')), 'npm run build comes first').toBe(true)
  })

  it('compiles each as strict TypeScript and runs it, as a program that imports the package', async () => {
    for (const [i, [, code]] of blocks.entries()) writeFileSync(join(folder, `${i}.mts`), code as string)
    const options = { strict: true, module: 'nodenext', target: 'es2022', lib: ['es2022'], skipLibCheck: true }
    const types = { types: ['node'], typeRoots: [join(PACKAGE, 'node_modules/@types')] }
    const files = blocks.map((_, i) => `${i}.mts`)
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...options, ...types }, files }))
    const runFile = async (...argv: readonly string[]) =>
      (await promisify(execFile)(process.execPath, argv, { cwd: folder }).catch(told => told)).stdout as string
    expect(await runFile(join(PACKAGE, 'node_modules/typescript/bin/tsc'), '-p', '.')).toBe('')
    const printed = await Promise.all(blocks.map((_, i) => runFile(`${i}.mjs`)))
    for (const [i, output] of outputs.entries()) expect(printed[i]).toMatch(output)
  })
})
