import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { DiskArchive } from '../../store/folder.js'
import { readKept } from '../../store/kept-configurations.js'
import { type Fact, factInstant } from '../../transform/fact.js'
import { configurationKey } from '../../transform/layout.js'
import { rowConfiguration, type TableConfiguration, unconfiguredTable } from '../../transform/table-configuration.js'
import { rowsOfRecord, writeRows } from '../delivery/desk.js'
import { baselineDocument, kinesisDocument, streamsRecord, tableConfiguration } from '../factories.js'
import { change, november } from '../queries/story.js'
import { keepFacts } from '../queries/true-facts.js'
import { alterRows, parquetUnder, rewriteRows } from '../store/altering.js'
import { archiveOf, fileOf, makeFolder, ORDERS, ORDERS_CONFIG, run } from './command-line.js'
import { expectContract } from './contract.js'

const v = (N: string) => ({ v: { N } })
const SOURCE = 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/2026-11-20T12:00:00.000000Z'
const TIME = factInstant(november('20T12:00:00') * 1_000_000 - 1)
const seen = (order: string, N: string) =>
  baselineDocument({ source: SOURCE, time: TIME, Item: { order_id: { S: order }, ...v(N) } })
const RECORDS = [
  change('whole', '20T10:00:00', undefined, v('1')),
  seen('whole', '1'),
  change('holed', '20T10:00:00', undefined, v('1')),
  change('holed', '20T10:00:05', v('2'), v('3')),
  seen('holed', '3'),
  change("it's gone", '20T10:00:00', undefined, v('1')),
  change('older', '20T10:00:00', v('1'), v('2')),
  seen('older', '2'),
  change('blind', '20T10:00:00', undefined, undefined, { StreamViewType: 'KEYS_ONLY', eventName: 'MODIFY' }),
  seen('blind', '1'),
]
const BASELINE: Fact = {
  version: 'fact/v1',
  kind: 'baseline',
  table: 'Orders',
  recorded: '2026-11-20T12:01:00.000000Z',
  method: 'scan',
  source: SOURCE,
  from: '2026-11-20T12:00:00.000000Z',
  to: '2026-11-20T12:01:00.000000Z',
  rowTime: TIME,
  items: 4,
  digest: '0'.repeat(64),
}
const common = { version: 'fact/v1', table: 'Orders', recorded: '2026-11-20T13:00:00.000000Z' } as const

async function archiveWith(records: readonly unknown[], facts: readonly Fact[]): Promise<string> {
  const config = fileOf('config.json', JSON.stringify({ tables: { Orders: { keys: ['order_id'] } } }))
  const root = await archiveOf(records, ['--config', config])
  await keepFacts(root, unconfiguredTable('Orders'), facts)
  return root
}

