import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { describeSystemError } from '../../cli/failures.js'
import { loadCommands } from '../../cli/main.js'
import { MOMENT_FORMS } from '../../queries/moment.js'
import { kinesisDocument, streamsRecord } from '../factories.js'
import { archiveOf, fileOf, linesOf, makeFolder, run } from './command-line.js'

const COMMANDS = await loadCommands()

const order = (id: string) =>
  streamsRecord({ Keys: { order_id: { S: id } }, NewImage: { order_id: { S: id } }, eventID: id })

/** A command that ends with an error says nothing on standard output. */
async function fail(...argv: string[]) {
  const { out, ...ending } = await run(argv)
  expect(out).toBe('')
  return ending
}

describe('an input', () => {
  const folder = makeFolder()
  const root = join(folder, 'archive')
  const ingest = (file: string, ...more: string[]) => run(['ingest', file, '--archive', root, ...more])

  it('that is not there is one clear line, and makes no archive', async () => {
    const missing = join(folder, 'nope.jsonl')
    expect(await fail('ingest', missing, '--archive', root)).toEqual({
      exit: 1,
      err: `itemtrail: ${missing} is not there\n`,
    })
    expect(existsSync(root)).toBe(false)
  })

  it('that is a directory is one clear line', async () => {
    expect(await fail('ingest', folder, '--archive', root)).toEqual({
      exit: 1,
      err: `itemtrail: ${folder} is a directory, expected a file\n`,
    })
  })

  it.runIf(existsSync('/proc/self/mem'))('that cannot be read is one clear line', async () => {
    const { exit, err } = await fail('ingest', '/proc/self/mem', '--archive', root)
    expect([exit, err]).toEqual([1, 'itemtrail: /proc/self/mem cannot be read to its end: EIO: i/o error, read\n'])
  })

  it('that nobody may read is one clear line', () => {
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', path: 'x', syscall: 'open' })
    expect(describeSystemError(denied)).toBe('x may not be read or written: no permission')
    const full = Object.assign(new Error('ENOSPC: no space left'), {
      code: 'ENOSPC',
      path: 'archive',
      syscall: 'write',
    })
    expect(describeSystemError(full)).toBe(
      'archive could not be written: the disk is full; what was archived before is whole',
    )
  })

  it('that is cut gzip is archived as far as it goes, and says how far', async () => {
    const whole = gzipSync(linesOf(Array.from({ length: 2000 }, (_, i) => order(`ORD${i}`))))
    const cut = fileOf('cut.jsonl.gz', whole.subarray(0, whole.length / 2))
    const { exit, err } = await fail('ingest', cut, '--archive', root)
    expect(exit).toBe(1)
    expect(err).toMatch(
      /^itemtrail: .*cut\.jsonl\.gz is not whole gzip: unexpected end of file\n {2}([\d,]+) records before that went in: itemtrail status --archive .*\n$/,
    )
    const archived = Number(/([\d,]+) records/.exec(err)?.[1]?.replace(',', ''))
    const status = await run(['status', '--archive', root, '--format', 'json'])
    expect(JSON.parse(status.out)).toMatchObject({ tables: [{ table: 'Orders', rows: archived }], refused: [] })
  })

  it('that is empty is no error', async () => {
    const empty = fileOf('empty.jsonl', '')
    expect(await ingest(empty)).toEqual({ exit: 0, out: '', err: `${empty} holds no records\n` })
    expect((await run(['ingest', '-', '--archive', root])).err).toBe('standard input holds no records\n')
    expect((await ingest(empty, '--format', 'json')).out).toBe('[]\n')
  })

  it('that holds what is no change record is refused with reasons and counts, and the rest goes in', async () => {
    const records = [
      'not json',
      '"text"',
      '[1, 2]',
      '{"a": 1}',
      '{"eventName": "INSERT"',
      JSON.stringify({ ...order('ORD1'), eventName: 'UPSERT' }),
      JSON.stringify(streamsRecord({ Keys: {}, eventID: 'no keys' })),
      JSON.stringify(order('ORD2')),
      JSON.stringify({ ...kinesisDocument(), tableName: undefined }),
    ]
    const other = join(folder, 'mixed')
    const { exit, out, err } = await run(['ingest', '-', '--archive', other], { stdin: linesOf(records) })
    expect(exit).toBe(1)
    expect(out).toBe(`table       records  rows  refused  objects
(no table)  6        0     6        0
Orders      3        1     2        1
`)
    expect(err).toBe(`
6 refused that name no table, kept under ${other}/refused/:
  1 × record is not a JSON object, it starts with "not json"
  1 × record is not a JSON object, it starts with "\\"text\\""
  1 × record is not a JSON object, it starts with "[1, 2]"
  1 × record is not a change: it has neither "dynamodb" nor "itemtrail"
  1 × record is truncated: its JSON object does not end
  1 × record names no table: it has neither "eventSourceARN" nor "tableName"
--table NAME says whose they are; ingest the file again with it

2 refused of Orders, kept under ${other}/refused/:
  1 × eventName is "UPSERT", expected INSERT, MODIFY or REMOVE
  1 × Keys is {}, expected the item's key attributes
`)
    const status = await run(['status', '--archive', other])
    expect(status.exit).toBe(1)
    expect(status.out).toContain(`8 refused, kept under ${other}/refused/\n`)
    expect(status.out).toContain('  1 × Orders: eventName is "UPSERT", expected INSERT, MODIFY or REMOVE\n')
    expect(status.out).toContain('  1 × no table: record is truncated: its JSON object does not end\n')
  })

  it('with many reasons tells the ten that are most frequent', async () => {
    const records = Array.from({ length: 30 }, (_, i) => ({ ...order(`${i}`), eventName: `E${i % 12}` }))
    const { err } = await run(['ingest', '-', '--archive', join(folder, 'many')], { stdin: linesOf(records) })
    expect(err.match(/ × /g)).toHaveLength(10)
    expect(err).toContain('\n  3 × eventName is "E0"')
    expect(err).toContain(`  and 2 further reasons: itemtrail status --archive ${join(folder, 'many')}\n`)
  })

  it('whose records name no stream takes the one that is told, and else says how to learn it', async () => {
    const record = { ...order('ORD9'), eventSourceARN: undefined }
    const other = join(folder, 'told')
    const arn = 'arn:aws:dynamodb:us-east-1:123456789012:table/Carts/stream/2026-01-01T00:00:00.000'
    const ingest = (...more: string[]) =>
      run(['ingest', '-', '--archive', other, ...more], { stdin: linesOf([record]) })
    const untold = await ingest('--table', 'Carts')
    expect(untold.exit).toBe(1)
    expect(untold.err).toContain(
      '--stream-arn ARN says which stream they are of, and ingest the file again with it; this tells the ARN:\n  aws dynamodbstreams list-streams --table-name Carts\n',
    )
    const { exit, out } = await ingest('--stream-arn', arn)
    expect([exit, out]).toEqual([0, 'table  records  rows  refused  objects\nCarts  1        1     0        1\n'])
    expect((await run(['history', 'Carts', 'ORD9', '--archive', other])).exit).toBe(0)
    const wrong = await ingest('--stream-arn', arn, '--table', 'Orders')
    expect([wrong.exit, wrong.err]).toEqual([2, 'itemtrail: --stream-arn is of table "Carts", --table is "Orders"\n'])
    const noArn = await ingest('--stream-arn', 'Carts')
    expect(noArn.exit).toBe(2)
    expect(noArn.err).toContain('itemtrail: --stream-arn is "Carts", expected arn:aws:dynamodb:')
  })
})

