/** The items of a table, and where a value ever stood. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { type Attributes, type StreamsFields, streamsRecord } from '../factories.js'
import { november } from '../queries/story.js'
import { archiveOf, makeFolder, run } from './command-line.js'
import { expectContract } from './contract.js'

let sequence = 100
/** A change of an order of a customer, which has a partition key and a sort key. */
function change(
  [pk, sk]: readonly [string, string],
  time: string,
  before: Attributes | undefined,
  after: Attributes | undefined,
  fields: StreamsFields = {},
) {
  const Keys = { pk: { S: pk }, sk: { S: sk } }
  sequence++
  return streamsRecord({
    Keys,
    OldImage: before && { ...Keys, ...before },
    NewImage: after && { ...Keys, ...after },
    eventID: `event-${sequence}`,
    SequenceNumber: String(sequence),
    ApproximateCreationDateTime: november(time),
    ...fields,
  })
}

const ONE = ['CUSTOMER#1', 'ORDER#1'] as const
const TWO = ['CUSTOMER#1', 'ORDER#"2"'] as const
const THREE = ['CUSTOMER#12', 'ORDER#1'] as const
const BLIND = ['CUSTOMER#9', 'ORDER#9'] as const
const OLDER = ['CUSTOMER#8', 'ORDER#8'] as const
const lines = (sku: string) => ({ lines: { L: [{ M: { sku: { S: sku }, qty: { N: '2' } } }] } })
const city = (name: string) => ({ shipping: { M: { city: { S: name } } } })
const RECORDS = [
  change(ONE, '20T10:00:00', undefined, { ...city('Ulm'), ...lines('Ulm') }),
  change(ONE, '20T11:00:00', { ...city('Ulm'), ...lines('Ulm') }, { ...city('Bonn'), ...lines('Ulm') }),
  change(ONE, '20T12:00:00', { ...city('Bonn'), ...lines('Ulm') }, { ...city('Ulm'), ...lines('Ulm') }),
  change(TWO, '20T13:00:00', undefined, { tags: { SS: ['a', 'Ulm'] }, n: { N: '7' } }),
  change(TWO, '20T14:00:00', { tags: { SS: ['a', 'Ulm'] }, n: { N: '7' } }, undefined),
  change(THREE, '20T15:00:00', undefined, { Ulm: { S: 'a name is no value' }, quote: { S: 'say "Ulm"' } }),
  // a stream that keeps new images only: that the value went shows in what came after alone
  change(BLIND, '20T16:00:00', undefined, city('Ulm'), { StreamViewType: 'NEW_IMAGE' }),
  change(BLIND, '20T17:00:00', undefined, city('Bonn'), { StreamViewType: 'NEW_IMAGE', eventName: 'MODIFY' }),
  // older than the archive
  change(OLDER, '20T18:00:00', city('Ulm'), city('Ulm')),
]

let root: string
beforeAll(async () => {
  root = await archiveOf(RECORDS)
})
const ask = (...argv: string[]) => run([...argv, '--archive', root])
const json = async (...argv: string[]) => JSON.parse((await ask(...argv, '--format', 'json')).out)

