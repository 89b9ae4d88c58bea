import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type Attributes, baselineDocument, CHANGED_AT, kinesisDocument, streamsRecord } from '../factories.js'
import { archiveOf, fileOf, linesOf, makeFolder, ORDERS, ORDERS_CONFIG, run } from './command-line.js'
import { expectContract } from './contract.js'

const TOLD = ['plan', '--writes-per-second', '100', '--item-size', '1KB']

/** Changes of one item, a second apart. */
function orders(count: number, image: (i: number) => Attributes = i => ({ order_id: { S: 'A' }, n: { N: `${i}` } })) {
  return Array.from({ length: count }, (_, i) =>
    streamsRecord({
      eventID: `${i}`,
      SequenceNumber: `${i + 1}`,
      ApproximateCreationDateTime: CHANGED_AT + i,
      ...(i > 0 && { OldImage: image(i - 1) }),
      NewImage: image(i),
    }),
  )
}

interface Planned {
  readonly workload: Readonly<Record<string, unknown>>
  readonly change: Readonly<Record<string, unknown>>
  readonly [section: string]: unknown
}

async function planned(argv: readonly string[], stdin?: string | Uint8Array): Promise<Planned> {
  const { exit, out, err } = await run([...argv, '--format', 'json'], stdin === undefined ? {} : { stdin })
  expect([exit, err]).toEqual([0, ''])
  return JSON.parse(out) as Planned
}