describe('a configuration', () => {
  const folder = makeFolder()
  const wrong = fileOf('wrong.json', '{ "tables": { "Orders": { "sinc": "2026-01-01", "keys": [] } } }')

  it('that is wrong ends with 2 before anything is read, the missing input too', async () => {
    for (const argv of [['ingest', join(folder, 'nope')], ['history', 'Orders', 'x'], ['status']]) {
      const { exit, err } = await fail(...argv, '--archive', join(folder, 'nope'), '--config', wrong)
      expect(exit).toBe(2)
      expect(err).toMatch(/^itemtrail: .*wrong\.json has 2 problems:\n/)
      expect(err).toContain('tables.Orders.sinc is unknown, did you mean "since"?')
    }
    expect(existsSync(join(folder, 'nope'))).toBe(false)
  })

  it('that is not there, a directory or no JSON ends with 2', async () => {
    const missing = join(folder, 'missing.json')
    expect((await fail('status', '--config', missing)).err).toContain(`itemtrail: ${missing}: no such file\n`)
    expect((await fail('status', '--config', folder)).err).toContain(`${folder}: is a directory, expected a JSON file`)
    const broken = await fail('status', '--config', fileOf('broken.json', '{\n  "tables": {,\n}'))
    expect([broken.exit, broken.err]).toEqual([2, expect.stringContaining('line 2, column 14')])
  })

  it('that changes the type of a column ends with 2 before anything is read', async () => {
    const config = (type: string) =>
      fileOf('config.json', JSON.stringify({ tables: { Orders: { columns: { total: type } } } }))
    const root = await archiveOf([order('ORD1')], ['--config', config('string')])
    const { exit, err } = await fail('ingest', join(folder, 'nope'), '--archive', root, '--config', config('bigint'))
    expect(exit).toBe(2)
    expect(err).toContain('column old_total')
    expect(err).toContain('the new one needs a new name')
  })
})