describe('items', () => {
  it('tells of each item its last change, how many, and whether it is there', async () => {
    const { out, err } = await ask('items', 'Orders', '--at', '2026-11-21T00:00:00Z', '--no-verdict')
    expect(
      out
        .split('\n')
        .slice(0, 6)
        .map(line => line.split(/ {2,}/)),
    ).toEqual([
      ['item', 'state', 'last change', 'event', 'actor', 'changes'],
      ['pk=CUSTOMER#1,sk=ORDER#1', 'present', '2026-11-20 12:00:00Z', 'MODIFY', '3'],
      ['pk=CUSTOMER#1,sk=ORDER#"2"', 'deleted', '2026-11-20 14:00:00Z', 'REMOVE', '2'],
      ['pk=CUSTOMER#12,sk=ORDER#1', 'present', '2026-11-20 15:00:00Z', 'INSERT', '1'],
      ['pk=CUSTOMER#8,sk=ORDER#8', 'present', '2026-11-20 18:00:00Z', 'MODIFY', '1'],
      ['pk=CUSTOMER#9,sk=ORDER#9', 'present', '2026-11-20 17:00:00Z', 'MODIFY', '2'],
    ])
    expect(err).toBe('5 items of Orders as of 2026-11-21 00:00:00Z\n')
  })

  it('knows what was there at a moment', async () => {
    const { rows } = await json('items', 'Orders', '--at', '2026-11-20T13:00:00Z')
    expect(rows.map(({ state, changes }: { state: string; changes: number }) => [state, changes])).toEqual([
      ['present', 3],
      ['present', 1],
    ])
  })

  it.each([
    ['CUSTOMER#1', 3],
    ['pk=CUSTOMER#1', 3],
    ['sk=ORDER#1', 2],
    ['ORDER#"', 1],
    ['sk=ORDER#"2"', 1],
    ['CUSTOMER#2', 0],
    ['USTOMER', 0],
    ['', 5],
  ])('narrows by the beginning of a key: %s', async (prefix, count) => {
    const { rows, known } = await json('items', 'Orders', prefix)
    expect([rows.length, known]).toEqual([count, count])
  })

  it('says that a limit cut the rest', async () => {
    const { exit, out, err } = await ask(
      'items',
      'Orders',
      'CUSTOMER#1',
      '--limit',
      '2',
      '--at',
      '2026-11-20T18:00:00Z',
    )
    expect([exit, out.split('\n').filter(line => line.startsWith('pk=')).length]).toEqual([1, 2])
    expect(err).toContain('2 of 3 items of Orders as of 2026-11-20 18:00:00Z: --limit cut the rest\n')
    const { rows, known } = await json('items', 'Orders', '--limit', '2')
    expect([rows.length, known]).toEqual([2, 5])
    for (const limit of ['0', '-1', 'x', '1.5'])
      expect(await ask('items', 'Orders', '--limit', limit)).toMatchObject({
        exit: 2,
        err: `itemtrail: --limit is "${limit}", expected a whole number from 1\n`,
      })
  })

  it('is as documented, has a receipt that runs again, and is what the library tells', async () => {
    const whole = await json('items', 'Orders')
    expectContract('items', [whole.rows, { known: whole.known }].flat(), ['verdict'])
    const receipt = join(makeFolder(), 'receipt.json')
    await ask('items', 'Orders', '--at', '2026-11-20T18:00:00Z', '--receipt', receipt)
    expect((await ask('rerun', receipt)).exit).toBe(0)
    await using archive = await openArchive(root)
    const told = []
    for await (const item of archive.items('Orders', { prefix: 'CUSTOMER#1', limit: 2 })) told.push(item)
    expect(told).toMatchObject([
      { key: { sk: { S: 'ORDER#1' } }, state: 'present', changes: 3, change: { time: '2026-11-20T12:00:00Z' } },
      { key: { sk: { S: 'ORDER#"2"' } }, state: 'deleted', changes: 2, known: 3, change: { eventName: 'REMOVE' } },
    ])
  })

  it('of an item that a complete baseline lacks is gone', async () => {
    const files = fileURLToPath(new URL('../fixtures/cases/baseline-lacks-an-item/', import.meta.url))
    const place = ['--archive', join(makeFolder(), 'archive'), '--config', join(files, 'itemtrail.config.json')]
    for (const folder of ['first/AWSDynamoDB/01763600100000-a0000000', 'second/AWSDynamoDB/01763686500000-b0000000'])
      await run(['baseline', 'Things', '--export', join(files, folder), ...place])
    const { out } = await run(['items', 'Things', '--at', '2025-11-21T02:00:00Z', ...place])
    expect(out).toMatch(/\ni0 +gone +2025-11-20 [\d:.]+Z +BASELINE +0\n/)
    expect(out).toMatch(/\ni1 +present /)
    const before = await run(['items', 'Things', '--at', '2025-11-20T02:00:00Z', ...place])
    expect(before.out).toMatch(/\ni0 +present /)
  })

  it('counts all changes where a copy holds but those that states depend on', async () => {
    const copied = await archiveOf(RECORDS)
    expect((await run(['compact', '--archive', copied])).exit).toBe(0)
    const { out } = await run(['items', 'Orders', '--archive', copied, '--format', 'json'])
    const { rows } = JSON.parse(out)
    expect(rows).toEqual((await json('items', 'Orders')).rows)
  })
})