describe('verify continuity', () => {
  let root: string
  beforeAll(async () => {
    root = await archiveWith(RECORDS, [BASELINE])
  })
  const verify = (...more: readonly string[]) => run(['verify', 'continuity', ...more, '--archive', root])

  it('counts the verdicts, names each finding with its item and change, and says what to ask next', async () => {
    const { exit, out, err } = await verify()
    expect(exit).toBe(1)
    expect(out).toContain('5, with 6 changes')
    expect(out).toMatch(/GAP {2}holed {2}one or more changes before [0-9a-f]{8} \(2026-11-20 10:00:05Z\) are missing/)
    expect(out).toMatch(/GAP {2}it's gone {2}a REMOVE after [0-9a-f]{8} .*lacks the item\) is missing/)
    expect(out).toContain(`itemtrail history Orders 'it'\\''s gone' --archive ${root}`)
    for (const line of ['UNBROKEN 1:', 'GAP 2:', 'PRE-ARCHIVE 1:', 'KEYS-ONLY 1:']) expect(out).toContain(line)
    expect(out).toContain('1 item entered a state oftener')
    expect(out).toContain('baseline 2026-11-20T11:59:59Z')
    expect(err).toContain('itemtrail status')
  })

  it('does not keep `as-of` from an answer after a baseline, which says what it rests on', async () => {
    const { exit, out } = await run(['as-of', 'Orders', "it's gone", '2026-11-20T13:00:00Z', '--archive', root])
    expect(exit).toBe(0)
    expect(out).toMatch(/^deleted: the complete baseline of 2026-11-20 11:59:59\S* lacks it; the last .* is INSERT /m)
    expect(out).toContain('UNBROKEN since 2026-11-20 11:59:59Z (baseline)')
  })

  it('is about a period where one is given: what is missing was made in it', async () => {
    const verdicts = async (...period: readonly string[]) =>
      (JSON.parse((await verify('Orders', ...period, '--format', 'json')).out) as [{ verdicts: object }])[0].verdicts
    expect(await verdicts('--from', '2026-11-20T11:00:00Z')).toMatchObject({ gap: 1, pre_archive: 0 })
    expect(await verdicts('--to', '2026-11-20T10:00:01Z')).toMatchObject({ gap: 2, pre_archive: 1 })
    expect(await verdicts('--from', '2026-11-20T12:30:00Z')).toMatchObject({ gap: 0, unbroken: 0 })
  })

  it('ends with 0 where nothing is found, and with 3 where it could not look', async () => {
    const whole = await archiveWith(RECORDS.slice(0, 2), [{ ...BASELINE, items: 1 }])
    expect(await run(['verify', 'continuity', 'Orders', '--archive', whole])).toMatchObject({ exit: 0 })
    expect(await run(['verify', 'continuity', '--archive', join(whole, 'nowhere')])).toMatchObject({ exit: 3, out: '' })
    writeFileSync(join(whole, 'facts', 'Orders', 'x-gap.json'), '{"version":"fact/v9","kind":"gap"}')
    // an answer that the fact could change ends with 3, too
    for (const argv of [
      ['verify', 'continuity', 'Orders'],
      ['history', 'Orders', 'whole'],
    ]) {
      const { exit, err } = await run([...argv, '--archive', whole])
      expect([exit, err]).toEqual([3, expect.stringContaining('facts/Orders/x-gap.json: version is "fact/v9"')])
    }
  })

  it('ends with 1 for a baseline that lacks rows, because what it was taken for is not there', async () => {
    const short = await archiveWith(RECORDS.slice(0, 2), [BASELINE])
    const { exit, out } = await run(['verify', 'continuity', 'Orders', '--archive', short])
    expect([exit, out]).toEqual([1, expect.stringContaining('has 1 of its 4 items')])
  })

  it('refuses what it cannot verify, and a period that runs backwards', async () => {
    expect(await run(['verify', 'continuty', 'Orders', '--archive', root])).toMatchObject({
      exit: 2,
      err: expect.stringContaining('did you mean: itemtrail verify continuity'),
    })
    const period = ['--from', '2026-11-21T00:00:00Z', '--to', '2026-11-20T00:00:00Z']
    expect(await verify('Orders', ...period)).toMatchObject({ exit: 2, out: '' })
    expect(await verify('Order')).toMatchObject({ exit: 2 })
    expect(await run(['verify', '__proto__', '--archive', root])).toMatchObject({ exit: 2 })
  })

  it('answers programs as documented', async () => {
    const facts: readonly Fact[] = [
      BASELINE,
      { ...BASELINE, recorded: '2026-11-20T14:00:00.000000Z', source: `${SOURCE}/short`, items: 7 },
      {
        ...common,
        kind: 'reconciliation',
        method: 'scan',
        source: 'a scan',
        from: '2026-11-20T12:40:00.000000Z',
        to: '2026-11-20T12:40:00.000000Z',
        items: 4,
        differing: [{ key: '{"order_id":{"S":"not here"}}', since: null }],
        unsettled: [],
        digest: 'of something else',
      },
      {
        ...common,
        kind: 'gap',
        source: 'a stream',
        shard: 's',
        after: null,
        before: null,
        from: null,
        to: '2026-11-20T11:00:00.000000Z',
        reason: 'trimmed',
      },
      {
        ...common,
        recorded: '2026-11-20T13:00:01.000000Z',
        kind: 'stream-changed',
        previous: 'one',
        source: 'another',
      },
      {
        ...common,
        recorded: '2026-11-20T13:00:02.000000Z',
        kind: 'gap',
        source: 'a stream',
        shard: 's',
        after: null,
        before: null,
        from: '2026-11-20T10:00:00.000000Z',
        to: '2026-11-20T11:00:00.000000Z',
        reason: 'trimmed',
      },
    ]
    const other = await archiveWith(RECORDS, facts)
    const answers = ['json', 'ndjson'].map(format =>
      run(['verify', 'continuity', 'Orders', '--archive', other, '--format', format]),
    )
    const [json, ndjson] = (await Promise.all(answers)).map(({ out }) => out) as [string, string]
    const [table] = JSON.parse(json) as [{ findings: readonly object[] }]
    expectContract('verify', [table], ROWS)
    const lines = ndjson
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as object)
    expect(lines).toEqual(table.findings.map(finding => ({ table: 'Orders', ...finding })))
  })
})