describe('an archive', () => {
  it('that is not there ends with 3 and says how to make one', async () => {
    for (const argv of [
      ['history', 'Orders', 'x'],
      ['as-of', 'Orders', 'now'],
      ['status'],
      ['sql', 'select count(*) from orders'],
    ]) {
      expect(await fail(...argv, '--archive', '/nowhere/at/all')).toEqual({
        exit: 3,
        err: 'itemtrail: archive "/nowhere/at/all" is not there\n  itemtrail ingest FILE makes one, --archive names another\n',
      })
    }
  })

  it('that is a file ends with 2', async () => {
    const file = fileOf('archive', 'text')
    expect(await fail('status', '--archive', file)).toEqual({
      exit: 2,
      err: `itemtrail: archive ${JSON.stringify(file)} is a file, expected a folder\n`,
    })
    expect((await fail('ingest', file, '--archive', file)).exit).toBe(2)
  })

  it('that is empty says so', async () => {
    const root = makeFolder()
    expect((await run(['status', '--archive', root])).out).toBe('the archive is empty\n\n0 refused\n')
    expect((await fail('history', 'Orders', 'x', '--archive', root)).err).toBe(
      'itemtrail: table "Orders" is not in the archive\n  the archive has no table yet\n',
    )
    expect((await fail('query', 'deletions', '--archive', root)).err).toBe(
      'itemtrail: the archive has no table yet\n  itemtrail ingest FILE adds one\n',
    )
  })

  it('with a damaged object answers nothing, names the object and ends with 3', async () => {
    const whole = await archiveOf([order('ORD1')])
    const damage = (part: string) => {
      const root = join(makeFolder(), 'damaged')
      cpSync(whole, root, { recursive: true })
      const object = readdirSync(join(root, part), { recursive: true, withFileTypes: true }).find(entry =>
        entry.isFile(),
      )
      const path = join(object?.parentPath as string, object?.name as string)
      writeFileSync(path, readFileSync(path).subarray(0, 50))
      return [root, object?.name as string] as const
    }
    const [root, name] = damage('data')
    for (const argv of [['history', 'Orders', 'ORD1'], ['status'], ['sql', 'select count(*) from orders']]) {
      const { exit, err } = await run([...argv, '--archive', root])
      expect(exit).toBe(3)
      expect(err).toMatch(/table Orders cannot be read: .*\n/)
      expect(err).toContain(name)
    }
    const [configured] = damage('config')
    expect(await run(['status', '--archive', configured])).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/^config\/Orders\/\w+\.json: is no JSON: .*; it is not believed\n$/),
    })
  })

  it('with a damaged refused object is read for the rest', async () => {
    const root = await archiveOf([order('ORD1')])
    mkdirSync(join(root, 'refused/processing-failed/Orders'), { recursive: true })
    writeFileSync(join(root, 'refused/processing-failed/Orders/object'), 'garbage\n')
    const { exit, out } = await run(['status', '--archive', root])
    expect(exit).toBe(1)
    expect(out).toContain('Orders  1        1 ')
    expect(out).toContain('unreadable refused/processing-failed/Orders/object\n')
  })
})