describe('find', () => {
  const spans = async (...argv: string[]) => {
    const { rows } = await json('find', 'Orders', ...argv)
    return rows.map(
      ({
        item_key: key,
        path,
        from,
        from_event,
        until,
        until_event,
      }: Readonly<Record<string, string>> & { item_key: { pk: { S: string } } }) => [
        key.pk.S,
        path,
        `${from_event === null ? '<' : ''}${from?.slice(11, 16)}`,
        until === null ? null : `${until_event === null ? '<' : ''}${until?.slice(11, 16)}`,
      ],
    )
  }

  it('tells where a value stood, in maps, lists and sets, from when to when', async () => {
    expect(await spans('Ulm')).toEqual([
      ['CUSTOMER#1', 'shipping.city', '10:00', '11:00'],
      ['CUSTOMER#1', 'lines[sku=Ulm].sku', '10:00', null],
      ['CUSTOMER#1', 'shipping.city', '12:00', null],
      ['CUSTOMER#1', 'tags', '13:00', '14:00'],
      // it stood there before the archive's first change
      ['CUSTOMER#8', 'shipping.city', '<18:00', null],
      ['CUSTOMER#9', 'shipping.city', '16:00', '17:00'],
    ])
  })

  it('narrows by an attribute, takes numbers and keys, and quotes', async () => {
    expect(await spans('Ulm', '--attribute', 'lines')).toEqual([['CUSTOMER#1', 'lines[sku=Ulm].sku', '10:00', null]])
    expect(await spans('Ulm', '--attribute', 'ship')).toEqual([])
    expect(await spans('7')).toEqual([['CUSTOMER#1', 'n', '13:00', '14:00']])
    expect(await spans('ORDER#"2"')).toEqual([['CUSTOMER#1', 'sk', '13:00', '14:00']])
    expect(await spans('say "Ulm"')).toEqual([['CUSTOMER#12', 'quote', '15:00', null]])
    expect(await spans("x' or '1'='1")).toEqual([])
  })

  it('says what was not looked at, and how a number is written', async () => {
    const { err, out } = await ask('find', 'Orders', 'Ulm', '--limit', '1', '--no-verdict')
    expect(err).toBe('3 places in 1 item\n4 more items have it: --limit looks at more than 1\n')
    expect(out).toMatch(/\npk=CUSTOMER#1,sk=ORDER#1 {2}shipping\.city {7}2026-11-20 10:00:00Z {2}[0-9a-f]{8} /)
    const number = await ask('find', 'Orders', '7.0', '--no-verdict')
    expect(number.err).toContain('the number 7.0 is written 7 in the archive: itemtrail find TABLE 7\n')
    expect(number.out).toContain('no image in the archive has this value\n')
    const narrowed = await ask('find', 'Orders', 'Ulm', '--attribute', 'nothing')
    expect(narrowed.out).toContain('this value never stood at nothing\n')
    expect((await ask('find', 'Orders', '')).exit).toBe(2)
  })

  it('is as documented, has a receipt that runs again, and is what the library tells', async () => {
    const whole = await json('find', 'Orders', 'Ulm')
    expectContract('find', [whole.rows, { not_looked_at: whole.not_looked_at, sealed: whole.sealed }].flat(), [
      'verdict',
    ])
    expect(whole.not_looked_at).toBe(0)
    const receipt = join(makeFolder(), 'receipt.json')
    await ask('find', 'Orders', 'Ulm', '--receipt', receipt)
    expect((await ask('rerun', receipt)).exit).toBe(0)
    await using archive = await openArchive(root)
    const told = []
    for await (const place of archive.find('Orders', 'Ulm', { attribute: 'tags' })) told.push(place)
    expect(told).toMatchObject([{ path: 'tags', from: '2026-11-20T13:00:00.000000Z', confidence: 'UNBROKEN' }])
  })
})

describe('a file of a list', () => {
  it('tells which keys were asked for, and what --limit left out', async () => {
    const argv = ['items', 'Orders', 'pk=CUSTOMER', '--limit', '1']
    for (const format of ['html', 'markdown']) {
      const { out } = await ask(...argv, '--format', format)
      expect(out).toContain('pk=CUSTOMER')
      expect(out).toMatch(/1 of \d+ items: --limit cut the rest/)
    }
    const output = join(makeFolder(), 'items.csv')
    await ask(...argv, '--output', output)
    const beside = readFileSync(`${output}.verdict.txt`, 'utf8')
    expect(beside).toContain('\nkey begins with: pk=CUSTOMER\n')
    expect(beside).toMatch(/\nshown: 1 of \d+ items: --limit cut the rest\n/)
    expect((await ask('items', 'Orders', '--format', 'markdown')).out).not.toContain('--limit')
  })

  it('tells how many items with the value were not looked at', async () => {
    const argv = ['find', 'Orders', 'Ulm', '--limit', '1']
    const left = '4 more items have it: --limit looks at more than 1'
    const { out } = await ask(...argv, '--format', 'markdown')
    expect(out).toContain(`- not looked at: ${left}\n`)
    expect((await ask(...argv, '--format', 'html')).out).toContain(left)
    const output = join(makeFolder(), 'places.csv')
    await ask(...argv, '--output', output)
    expect(readFileSync(`${output}.verdict.txt`, 'utf8')).toContain(`\nnot looked at: ${left}\n`)
    expect((await ask('find', 'Orders', 'Ulm', '--format', 'markdown')).out).not.toContain('not looked at')
  })
})

describe('history of a partition', () => {
  it('interleaves its items in time, each line with its sort key, each item with its own verdict', async () => {
    const { exit, out } = await ask('history', 'Orders', 'pk=CUSTOMER#1')
    expect([exit, out.split('\n').slice(0, 3)]).toEqual([
      0,
      [
        'Orders pk=CUSTOMER#1  5 changes of 2 items',
        '2 items: 2 UNBROKEN',
        'not shown by this: an item of the partition none of whose changes came',
      ],
    ])
    const heads = out.split('\n').filter(line => /^[●✗]/.test(line))
    expect(heads.map(line => [line.slice(13, 18), line.split('  ').at(-1)])).toEqual([
      ['14:00', 'sk=ORDER#"2"'],
      ['13:00', 'sk=ORDER#"2"'],
      ['12:00', 'sk=ORDER#1'],
      ['11:00', 'sk=ORDER#1'],
      ['10:00', 'sk=ORDER#1'],
    ])
    expect(out).toContain('    ~ shipping.city  "Ulm" → "Bonn"\n')
  })

  it('says which of its items is doubtful, and ends with that', async () => {
    const { exit, out } = await ask('history', 'Orders', 'sk=ORDER#8')
    expect([exit, out]).toEqual([1, expect.stringContaining('\npk=CUSTOMER#8: PRE-ARCHIVE: the item is older')])
  })

  it('tells programs whose change each is', async () => {
    const told = await json('history', 'Orders', 'pk=CUSTOMER#1')
    expect(told).toMatchObject({ table: 'Orders', partition: 'pk=CUSTOMER#1', confidence: 'UNBROKEN' })
    expect(told.items.map(({ changes }: { changes: number }) => changes)).toEqual([3, 2])
    expect(told.changes[0]).toMatchObject({ item_key: { sk: { S: 'ORDER#"2"' } }, event_name: 'REMOVE' })
    const { out } = await ask('history', 'Orders', 'pk=CUSTOMER#1', '--format', 'csv')
    expect(out.split('\r\n')).toHaveLength(7)
    const receipt = join(makeFolder(), 'receipt.json')
    expect((await ask('history', 'Orders', 'pk=CUSTOMER#1', '--receipt', receipt)).exit).toBe(0)
    expect((await ask('rerun', receipt)).exit).toBe(0)
    expect((await ask('history', 'Orders', 'pk=CUSTOMER#1', '--format', 'html')).out).toContain('sk=ORDER#1')
  })

  it('is narrowed by the flags of a history', async () => {
    const { out } = await ask('history', 'Orders', 'pk=CUSTOMER#1', '-n', '2', '--event', 'INSERT')
    expect(out).toContain('\n2 of 5 shown: --last 2 --event INSERT\n')
    expect(out.match(/^● .*$/gm)).toHaveLength(2)
    const csv = await ask('history', 'Orders', 'pk=CUSTOMER#1', '-n', '2', '--format', 'csv')
    expect(csv.out.split('\r\n')).toHaveLength(4)
    // whoever has the file alone must know that it is a part
    expect(csv.err).toContain('2 of 5 shown: --last 2\n')
    const page = await ask('history', 'Orders', 'pk=CUSTOMER#1', '-n', '2', '--format', 'html')
    expect(page.out).toContain('2 of 5 shown: --last 2')
    expect((await json('history', 'Orders', 'pk=CUSTOMER#1', '-n', '2')).left_out).toBe(3)
  })

  it('leaves the key of one item to that item, and says what never came', async () => {
    expect((await ask('history', 'Orders', 'pk=CUSTOMER#1,sk=ORDER#1')).out).toMatch(
      /^Orders pk=CUSTOMER#1,sk=ORDER#1 {2}3/,
    )
    const never = await ask('history', 'Orders', 'pk=CUSTOMER')
    expect([never.exit, never.out, never.err]).toEqual([
      1,
      '',
      expect.stringContaining('Orders pk=CUSTOMER was never seen'),
    ])
    expect((await ask('history', 'Orders', 'CUSTOMER#1')).exit).toBe(2)
  })
})

it.each([
  ['items', 'Orders'],
  ['history', 'Orders', 'pk=CUSTOMER#1'],
  ['find', 'Orders', 'Ulm'],
])('%s is a file in every format', async (...question) => {
  for (const format of ['csv', 'html', 'ndjson']) {
    const { out } = await ask(...question, '--format', format)
    expect(out).toContain('ORDER#1')
  }
})