const ROWS = [
  'altered',
  'altered[].altered',
  'altered[].item_key',
  'altered[].event_id',
  'altered[].event_name',
  'altered[].event_time',
  'altered[].held',
  'altered[].found',
  'altered[].object',
  'rows',
  'versions',
  'versions[].row_version',
  'versions[].rows',
  'versions[].known',
  'outside_period',
  'passed_over',
  'passed_over[].object',
  'passed_over[].reason',
  'passed_over[].rows',
  'underived',
  'underived.columns',
  'underived.without_configuration',
  'underived.without_image',
]

describe('verify rows', () => {
  it('names a row that is another than it was made, and the hash that tells', async () => {
    const root = join(makeFolder(), 'archive')
    const rows = [streamsRecord(), kinesisDocument(), baselineDocument()].flatMap(record => rowsOfRecord(record))
    const [first, ...rest] = rows
    const altered = { ...(first as (typeof rows)[number]), new_image: '{"order_id":{"S":"ORD12345"}}' }
    await writeRows(root, [altered, ...rest])
    const { exit, out } = await run(['verify', 'rows', 'Orders', '--archive', root])
    expect([exit, out]).toEqual([
      1,
      expect.stringContaining(`new_image  Orders ORD12345  INSERT ${altered.event_id.slice(0, 8)}`),
    ])
    const json = JSON.parse((await run(['verify', 'rows', 'Orders', '--archive', root, '--format', 'json'])).out) as [
      object,
    ]
    expect(json).toMatchObject([
      { table: 'Orders', rows: 3, altered: [{ altered: 'new_image', held: altered.new_hash }] },
    ])
  })

  it('finds nothing in rows of every capture as they were made', async () => {
    const root = join(makeFolder(), 'archive')
    await writeRows(
      root,
      [streamsRecord(), kinesisDocument(), baselineDocument()].flatMap(record =>
        rowsOfRecord(record, tableConfiguration()),
      ),
    )
    expect(await run(['verify', 'rows', '--archive', root])).toMatchObject({
      exit: 0,
      out: expect.stringContaining('3 rows are what they were'),
    })
  })
})