describe('what people have beside changes', () => {
  it.each([
    [{ Item: { id: { S: '1' } } }, 'is an item of an export, which "itemtrail baseline --export" reads'],
    [{ Items: [], Count: 0 }, 'is the answer to a scan or a query; "itemtrail baseline" reads a table'],
    [
      { requestContext: {}, DDBStreamBatchInfo: { shardId: 's' } },
      'is what Lambda kept of a batch that it gave up, which "itemtrail redrive" reads',
    ],
    [
      { eventVersion: '1.08', eventSource: 'dynamodb.amazonaws.com', eventName: 'PutItem' },
      'is an event of CloudTrail, which holds no images',
    ],
  ])('is refused, and said what it is: %j', async (document, what) => {
    const root = join(makeFolder(), 'archive')
    const { exit, err } = await run(['ingest', '-', '--archive', root], { stdin: JSON.stringify(document) })
    expect([exit, err]).toEqual([1, expect.stringContaining(`record is not a change: it ${what}`)])
  })

  it('goes in, whatever it is wrapped in', async () => {
    const root = join(makeFolder(), 'archive')
    const kinesis = Buffer.from(JSON.stringify(kinesisDocument())).toString('base64')
    const event = { 'detail-type': 'Event from aws:dynamodb', source: 'Pipe p', detail: order('A1') }
    const stdin = linesOf([[order('A2'), order('A3')], event, { Records: [{ kinesis: { data: kinesis } }] }])
    const { exit, out } = await run(['ingest', '-', '--archive', root], { stdin })
    expect([exit, out]).toEqual([0, expect.stringMatching(/Orders +4 +4 +0/)])
  })
})

