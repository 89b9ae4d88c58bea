import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadCommands } from '../../cli/main.js'
import { SAVED_QUERIES, savedQuery } from '../../queries/catalog.js'
import { type Attributes, streamsRecord, TIME_TO_LIVE } from '../factories.js'
import { archiveOf, fileOf, linesOf, makeFolder, run } from './command-line.js'
import { DOCUMENT, expectContract } from './contract.js'

const COMMANDS = await loadCommands()

/** None of the records here has one. */
const MISFITS = ['misfits[].column', 'misfits[].values', 'misfits[].example']

/** Seen in `test/live/stack-against-table.test.ts`. */
const LIVE = ['live.state', 'live.read', 'live.text']

describe('the JSON of the commands', () => {
  const orders: Attributes = {
    order_id: { S: 'ORD12345' },
    lines: { L: [{ M: { sku: { S: 'B' } } }, { M: { sku: { S: 'A' } } }, { M: { sku: { S: 'C' }, qty: { N: '1' } } }] },
    gone: { S: 'x' },
  }
  const later: Attributes = {
    order_id: { S: 'ORD12345' },
    lines: { L: [{ M: { sku: { S: 'A' } } }, { M: { sku: { S: 'B' } } }, { M: { sku: { S: 'C' }, qty: { N: '2' } } }] },
    updated_by: { S: 'alice' },
  }
  const blind = { Keys: { order_id: { S: 'BLIND' } }, StreamViewType: 'KEYS_ONLY' } as const
  const records = [
    streamsRecord({ eventID: '1', SequenceNumber: '1', NewImage: orders }),
    streamsRecord({ eventID: '1', SequenceNumber: '1', NewImage: orders }),
    streamsRecord({
      eventID: '2',
      SequenceNumber: '2',
      OldImage: orders,
      NewImage: later,
      ApproximateCreationDateTime: 1795341600.5,
    }),
    streamsRecord({ ...blind, eventID: '3', SequenceNumber: '3', eventName: 'MODIFY', userIdentity: TIME_TO_LIVE }),
    streamsRecord({
      ...blind,
      eventID: '4',
      SequenceNumber: undefined,
      StreamViewType: undefined,
      eventName: 'MODIFY',
    }),
  ]
  const refused = ['no json', { ...streamsRecord(), eventName: 'UPSERT' }]
  const config = JSON.stringify({ tables: { Orders: { actor: 'updated_by' }, Nothing: {} } })
  let root: string
  let ingested: string
  beforeAll(async () => {
    root = await archiveOf(records, ['--config', fileOf('config.json', config)])
    const ending = await run(['ingest', '-', '--archive', root, '--format', 'json'], { stdin: linesOf(refused) })
    expect(ending.exit).toBe(1)
    ingested = ending.out
  })

  /** The same answer in both formats. */
  async function ask(...argv: string[]) {
    const both = await Promise.all(
      ['json', 'ndjson'].map(format => run([...argv, '--archive', root, '--format', format])),
    )
    const [json, ndjson] = both.map(({ out }) => out) as [string, string]
    const lines = ndjson.split('\n')
    expect(lines.pop()).toBe('')
    return {
      json: JSON.parse(json) as never,
      lines: lines.map(line => JSON.parse(line) as never),
      exit: both[0]?.exit,
      err: both[1]?.err,
    }
  }

  it('of ingest is as documented', async () => {
    const values = JSON.parse(ingested) as object[]
    expectContract('ingest', values, MISFITS)
    expect(values).toEqual([
      {
        table: null,
        records: 1,
        rows: 0,
        refused: 1,
        objects: 0,
        reasons: [{ reason: 'record is not a JSON object, it starts with "no json"', records: 1 }],
        misfits: [],
      },
      {
        table: 'Orders',
        records: 1,
        rows: 0,
        refused: 1,
        objects: 0,
        reasons: [{ reason: 'eventName is "UPSERT", expected INSERT, MODIFY or REMOVE', records: 1 }],
        misfits: [],
      },
    ])
    const other = join(makeFolder(), 'other')
    const { out } = await run(['ingest', '-', '--archive', other, '--format', 'ndjson'], { stdin: linesOf(refused) })
    expect(out.split('\n').map(line => line && JSON.parse(line))).toEqual([...values, ''])
  })

  it('of history is as documented', async () => {
    const item = await ask('history', 'Orders', 'ORD12345')
    const other = await ask('history', 'Orders', 'BLIND')
    const plan = ['certain', 'actor', 'table', 'as_of', 'before', 'undone', 'plan'].map(
      name => `changes[].restored.${name}`,
    )
    // what differs shows at no change
    const differs = {
      ...(item.json as object),
      findings: [{ finding: 'DIFFERS', event_id: null, event_time: '', changes: 0 }],
    }
    expectContract('history', [item.json, other.json, differs], [...plan, ...LIVE])
    const { changes, ...rest } = item.json as { changes: object[] }
    expect(item.lines).toEqual(changes)
    expect(item.err).toMatch(/^UNBROKEN since INSERT 2026-11-22 10:00:00Z: .*; 1 repeated delivery left out\n$/)
    expect(rest).toEqual({
      table: 'Orders',
      live: null,
      left_out: 0,
      item_key: { order_id: { S: 'ORD12345' } },
      confidence: 'UNBROKEN',
      remarks: [],
      findings: [
        { finding: 'DUPLICATE', event_id: expect.any(String), event_time: '2026-11-22T10:00:00.000000Z', changes: 1 },
      ],
    })
    expect(changes).toMatchObject([
      { event_name: 'MODIFY', event_time: '2026-11-22T10:00:00.500Z', actor: 'alice', new_image: later, repeats: 0 },
      { event_name: 'INSERT', event_time: '2026-11-22T10:00:00Z', actor: null, new_image: orders, repeats: 1 },
    ])
  })

  it('of as-of is as documented, of an item as of a table', async () => {
    const item = await ask('as-of', 'Orders', 'ORD12345', '2026-11-22T10:00:00.100Z')
    const before = await ask('as-of', 'Orders', 'ORD12345', '2026-11-01T00:00:00Z')
    const after = await ask('as-of', 'Orders', 'ORD12345', '2026-11-22T11:00:00Z')
    expect(item.lines).toEqual([item.json])
    expect(item.json).toMatchObject({ state: 'present', item: orders, as_of: '2026-11-22T10:00:00.100000Z' })
    const table = await ask('as-of', 'Orders', '2026-11-22T11:00:00Z')
    const { rows, verdict } = table.json as { rows: object[]; verdict: object }
    expectContract('as-of', [item.json, before.json, after.json, ...rows], LIVE)
    expect(verdict).toMatchObject({ judged: true, confidence: 'GAP', doubtful: true, tables: [{ refused: 1 }] })
    expect(table.lines).toEqual(rows)
    expect(rows).toEqual([
      expect.objectContaining({ state: 'unknown', confidence: 'KEYS-ONLY', item: null }),
      after.json,
    ])
    expect(table.exit).toBe(3)
  })

  it('of as-of holds the items of a DynamoDB export', async () => {
    const { out, err } = await run(['as-of', 'Orders', 'ORD12345', 'now', '--archive', root, '--format', 'dynamodb'])
    expect(out).toBe(
      '{"Item":{"lines":{"L":[{"M":{"sku":{"S":"A"}}},{"M":{"sku":{"S":"B"}}},{"M":{"qty":{"N":"2"},"sku":{"S":"C"}}}]},"order_id":{"S":"ORD12345"},"updated_by":{"S":"alice"}}}\n',
    )
    expect(err).toMatch(/^state after MODIFY .*\nUNBROKEN since /)
    const table = await run(['as-of', 'Orders', 'now', '--archive', root, '--format', 'dynamodb'])
    expect(table.out).toBe(out)
  })

  it('of diff is as documented', async () => {
    const span = ['--from', '2026-11-22T10:00:00.100Z', '--to', '2026-11-22T11:00:00Z']
    const { json, lines, err } = await ask('diff', 'Orders', 'ORD12345', ...span)
    const { json: past } = await ask('history', 'Orders', 'ORD12345')
    const [later, earlier] = (past as { changes: { event_id: string }[] }).changes.map(({ event_id: id }) => id)
    const { json: ofEvents } = await ask('diff', earlier as string, later as string)
    expect(ofEvents).toMatchObject({ from_event: earlier, to_event: later, changes: 1 })
    expectContract('diff', [json, ofEvents])
    const { differences, ...rest } = json as { differences: object[] }
    expect(lines).toEqual(differences)
    expect(err).toContain('2026-11-22 10:00:00.100Z → 2026-11-22 11:00:00Z, 1 change between\nUNBROKEN since ')
    expect(rest).toEqual({
      table: 'Orders',
      item_key: { order_id: { S: 'ORD12345' } },
      from: '2026-11-22T10:00:00.100000Z',
      to: '2026-11-22T11:00:00.000000Z',
      from_event: null,
      to_event: null,
      from_state: 'present',
      to_state: 'present',
      changes: 1,
      confidence: 'UNBROKEN',
      remarks: [],
    })
    expect(differences).toContainEqual({ kind: 'removed', path: 'gone', before: { S: 'x' }, after: null })
    expect(differences).toContainEqual({ kind: 'added', path: 'updated_by', before: null, after: { S: 'alice' } })
    expect(differences).toContainEqual({
      kind: 'changed',
      path: 'lines[sku=C].qty',
      before: { N: '1' },
      after: { N: '2' },
    })
    expect(differences).toContainEqual(expect.objectContaining({ kind: 'moved', before: null, after: null }))
  })

  it('of status is as documented', async () => {
    const { json, lines, exit } = await ask('status', '--config', fileOf('config.json', config))
    // what is sealed is seen in `sealed.test.ts`, a tail and a comparison in `status.test.ts`
    const compared = ['time', 'differing', 'unsettled', 'earlier'].map(name => `compared.${name}`)
    const feed = [...compared, 'tail.saved', 'tail.running', 'tail.finished']
    const objects = ['altered', 'identical', 'missing', 'not_sealed', 'objects', 'same_size', 'unlisted']
    const journal = [...objects, 'last_seal', 'problems', 'root', 'signed', 'size']
    expectContract(
      'status',
      [json],
      [
        ...['tables[].misfits[].column', 'tables[].misfits[].changes', 'unreadable[].table', 'unreadable[].reason'],
        ...[...journal, 'objects[].key', 'objects[].kind'].map(name => `tables[].journal.${name}`),
        ...[...feed, 'tail.until_loss', 'tail.behind'].map(name => `tables[].${name}`),
        // in test/erasure/journey.test.ts
        ...['token', 'asked'].map(name => `tables[].uncertified[].${name}`),
        ...['token', 'destroyed', 'searched', 'objects'].map(name => `unsearched[].${name}`),
      ],
    )
    expect(lines).toEqual([json])
    expect(exit).toBe(1)
    expect(json).toMatchObject({
      tables: [
        { table: 'Nothing', rows: 0, first: null },
        { table: 'Orders', rows: 5, changes: 4, items: 2, objects: 1, first: '2026-11-22T10:00:00.000Z' },
      ],
      refused: [
        { table: null, records: 1 },
        { table: 'Orders', records: 1 },
      ],
      damaged: [],
    })
  })

  it('of redrive is as documented', async () => {
    const archive = join(makeFolder(), 'archive')
    await run(['ingest', '-', '--archive', archive], { stdin: linesOf(refused) })
    const redrive = async (...more: string[]) =>
      JSON.parse((await run(['redrive', '--archive', archive, '--format', 'json', ...more])).out) as object
    // only Firehose has codes
    expectContract('redrive', [await redrive(), await redrive('--send')], ['errors[].code', 'errors[].times'])
  })

  it('of queries is as documented', async () => {
    const [json, ndjson] = await Promise.all(['json', 'ndjson'].map(format => run(['queries', '--format', format])))
    const values = JSON.parse(json?.out as string) as { name: string }[]
    expectContract('queries', values)
    expect(values.map(({ name }) => name)).toEqual([...SAVED_QUERIES.keys()])
    expect(
      ndjson?.out
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line) as unknown),
    ).toEqual(values)
  })

  it('of query has the columns that queries tells', async () => {
    const { json, lines } = await ask('query', 'item-history', 'Orders', '--param', 'item_key=ORD12345')
    const { rows, verdict } = json as { rows: Record<string, unknown>[]; verdict: object }
    expect(lines).toEqual(rows)
    expect(verdict).toMatchObject({ judged: true, confidence: 'UNBROKEN', item: { remarks: [] }, tables: [] })
    const [row] = rows
    expect(Object.keys(row as object)).toEqual(savedQuery('item-history').columns.map(({ name }) => name))
    expect(JSON.parse(row?.new_image as string)).toEqual(orders)
    const none = await ask('query', 'deletions', 'Orders')
    expect([none.json, none.lines]).toEqual([expect.objectContaining({ rows: [] }), []])
  })

  it('of sql has the types as documented', async () => {
    const table = /^## sql\n(.*?)^## /ms.exec(DOCUMENT)?.[1] as string
    const examples = [...table.matchAll(/^\| .+ \| .+ \| `(.+)` \|$/gm)].map(match => match[1])
    const statement = `select 9007199254740993 as a, 12345678901234567890.50 as b, 0.5::double as c, true as d, 'text' as e,
      date '2026-11-22' as f, timestamp '2026-11-22 10:00:00' as g, timestamptz '2026-11-22 12:00:00+02' as h, ['a', 'b'] as i, {'a': 1} as j`
    const { out } = await run(['sql', statement, '--archive', root, '--format', 'ndjson'])
    expect(out).toBe(`{${examples.map((example, i) => `"${'abcdefghij'[i]}":${example}`).join(',')}}\n`)
    const odd = await run(['sql', "select 'nan'::double as a, null as b", '--archive', root, '--format', 'ndjson'])
    expect(odd.out).toBe('{"a":null,"b":null}\n')
  })

  it('of rerun is as documented', async () => {
    const receipt = fileOf('receipt.json', '')
    const asked = ['sql', 'select item_key, repeats from (select item_key, 0 as repeats from orders) where repeats < 1']
    await run([...asked, '--archive', root, '--receipt', receipt, '--force'])
    const notRun = await ask('rerun', receipt)
    expect(notRun.exit).toBe(3)
    const same = await ask('rerun', receipt, '--trust-sql')
    expect(same.exit).toBe(0)
    const more = await archiveOf([streamsRecord({ Keys: { order_id: { S: 'new' } } })])
    const other = await run(['rerun', receipt, '--trust-sql', '--archive', more, '--format', 'json'])
    expect(other.exit).toBe(1)
    const file = await ask('rerun', receipt, '--trust-sql', '--file', receipt)
    expect(file.exit).toBe(3)
    expectContract('rerun', [notRun.json, same.json, JSON.parse(other.out), file.json])
  })

  it('is documented for every command that has it', () => {
    const sections = [...DOCUMENT.matchAll(/^## ([a-z-]+)$/gm)].map(match => match[1])
    const withFormat = COMMANDS.filter(({ options }) => options.some(([flags]) => flags.startsWith('--format')))
    expect(sections.sort()).toEqual(withFormat.map(({ usage }) => usage.split(' ')[0]).sort())
  })
})