describe('verify rows of the demo', () => {
  const whole = join(makeFolder(), 'archive')
  beforeAll(async () => {
    await run(['ingest', ORDERS, '--archive', whole, '--config', ORDERS_CONFIG])
  })
  /** Its last three days. */
  const copy = () => {
    const root = join(makeFolder(), 'archive')
    cpSync(whole, root, { recursive: true, filter: path => !/event_date=2026-(09|10|11-0|11-1[0-7])/.test(path) })
    return root
  }
  const ROWS = 152
  const verify = async (root: string) => {
    const { exit, out } = await run(['verify', 'rows', 'Orders', '--archive', root, '--format', 'json'])
    const [answer] = JSON.parse(out) as [
      {
        rows: number
        versions: object[]
        altered: readonly { altered: string; held: string | null; found: string | null }[]
        passed_over: object[]
      },
    ]
    return { exit, ...answer, kinds: new Set(answer.altered.map(({ altered }) => altered)) }
  }

  it('finds nothing where nothing was altered, and says what it looked at', async () => {
    const { exit, out } = await run(['verify', 'rows', '--archive', whole])
    expect([exit, out]).toEqual([0, expect.stringContaining('2,218 rows are what they were when they were made')])
    expect(out).toContain('not derived again: arrived_at and size_bytes of any row')
  })

  it.each([
    ['new_total', '1.00', ['new_total']],
    ['new_status', "'PENDING'", ['new_status']],
    ['changed', "['note']", ['changed']],
    ['key_order_id', "'ORD1'", ['key_order_id']],
    ['misfits', `'{"new_total":{"S":"x"}}'`, ['misfits']],
    ['item_key', `'{"order_id":{"S":"ORD1"}}'`, ['item_key', 'row']],
    ['actor', "'somebody'", ['actor', 'row']],
    ['config_id', "'0123456789abcdef'", ['row']],
    ['event_id', "'0123456789abcdef0123456789abcdef'", ['event_id', 'row']],
    ['event_time', "event_time + interval '1' second", ['event_time']],
    ['user_identity', "'no JSON'", ['row', 'user_identity']],
    ['new_image', "'no JSON'", ['new_image']],
    ['row_version', "'audit-row/v9'", ['row_version']],
    ['row_version', "'audit-row/v1 '", ['row_version']],
    ['row_version', 'null', ['row_version']],
  ])('finds that %s was altered', async (column, value, kinds) => {
    const root = copy()
    const files = parquetUnder(join(root, 'data'))
    expect(await alterRows(files, { [column]: value }, "event_id like '4b422425%'")).toBe(1)
    const found = await verify(root)
    expect([found.exit, found.rows, [...found.kinds].sort()]).toEqual([1, ROWS, expect.arrayContaining(kinds)])
    expect(found.kinds.has('event_date')).toBe(false)
  })

  it.each(['event_date=1900-01-01', 'event_date=ZZZ', 'event_date=', 'x', 'event_date=2026-11-19b'])(
    'reads the rows of a day that lies in %s',
    async name => {
      const root = copy()
      const orders = join(root, 'data', 'Orders')
      renameSync(join(orders, 'event_date=2026-11-20'), join(orders, name))
      const found = await verify(root)
      // what is the folder of no day no other question can be sure of
      expect([found.exit, found.rows, [...found.kinds]]).toEqual([3, ROWS, ['event_date']])
    },
  )

  it.each(['-1', 'null', '253402300800000000', '9223372036854775807', '0'])(
    'reads rows whose time is %s',
    async value => {
      const root = copy()
      const files = parquetUnder(join(root, 'data', 'Orders', 'event_date=2026-11-20'))
      const altered = await alterRows(files, { event_time_us: value }, 'true')
      const found = await verify(root)
      expect([found.exit, found.rows]).toEqual([1, ROWS])
      const rows = found.altered.filter(({ altered: kind }) => kind === 'row')
      expect(rows.length).toBe(altered)
      const asked = await run(['query', 'altered-rows', 'Orders', '--archive', root, '--format', 'ndjson'])
      expect(asked.out.match(/"altered":"row"/g)?.length).toBe(altered)
    },
  )

  it('says what it passed over, and does not end with 0', async () => {
    const root = copy()
    const day = join(root, 'data', 'Orders', 'event_date=2026-11-20')
    const [object] = parquetUnder(day) as [string]
    const rows = await rewriteRows([object], 'select * exclude (item_key) from object', 'true')
    const lacking = await verify(root)
    expect(lacking).toMatchObject({ exit: 1, rows: ROWS - rows })
    expect(lacking.passed_over).toEqual([
      { object: expect.stringContaining('event_date=2026-11-20'), reason: 'it lacks item_key', rows },
    ])
    renameSync(object, join(day, '_hidden.parquet'))
    expect(await verify(root)).toMatchObject({ exit: 3, passed_over: [{ reason: 'its name begins with "_"' }] })
    writeFileSync(join(day, 'x.parquet'), 'PAR1 and nothing')
    expect((await run(['verify', 'rows', '--archive', root])).exit).toBe(3)
  })

  it('says of how many rows it does not know the version, and does not end with 0', async () => {
    const root = copy()
    // what a later itemtrail makes has its own hash
    const later = { row_version: `'audit-row/v9'`, row_hash: `repeat('9', 64)`, actor: `'of another meaning'` }
    const day = parquetUnder(join(root, 'data', 'Orders', 'event_date=2026-11-20'))
    const rows = await alterRows(day, later, "event_name = 'INSERT'")
    const { versions, ...found } = await verify(root)
    expect(found).toMatchObject({ exit: 3, rows: ROWS - rows, altered: [] })
    expect(versions).toEqual([
      { row_version: 'audit-row/v1', rows: ROWS - rows, known: true },
      { row_version: 'audit-row/v9', rows, known: false },
    ])
    const { out } = await run(['verify', 'rows', '--archive', root])
    expect(out).toContain(`not checked  ${rows} rows of audit-row/v9: this itemtrail knows audit-row/v1\n`)
    expect(out).toContain(`${ROWS - rows} rows of audit-row/v1\n`)
    // one in another day's folder is that, of whatever version it is
    await alterRows(day, { event_time_us: 'event_time_us + 86400000000' }, "row_version = 'audit-row/v9'")
    expect([...(await verify(root)).kinds]).toEqual(['event_date'])
  })

  it('finds a column that is empty, though a deployment that took it away leaves such a row, too', async () => {
    const root = copy()
    const picked = async () => {
      const values = ['status', '2026-11-18T16:40:04Z', 'PICKED']
      const flags = ['--config', ORDERS_CONFIG, '--format', 'json']
      const { out } = await run(['query', 'items-as-of', 'Orders', ...values, '--archive', root, ...flags])
      return out.includes('ORD12345')
    }
    expect(await picked()).toBe(true)
    const archive = new DiskArchive(root)
    const { versions } = await readKept(archive, 'Orders')
    const [kept] = versions as [TableConfiguration]
    const later = { ...kept, columns: kept.columns.filter(({ column }) => column !== 'status') }
    await archive.put(configurationKey(later), Buffer.from(rowConfiguration(later)))
    expect((await verify(root)).exit).toBe(0)
    const files = parquetUnder(join(root, 'data'))
    await alterRows(files, { old_status: 'null', new_status: 'null' }, "event_id like '4b422425%'")
    const { exit, altered } = await verify(root)
    const told = altered.map(({ altered, held, found }) => [altered, held, found])
    expect([exit, told.sort()]).toEqual([
      1,
      [
        ['new_status', null, 'PICKED'],
        ['old_status', null, 'PROCESSING'],
      ],
    ])
    // who emptied it by hand hides the item from whoever asks by the column
    expect(await picked()).toBe(false)
  })

  it('names the rows whose configuration is not kept', async () => {
    const root = copy()
    rmSync(join(root, 'config'), { recursive: true })
    const { exit, out } = await run(['verify', 'rows', '--archive', root])
    expect([exit, out]).toEqual([0, expect.stringContaining('of 152 rows, whose configuration is not kept')])
  })
})