describe('what is asked for', () => {
  let root: string
  beforeAll(async () => {
    const record = (table: string, Keys: object) =>
      streamsRecord({
        eventSourceARN: `arn:aws:dynamodb:us-east-1:123456789012:table/${table}/stream/x`,
        Keys: Keys as never,
        NewImage: Keys as never,
        eventID: JSON.stringify(Keys),
      })
    root = await archiveOf([
      order('ORD12345'),
      order('ORD12399'),
      record('OrderLines', { order_id: { S: 'ORD1' }, line: { N: '1' } }),
      record('OrderLines', { order_id: { S: 'a,b=c' }, line: { N: '2' } }),
      record('OrderLines', { order_id: { S: 'a,line=7' }, line: { N: '3' } }),
      record('Numbers', { id: { N: '1' } }),
      record('Numbers', { id: { N: '-5' } }),
      record('Numbers', { id: { N: '2.50' } }),
      record('Blobs', { id: { B: 'AQID' } }),
      record('Odd', { id: { S: 'Zoë 🎈' } }),
      record('Odd', { id: { S: 'Zoe\u0308 🎈' } }),
    ])
  })
  const ask = (...argv: string[]) => run([...argv, '--archive', root])
  const failing = async (...argv: string[]) => fail(...argv, '--archive', root)

  it.each([
    ['a table in other case', 'orders', 'ORD12345'],
    ['a composite key', 'OrderLines', 'order_id=ORD1,line=1'],
    ['a composite key, the other way round', 'OrderLines', 'line=1,order_id=ORD1'],
    ['a key with commas and equals signs', 'OrderLines', 'order_id=a,b=c,line=2'],
    ['a key with all of that as JSON', 'OrderLines', '{"order_id":"a,line=7","line":3}'],
    ['a key in DynamoDB JSON', 'OrderLines', '{"order_id":{"S":"a,line=7"},"line":{"N":"3"}}'],
    ['a number typed 1', 'Numbers', '1'],
    ['a number typed 1.0', 'Numbers', '1.0'],
    ['a number typed 01', 'Numbers', '01'],
    ['a number typed 1e0', 'Numbers', '1e0'],
    ['a negative number', 'Numbers', '-5'],
    ['a number stored in another form than DynamoDB has', 'Numbers', '2.50'],
    ['a binary key', 'Blobs', 'AQID'],
    ['a composed letter', 'Odd', 'Zoë 🎈'],
    ['the same letter with a combining mark', 'Odd', 'Zoe\u0308 🎈'],
  ])('is found: %s', async (_, table, key) => {
    const { exit, out } = await ask('history', table, key)
    expect([exit, out]).toEqual([0, expect.stringContaining('  1 change\n')])
  })

  it('may be a key of many forms in a saved query, too', async () => {
    const { out } = await ask('query', 'item-history', 'Numbers', '--param', 'item_key=01', '--format', 'ndjson')
    expect(out.split('\n')).toHaveLength(2)
  })

  it('an item never seen is told apart, with how sure that is and the keys that come near', async () => {
    const NOT_KNOWN =
      'PRE-ARCHIVE: no change of it had come by then and no baseline tells of it, so what it was is not known'
    expect(await failing('history', 'Orders', 'ORD1234')).toEqual({
      exit: 1,
      err: `itemtrail: Orders ORD1234 was never seen: the archive has no change of it\n  ${NOT_KNOWN}\n  did you mean ORD12345 or ORD12399?\n`,
    })
    expect(await failing('as-of', 'Orders', 'something else', 'now')).toEqual({
      exit: 1,
      err: `itemtrail: Orders something else was never seen: the archive has no change of it\n  ${NOT_KNOWN}\n`,
    })
    expect((await failing('diff', 'Orders', 'ORD1234', '--from', '2026-11-01T00:00:00Z')).exit).toBe(1)
  })

  it('an unknown table is told with the nearest names', async () => {
    expect(await failing('history', 'Ordres', 'x')).toEqual({
      exit: 2,
      err: 'itemtrail: table "Ordres" is not in the archive\n  did you mean Orders?\n',
    })
    expect((await failing('as-of', 'Z', 'now')).err).toContain('known: Blobs, Numbers, Odd, OrderLines, Orders\n')
    expect((await failing('query', 'deletions')).err).toContain(
      'itemtrail: table is missing, the archive has 5: Blobs, Numbers, Odd, OrderLines, Orders\n',
    )
  })

  it('a key that does not fit the table is told with the accepted form', async () => {
    expect(await failing('history', 'OrderLines', 'ORD1')).toEqual({
      exit: 2,
      err: 'itemtrail: key "ORD1" does not say line and order_id\n  type it as line=...,order_id=..., or as JSON: {"line":"...","order_id":"..."}\n',
    })
    expect((await failing('history', 'Numbers', 'x')).err).toContain(
      'key.id has N "x", which is no number that DynamoDB has\n',
    )
    expect((await failing('history', 'Blobs', '?')).err).toContain('key.id has B "?", which is not base64\n')
  })

  it.each([
    [['as-of', 'Orders'], 'instant is missing\n  type for example: itemtrail as-of Orders 2026-11-19T12:00:00Z\n'],
    [
      ['as-of', 'Orders', 'ORD12345'],
      'instant is missing after the key "ORD12345"\n  type for example: itemtrail as-of Orders "ORD12345" 2026-11-19T12:00:00Z, or now\n',
    ],
    [
      ['as-of', 'Orders', '2026-11-31'],
      `instant is "2026-11-31", expected ISO 8601 with a zone such as 2026-11-19T12:00:00Z, ${MOMENT_FORMS}\n`,
    ],
    [
      ['as-of', 'Orders', '2026-11-19T12:00:00Z', 'ORD12345'],
      'instant is "ORD12345", the key comes before the instant\n  did you mean: itemtrail as-of Orders "ORD12345" 2026-11-19T12:00:00Z\n',
    ],
    [
      ['as-of', 'Orders', 'ORD12345', '2026-11-19 12:00'],
      `instant is "2026-11-19 12:00", expected ISO 8601 with a zone such as 2026-11-19T12:00Z, ${MOMENT_FORMS}\n`,
    ],
    [
      ['as-of', 'Orders', 'ORD12345', '2026-02-30T00:00:00Z'],
      `instant is "2026-02-30T00:00:00Z", expected ISO 8601 with a zone such as 2026-11-19T12:00:00Z, ${MOMENT_FORMS}\n`,
    ],
    [['diff', 'Orders', 'ORD12345'], '--from is missing, expected an instant such as 2026-11-19T12:00:00Z\n'],
    [['diff', 'Orders', 'ORD12345', '--from', 'x'], '--from is "x", expected ISO 8601 with a zone such as '],
    [
      ['diff', 'Orders', 'ORD12345', '--from', 'now', '--to', '2026-11-19T00:00:00Z'],
      '--from now is after --to 2026-11-19T00:00:00Z\n',
    ],
    [['query', 'deletion', 'Orders'], 'query "deletion" is unknown\n  did you mean deletions?\n'],
    [['query', 'zzzzz', 'Orders'], 'query "zzzzz" is unknown\n  itemtrail queries lists them\n'],
    [
      ['query', 'Orders', 'deletions'],
      'query "Orders" is unknown, the query comes before the table\n  did you mean: itemtrail query deletions Orders\n',
    ],
    [['query', 'deletions', 'Orders', '--param', 'x=1'], 'parameter "x" is unknown, this query has from, to\n'],
    [['query', 'deletions', 'Orders', '--param', 'from'], '--param "from" is not name=value\n'],
    [['query', 'deletions', 'Orders', '--param', 'from=x'], 'parameter from is "x", expected ISO 8601 with a zone'],
    [['query', 'item-history', 'Orders'], 'parameter item_key is missing, give for example item_key=ORD12345\n'],
    [
      ['history', 'Orders', 'x', '--format', 'xml'],
      'format "xml" is unknown, expected table, json, ndjson, csv, parquet, arrow, html, markdown, xlsx\n',
    ],
    [
      ['as-of', 'Orders', 'now', '--format', 'xml'],
      'format "xml" is unknown, expected table, json, ndjson, csv, parquet, arrow, html, markdown, xlsx, dynamodb\n',
    ],
    [['ingest', 'changes.jsonl', '--threads', '65'], '--threads is "65", expected a whole number from 1 to 64\n'],
    [
      ['query', 'hot-items', 'Orders', '--param', 'limit=0'],
      'parameter limit is "0", expected a whole number from 1\n',
    ],
    [
      ['query', 'hot-items', 'Orders', '--param', 'limit=-1'],
      'parameter limit is "-1", expected a whole number from 1\n',
    ],
    [['query', 'hot-items', 'Orders', '--param', 'limit=many'], 'parameter limit is "many", expected a whole number'],
    [
      ['query', 'deletions', 'Orders', '--param', 'from=2026-11-19T12:00:00'],
      `parameter from is "2026-11-19T12:00:00", expected ISO 8601 with a zone such as 2026-11-19T12:00:00Z, ${MOMENT_FORMS}\n`,
    ],
    [['history', 'Orders', 'x', '--engine', 'presto'], 'engine "presto" is unknown, expected duckdb or athena\n'],
    [
      ['history', 'Orders', 'x', '--engine', 'duckdb', '--workgroup', 'w'],
      '--workgroup says where Athena is asked, but the engine is duckdb\n',
    ],
    [
      ['history', 'Orders', 'x', '--engine', 'athena'],
      '--archive names a folder, which Athena does not read\n  leave one of both out\n',
    ],
    [['sql', 'selec 1'], 'statement cannot be run: '],
    [['sql', 'select * from nope'], 'statement cannot be run: Catalog Error: Table with name nope does not exist!'],
    [['sql', ''], 'statement is empty, expected SQL'],
    [['sql', ' ;'], 'statement is empty, expected SQL'],
    [['sql', 'select 1; select 2'], 'statement cannot be run: the text holds 2 statements, expected one'],
  ])('is used wrongly: %j', async (argv, message) => {
    const { exit, err } = await failing(...argv)
    expect(exit).toBe(2)
    expect(err).toContain(`itemtrail: ${message}`)
  })

  it('may be a parameter before the arguments', async () => {
    const argv = ['query', '--param', 'from=2026-11-01T00:00:00Z', '--param', 'to=now', 'deletions', 'Orders']
    expect(await ask(...argv)).toEqual({
      exit: 0,
      out: expect.stringMatching(
        /^nothing was deleted in the period, among 2 changes of 2 items\nUNBROKEN: .*\nBEHIND: .*\nnot shown/,
      ),
      err: '',
    })
  })
})