describe('itemtrail plan', () => {
  it('prints what docs/plan.md shows', async () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/plan.md'), 'utf8')
    const [, command, shown] = /^```text\n\$ itemtrail (.+)\n([^`]*)```$/m.exec(document) as RegExpExecArray
    const { exit, out, err } = await run((command as string).split(' '))
    expect([exit, err]).toEqual([0, ''])
    expect(out).toBe(shown)
  })

  it('has the JSON that is documented', async () => {
    const root = await archiveOf(orders(100))
    const values = [await planned(TOLD), await planned(['plan', '--from-archive', 'Orders', '--archive', root])]
    expectContract('plan', values)
    const { out } = await run([...TOLD, '--format', 'ndjson'])
    expect(out.match(/\n/g)).toHaveLength(1)
  })

  it('plans for what it is told', async () => {
    const { workload } = await planned([
      ...TOLD,
      '--peak',
      '250',
      '--updates',
      '50',
      '--deletes',
      '0',
      '--retention-days',
      '30',
    ])
    expect(workload).toMatchObject({
      from: 'arguments',
      table: null,
      writes_per_second: 100,
      peak_writes_per_second: 250,
      item_bytes: 1024,
      updates: 0.5,
      deletes: 0,
      retention_days: 30,
    })
  })

  it('takes shares that leave no room for a preset', async () => {
    expect((await planned([...TOLD, '--updates', '100'])).workload).toMatchObject({ updates: 1, deletes: 0 })
    expect((await planned([...TOLD, '--deletes', '100'])).workload).toMatchObject({ updates: 0, deletes: 1 })
  })

  it('takes lock, buffer and cut-off from the configuration, and flags before it', async () => {
    const config = fileOf(
      'config.json',
      JSON.stringify({
        lock: { mode: 'governance', days: 365 },
        scanCutoffGb: 1,
        tables: { Orders: { buffer: { mb: 64, seconds: 300 } } },
      }),
    )
    const root = await archiveOf(orders(100))
    const argv = ['plan', '--from-archive', 'Orders', '--archive', root, '--config', config]
    expect((await planned(argv)).workload).toMatchObject({ retention_days: 365, buffer_mb: 64, buffer_seconds: 300 })
    expect((await planned([...argv, '--buffer-seconds', '60'])).workload).toMatchObject({
      buffer_mb: 64,
      buffer_seconds: 60,
    })
    const { questions } = (await planned([...TOLD, '--config', config])) as unknown as {
      questions: { cancelled: boolean }[]
    }
    expect(questions[0]?.cancelled).toBe(true)
  })

  it('measures a table whatever its configuration refuses', async () => {
    const config = fileOf(
      'config.json',
      JSON.stringify({ tables: { Orders: { since: '2030-01-01', keys: ['pk'], columns: { n: 'string' } } } }),
    )
    const { workload } = await planned(['plan', '-', '--config', config], linesOf(orders(100)))
    expect(workload.changes_measured).toBe(100)
  })

  describe('measures a sample', () => {
    it('from standard input, with its rates', async () => {
      // one a second for 99 seconds, of which sixty are one minute
      const { workload } = await planned(['plan', '-'], linesOf(orders(100)))
      expect(workload).toMatchObject({
        from: 'sample',
        table: 'Orders',
        changes_measured: 100,
        updates: 0.99,
        deletes: 0,
      })
      expect(workload.writes_per_second).toBeCloseTo(100 / 99, 4)
      expect(workload.peak_writes_per_second).toBeCloseTo(100 / 99, 4)
    })

    it('of the bundled orders, packed as gzip', async () => {
      const { workload, change } = await planned(['plan', ORDERS])
      expect(workload).toMatchObject({ changes_measured: 2218, table: 'Orders' })
      expect(change).toMatchObject({ parquet_measured: false })
    })

    it('of Kinesis documents as of stream records', async () => {
      const image: Attributes = { order_id: { S: 'A' }, photo: { B: 'AAECAwQF' } }
      const at = (capture: 'streams' | 'kinesis') =>
        capture === 'streams'
          ? orders(3, () => image)
          : [0, 1, 2].map(i => kinesisDocument({ ...(i > 0 && { OldImage: image }), NewImage: image }))
      const rate = ['plan', '-', '--writes-per-second', '5']
      const [streams, kinesis] = [
        await planned(rate, linesOf(at('streams'))),
        await planned(rate, linesOf(at('kinesis'))),
      ]
      expect(kinesis.change).toEqual(streams.change)
      expect(kinesis.workload.item_bytes).toBe('order_id'.length + 1 + 'photo'.length + 6)
    })

    it('and asks for the rate where the sample spans no minute', async () => {
      const short = await run(['plan', '-'], { stdin: linesOf(orders(10)) })
      expect(short).toMatchObject({ exit: 2, out: '' })
      expect(short.err).toBe(
        'itemtrail: the sample spans less than a minute, which is no time to measure a rate over, expected --writes-per-second\n',
      )
      const { workload } = await planned(['plan', '-', '--writes-per-second', '7'], linesOf(orders(10)))
      // a rate that is typed is not joined to a peak that was measured
      expect(workload).toMatchObject({ writes_per_second: 7, peak_writes_per_second: 21 })
    })

    it('of one table of several', async () => {
      const mixed = linesOf([...orders(70), kinesisDocument({ tableName: 'Users' })])
      const none = await run(['plan', '-'], { stdin: mixed })
      expect(none).toMatchObject({ exit: 2, out: '' })
      expect(none.err).toContain('standard input has changes of 2 tables, expected --table with one of Orders, Users')
      const wrong = await run(['plan', '-', '--table', 'orders'], { stdin: mixed })
      expect(wrong.err).toContain('table "orders" is not in standard input, expected one of Orders, Users')
      expect((await planned(['plan', '-', '--table', 'Orders'], mixed)).workload).toMatchObject({
        changes_measured: 70,
      })
    })

    it('and leaves out what is no change, by its number', async () => {
      const odd = ['no json', '{"a":1}', baselineDocument(), { ...streamsRecord(), eventName: 'UPSERT' }]
      const image = JSON.parse('{"order_id":{"S":"A"},"__proto__":{"S":"x"},"\u202e":{"S":"y"}}') as Attributes
      const stdin = linesOf([...odd, ...orders(70, () => image)])
      const { exit, err } = await run(['plan', '-', '--format', 'json'], { stdin })
      expect([exit, err]).toEqual([
        0,
        '4 documents of standard input are no change that could be read, and are left out\n',
      ])
    })

    it('and says when there is nothing in it, or it is not there', async () => {
      const empty = await run(['plan', '-'], { stdin: '' })
      expect(empty).toMatchObject({
        exit: 1,
        out: '',
        err: 'itemtrail: standard input holds no change record that names its table\n',
      })
      const missing = await run(['plan', join(makeFolder(), 'none.jsonl')])
      expect(missing).toMatchObject({ exit: 1, out: '' })
      expect(missing.err).toMatch(/^itemtrail: .*none\.jsonl/)
    })
  })

  describe('measures an archive', () => {
    it('with its rates, shares and what rows take in Parquet, each change once and no baseline', async () => {
      const records = orders(100)
      const config = fileOf('config.json', JSON.stringify({ tables: { Orders: { keys: ['order_id'] } } }))
      const root = await archiveOf([...records, ...records, baselineDocument()], ['--config', config])
      const { workload, change } = await planned(['plan', '--from-archive', 'orders', '--archive', root])
      expect(workload).toMatchObject({ from: 'archive', table: 'Orders', changes_measured: 100, updates: 0.99 })
      expect(workload.writes_per_second).toBeCloseTo(100 / 99, 4)
      expect(change).toMatchObject({ parquet_measured: true })
      const sample = await planned(['plan', '-'], linesOf(records))
      expect(change.streams_bytes).toBeCloseTo(sample.change.streams_bytes as number, 0)
    })

    it('of any name, and with times that are only arrivals', async () => {
      const stream = 'arn:aws:dynamodb:us-east-1:123456789012:table/2024-select/stream/2026-01-01T00:00:00.000'
      const timeless = orders(70).map(record => ({
        ...record,
        eventSourceARN: stream,
        dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: undefined },
      }))
      const root = await archiveOf(timeless)
      const argv = ['plan', '--from-archive', '2024-select', '--archive', root]
      const { exit, err } = await run(argv)
      expect(exit).toBe(2)
      expect(err).toContain('expected --writes-per-second')
      const { workload } = await planned([...argv, '--writes-per-second', '1'])
      expect(workload).toMatchObject({ table: '2024-select', changes_measured: 70 })
    })

    it('of a stream that carries keys only', async () => {
      const keysOnly = orders(70).map(({ dynamodb, ...record }) => {
        const { OldImage: _, NewImage: __, ...rest } = dynamodb ?? {}
        return { ...record, dynamodb: { ...rest, StreamViewType: 'KEYS_ONLY' } }
      })
      const root = await archiveOf(keysOnly)
      const { workload } = await planned(['plan', '--from-archive', 'Orders', '--archive', root])
      expect(workload.item_bytes).toBe('order_id'.length + 'ORD12345'.length)
    })

    it('of the bundled orders', async () => {
      const root = join(makeFolder(), 'archive')
      const lines = gunzipSync(readFileSync(ORDERS)).toString().trim().split('\n')
      // a quarter of them says as much
      const stdin = linesOf(lines.filter((_, i) => i % 4 === 0))
      await run(['ingest', '-', '--archive', root, '--config', ORDERS_CONFIG], { stdin })
      const { change } = await planned([
        'plan',
        '--from-archive',
        'Orders',
        '--archive',
        root,
        '--config',
        ORDERS_CONFIG,
      ])
      // what docs/cost.md takes for granted was measured here
      expect(change.parquet_bytes).toBeGreaterThan(450)
      expect(change.parquet_bytes).toBeLessThan(560)
    })

    it('and says which table or archive is not there', async () => {
      const root = await archiveOf(orders(2))
      expect(await run(['plan', '--from-archive', 'Oders', '--archive', root])).toMatchObject({
        exit: 2,
        err: expect.stringContaining('did you mean Orders?'),
      })
      expect((await run(['plan', '--from-archive', 'Orders', '--archive', join(makeFolder(), 'none')])).exit).toBe(3)
      const config = fileOf('config.json', JSON.stringify({ tables: { Nothing: {} } }))
      const none = await run(['plan', '--from-archive', 'Nothing', '--archive', root, '--config', config])
      expect(none).toMatchObject({ exit: 3, err: 'itemtrail: table "Nothing" has no change yet\n' })
    })
  })

  it.each([
    [['--writes-per-second', '0'], 'writes per second is "0", expected a number from 0.000001 to 10,000,000'],
    [['--writes-per-second', '-5'], 'writes per second is "-5", expected a number from 0.000001 to 10,000,000'],
    [['--writes-per-second', 'NaN'], 'writes per second is "NaN", expected a number from 0.000001 to 10,000,000'],
    [['--writes-per-second', 'Infinity'], 'writes per second is "Infinity", expected'],
    [['--writes-per-second', '1e9'], 'writes per second is "1e9", expected'],
    [['--writes-per-second', '0x10'], 'writes per second is "0x10", expected'],
    [['--writes-per-second', ''], 'writes per second is "", expected'],
    [['--peak', '99'], 'peak is 99, expected no less than the average of 100'],
    [
      ['--item-size', '0'],
      'item size is "0", expected bytes or KB (1,024 bytes), such as 800 or 1.5KB, from 3 bytes to 400KB',
    ],
    [['--item-size', '401KB'], 'item size is "401KB", expected bytes or KB'],
    [['--item-size', '-1KB'], 'item size is "-1KB", expected bytes or KB'],
    [['--item-size', '1MB'], 'item size is "1MB", expected bytes or KB'],
    [['--updates', '101'], 'updates is "101", expected a number from 0 to 100'],
    [['--updates', '70', '--deletes', '40'], 'updates of 70 % and deletes of 40 % are over 100 % of the changes'],
    [['--retention-days', '0'], 'retention days is "0", expected a whole number from 1 to 36,500'],
    [['--retention-days', '1.5'], 'retention days is "1.5", expected a whole number from 1 to 36,500'],
    [['--buffer-mb', '32'], 'buffer MB is "32", expected a whole number from 64 to 128'],
    [['--buffer-seconds', '5'], 'buffer seconds is "5", expected a whole number from 60 to 900'],
    [['--format', 'yaml'], 'format "yaml" is unknown, expected table, json, ndjson'],
  ])('refuses %j', async (wrong, message) => {
    const { exit, out, err } = await run([...TOLD, ...wrong])
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain(`itemtrail: ${message}`)
  })

  it('refuses what does not go together, and nothing at all', async () => {
    const refused = async (...argv: string[]) => {
      const { exit, err } = await run(['plan', ...argv], { stdin: linesOf(orders(70)) })
      expect(exit).toBe(2)
      return err
    }
    expect(await refused()).toContain('nothing to plan for: expected --writes-per-second and --item-size')
    expect(await refused('--item-size', '1KB')).toContain('nothing to plan for')
    expect(await refused('-', '--from-archive', 'Orders')).toContain('a sample and --from-archive are given')
    expect(await refused('-', '--item-size', '1KB')).toContain('--item-size is measured in the sample')
    expect(await refused('-', '--deletes', '1')).toContain('--deletes is measured in the sample')
  })

  it.each([80, 120])('keeps to a terminal of %d columns', async columns => {
    const { out } = await run(TOLD, { columns })
    expect(out.split('\n').filter(line => line.length > columns)).toEqual([])
  })
})
