import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { checkConfiguration, readConfiguration } from '../../config/configuration.js'
import { baselineDocument, CHANGED_AT, kinesisDocument, streamsRecord } from '../factories.js'
import { fileOf, linesOf, makeFolder, ORDERS, run } from './command-line.js'

const arn = (table: string) => `arn:aws:dynamodb:us-east-1:123456789012:table/${table}/stream/x`
const DAY = 24 * 60 * 60

const SAMPLE = linesOf([
  baselineDocument({ table: 'Carts' }),
  streamsRecord({ eventSourceARN: arn('Orders') }),
  streamsRecord({ eventSourceARN: arn('Orders'), ApproximateCreationDateTime: CHANGED_AT - 3 * DAY, eventID: 'b' }),
  'no record',
  streamsRecord({
    eventSourceARN: arn('Carts'),
    Keys: { sk: { N: '1' }, PK: { S: 'a' } },
    NewImage: { sk: { N: '1' }, PK: { S: 'a' } },
  }),
  kinesisDocument({ tableName: 'Sessions' }),
])

describe('init', () => {
  const folder = makeFolder()
  const newFile = () => join(makeFolder(), 'new.json')

  it('writes the tables, keys and columns of a sample, and says what since means', async () => {
    const output = newFile()
    const ending = await run(['init', '-', '--output', output], { stdin: SAMPLE })
    expect(ending).toEqual({
      exit: 0,
      out: '',
      err: `Carts: keys sk, PK (2 records), since 2026-11-22: earlier changes will be refused
  order_id  string  1 value
  status    string  1 value
Orders: keys order_id (2 records), since 2026-11-19: earlier changes will be refused
  status  string  2 values
Sessions: keys order_id (1 record), since 2026-11-22: earlier changes will be refused
  status  string  1 value
wrote ${output}
`,
    })
    expect(JSON.parse(readFileSync(output, 'utf8'))).toEqual({
      $schema: './node_modules/itemtrail/docs/itemtrail.schema.json',
      tables: {
        Carts: {
          capture: 'streams',
          since: '2026-11-22',
          keys: ['sk', 'PK'],
          columns: { order_id: 'string', status: 'string' },
        },
        Orders: { capture: 'streams', since: '2026-11-19', keys: ['order_id'], columns: { status: 'string' } },
        Sessions: { capture: 'kinesis', since: '2026-11-22', keys: ['order_id'], columns: { status: 'string' } },
      },
    })
  })

  it('writes what a following ingest of the sample takes', async () => {
    const output = newFile()
    const sample = fileOf('sample.jsonl.gz', gzipSync(SAMPLE))
    await run(['init', sample, '--output', output])
    const root = join(folder, 'archive')
    const { exit, out } = await run(['ingest', sample, '--archive', root, '--config', output, '--format', 'json'])
    // the baseline of Carts is of an item without its keys, and a line is no record
    expect(exit).toBe(1)
    const counts = JSON.parse(out) as { table: string | null; rows: number; refused: number }[]
    expect(counts.map(({ table, rows, refused }) => [table, rows, refused])).toEqual([
      ['Carts', 1, 1],
      ['Orders', 2, 0],
      [null, 0, 1],
      ['Sessions', 1, 0],
    ])
    const { out: item } = await run(['history', 'Carts', 'PK=a,sk=1', '--archive', root, '--config', output])
    expect(item).toContain('1 change\n')
  })

  it('takes the bundled orders, and no other values of theirs than it says do not fit', async () => {
    const output = newFile()
    const { exit, err } = await run(['init', ORDERS, '--output', output])
    expect([exit, err]).toEqual([
      0,
      expect.stringMatching(
        /\n {2}total {32}decimal\(38,4\) {6}4,016 values {2}a guess: 2 digits behind the point seen, room for 4\n[\s\S]*\n {2}shipping_city \(shipping\.city\) +string +4,016 values\n[\s\S]*\n {2}no column, only in the images: lines \(list\), [\s\S]*\n {2}who made a change: updated_by, by its name; /,
      ),
    ])
    expect(readConfiguration(output).tables.get('Orders')).toMatchObject({
      since: '2026-10-01',
      keys: [{ attribute: 'order_id', column: 'order_id' }],
      actor: ['updated_by'],
      columns: expect.arrayContaining([
        { column: 'shipping_city', path: ['shipping', 'city'], type: 'string' },
        { column: 'audit_ip_address', path: ['audit', 'ip.address'], type: 'string' },
      ]),
    })
    const root = join(makeFolder(), 'archive')
    expect((await run(['ingest', ORDERS, '--archive', root, '--config', output])).exit).toBe(0)
    const misfits = await run(['query', 'misfits', 'Orders', '--archive', root, '--config', output, '--format', 'json'])
    const { rows: found } = JSON.parse(misfits.out) as {
      rows: { flat_column: string; found_type: string; changes: number }[]
    }
    expect(new Set(found.map(row => `${row.flat_column} ${row.found_type}`))).toEqual(
      new Set(['old_note NULL', 'new_note NULL']),
    )
    const announced = /note +string +[\d,]+ values +(\d+) would not fit: null\n/.exec(err)?.[1]
    expect(found.reduce((sum, { changes }) => sum + changes, 0)).toBe(Number(announced))
  })

  it('has room for what amounts may become, and no columns for what a map is keyed by', async () => {
    const output = newFile()
    const records = Array.from({ length: 30 }, (_, i) =>
      streamsRecord({
        eventID: String(i),
        NewImage: {
          order_id: { S: 'ORD1' },
          totalAmount: { N: String(i) },
          amount_cents: { N: String(i) },
          weight: { N: '0.12345' },
          user: { S: 'ann' },
          modifiedBy: { S: 'ann' },
          stock: { M: { [`sku-${i}`]: { N: '1' } } },
          seldom: { M: i === 0 ? { odd: { S: 'x' } } : {} },
          deep: { M: { inner: { M: { a: { S: 'x' } } }, at: { N: '1795046400' } } },
        },
      }),
    )
    const { err } = await run(['init', '-', '--output', output], { stdin: linesOf(records) })
    const { columns, actor } = JSON.parse(readFileSync(output, 'utf8')).tables.Orders as {
      columns: object
      actor: string
    }
    expect(actor).toBe('modifiedBy')
    expect(columns).toEqual({
      totalAmount: 'decimal(38,4)',
      amount_cents: 'bigint',
      weight: 'decimal(38,5)',
      user: 'string',
      modifiedBy: 'string',
      deep_at: { attribute: 'deep.at', type: 'timestamp', unit: 's' },
    })
    expect(err).toContain('a guess: an amount by its name, all seen are whole, room for 4 digits behind the point')
    expect(err).toContain('no column, only in the images: seldom (map), stock (map)\n')
  })

  it('says how many of its records it looked at, where these were not all', async () => {
    const records = Array.from({ length: 10_001 }, (_, i) => streamsRecord({ eventID: String(i) }))
    const { err } = await run(['init', '-', '--output', newFile()], { stdin: linesOf(records) })
    expect(err).toContain('Orders: keys order_id (10,000 records)')
    expect(err).toContain('only the first 10,000 records were looked at: set since to the first day of all\n')
  })

  it('gives a key a column where its name makes none', async () => {
    const output = newFile()
    const keys = [
      { 'PK#1': { S: 'a' }, pk_1: { S: 'b' } },
      { '2': { S: 'a' }, 鍵: { S: 'b' } },
      { ID: { S: 'a' }, id: { S: 'b' } },
    ]
    const records = keys.map((Keys, i) => streamsRecord({ eventSourceARN: arn(`Table${i}`), Keys, NewImage: Keys }))
    expect((await run(['init', '-', '--output', output], { stdin: linesOf(records) })).exit).toBe(0)
    const { tables } = readConfiguration(output)
    expect([...tables.values()].map(table => table.keys)).toEqual([
      [
        { attribute: 'PK#1', column: 'pk_1' },
        { attribute: 'pk_1', column: 'key_2' },
      ],
      [
        { attribute: '2', column: 'key_1' },
        { attribute: '鍵', column: 'key_2' },
      ],
      [
        { attribute: 'ID', column: 'id' },
        { attribute: 'id', column: 'key_2' },
      ],
    ])
  })

  it('takes tables that would have one name in SQL', async () => {
    const output = newFile()
    const records = ['My.Table', 'my_table'].map(table => streamsRecord({ eventSourceARN: arn(table) }))
    const { exit } = await run(['init', '-', '--output', output], { stdin: linesOf(records) })
    expect(exit).toBe(0)
    expect(Object.keys(JSON.parse(readFileSync(output, 'utf8')).tables)).toEqual(['My.Table', 'my_table'])
  })

  it('never writes over a file unless it is told to', async () => {
    const output = newFile()
    writeFileSync(output, 'mine')
    expect(await run(['init', '-', '--output', output], { stdin: SAMPLE })).toEqual({
      exit: 2,
      out: '',
      err: `itemtrail: ${output} is there already\n  --force writes over it, --output names another\n`,
    })
    expect(readFileSync(output, 'utf8')).toBe('mine')
    expect((await run(['init', '--output', output, '--force'])).exit).toBe(0)
    expect(readConfiguration(output).tables.size).toBe(0)
  })

  it('writes an empty configuration without a sample, and says so', async () => {
    const output = newFile()
    const { exit, err } = await run(['init', '--output', output])
    expect([exit, err]).toEqual([0, `no sample was given, so it has no tables yet\nwrote ${output}\n`])
    expect(readConfiguration(output).tables.size).toBe(0)
  })

  it('says what is wrong with a sample, and writes nothing', async () => {
    const output = newFile()
    const missing = join(folder, 'nope')
    const cut = fileOf('cut.gz', gzipSync(SAMPLE.repeat(100)).subarray(0, 300))
    for (const [sample, message] of [
      [missing, `${missing} is not there`],
      [folder, `${folder} is a directory, expected a file`],
      [cut, `${cut} is not whole gzip: unexpected end of file`],
      ['-', 'standard input holds no change record that names its table'],
    ] as const) {
      expect(await run(['init', sample, '--output', output])).toEqual({
        exit: 1,
        out: '',
        err: `itemtrail: ${message}\n`,
      })
    }
    expect(existsSync(output)).toBe(false)
  })

  it('tells what looks personal and would stay clear for good, by name and by value', async () => {
    const item = {
      order_id: { S: 'a' },
      status: { S: 'NEW' },
      email: { S: 'none yet' },
      contact: { S: 'ann@example.com' },
      buyer: { M: { first_name: { S: 'Ann' }, 'a.b': { M: { phone: { N: '1' } } } } },
      lines: { L: [{ M: { recipientName: { S: 'Bob' }, sku: { S: 'AB12' } } }] },
    }
    const sample = linesOf([streamsRecord({ eventSourceARN: arn('Orders'), NewImage: item })])
    const { err } = await run(['init', '-', '--output', newFile()], { stdin: sample })
    expect(err).toContain('looks personal, and is stored in clear for good')
    expect(err).toContain(': buyer.first_name, contact, email, lines.*.recipientName\n')
  })

  it('proposes whose that is, by the nearest id, and a token where the key names somebody', async () => {
    const item = {
      pk: { S: 'USER#ann@example.com' },
      email: { S: 'ann@example.com' },
      updatedBy: { S: 'root@example.com' },
      buyer: { M: { id: { S: 'u-1' }, name: { S: 'Ann' }, home: { M: { street: { S: 'Main' } } } } },
      lines: { L: [{ M: { id: { S: '1' }, recipientName: { S: 'Bob' } } }] },
    }
    const Keys = { pk: item.pk }
    const sample = linesOf([streamsRecord({ eventSourceARN: arn('Users'), Keys, NewImage: item })])
    const { err } = await run(['init', '-', '--output', newFile()], { stdin: sample })
    const erasable = [
      { subject: 'buyer.id', attributes: ['buyer.home.street', 'buyer.name'] },
      { subject: 'pk', attributes: ['email', 'lines.*.recipientName'] },
    ]
    const proposed = JSON.stringify({ erasable, keyIsPersonal: ['pk'] }).slice(1, -1)
    expect(err).toContain(`"erasure": {"keys": "../keys"}, in Users ${proposed}, and no columns`)
    expect(err).toContain(
      'stays clear in any case: keys but for keyIsPersonal, times, names of attributes, tokens, updatedBy\n',
    )
    const tables = { Users: { keys: ['pk'], ...JSON.parse(`{${proposed}}`) } }
    expect(checkConfiguration({ erasure: { keys: '../keys' }, tables }, 'proposed').tables.size).toBe(1)
  })

  it('leaves to who knows it what is erasable of somebody whom the key alone names', async () => {
    const Keys = { email: { S: 'none yet' } }
    const sample = linesOf([
      streamsRecord({ eventSourceARN: arn('Users'), Keys, NewImage: { ...Keys, n: { N: '1' } } }),
    ])
    const { err } = await run(['init', '-', '--output', newFile()], { stdin: sample })
    expect(err).toContain('"erasable":[{"subject":"email","attributes":["ATTRIBUTE"]}],"keyIsPersonal":["email"]')
  })

  it('says nothing of persons where nothing looks like one', async () => {
    const sample = linesOf([streamsRecord({ eventSourceARN: arn('Orders'), NewImage: { order_id: { S: 'a' } } })])
    const { err } = await run(['init', '-', '--output', newFile()], { stdin: sample })
    expect(err).not.toMatch(/personal|stays clear/)
  })
})