describe('the command line', () => {
  it.each([
    [['histroy'], "unknown command 'histroy'\n  did you mean history?\n"],
    [['zzz'], "unknown command 'zzz'\n  itemtrail --help lists the commands\n"],
    [
      ['history'],
      "missing required argument 'table'\n  it is used as: itemtrail history <table> <key>; itemtrail history --help tells how it is used\n",
    ],
    [
      ['history', 'a', 'b', 'c'],
      "too many arguments for 'history'. Expected 2 arguments but got 3.\n  a key or a value with blanks stands in quotes\n",
    ],
    [['status', '--archve', 'x'], "unknown option '--archve'\n  did you mean --archive?\n"],
    [
      ['history', 'Orders', '-abc'],
      'unknown option \'-abc\'\n  itemtrail history --help tells how it is used; a key that begins with "-" is typed NAME=-..., NAME being the key attribute\n',
    ],
  ])('says what is wrong with %j', async (argv, message) => {
    expect(await fail(...argv)).toEqual({ exit: 2, err: `itemtrail: ${message}` })
  })

  it('shows help on standard output when asked, on standard error when not', async () => {
    const asked = await run(['--help'])
    expect([asked.exit, asked.err]).toEqual([0, ''])
    const bare = await run([])
    expect([bare.exit, bare.out, bare.err]).toEqual([2, '', asked.out])
    expect(asked.out.split('\n').filter(line => line.length > 80)).toEqual([])
  })

  it('has an example that is true in the help of each command', async () => {
    for (const { usage, example } of COMMANDS) {
      const name = usage.split(' ')[0] as string
      const { exit, out } = await run([name, '--help'])
      expect([name, exit]).toEqual([name, 0])
      expect(out).toContain(`\nExample:\n  ${example}\n`)
      expect(example).toMatch(new RegExp(`^itemtrail ${name}\\b`))
    }
  })

  it('keeps an archive that demo did not make', async () => {
    const root = await archiveOf([order('ORD1')])
    expect(await fail('demo', '--archive', root)).toEqual({
      exit: 2,
      err: `itemtrail: archive ${JSON.stringify(root)} was not made by demo, which would empty it\n  name a folder that is not there yet\n`,
    })
    expect((await run(['history', 'Orders', 'ORD1', '--archive', root])).exit).toBe(0)
  })
})
