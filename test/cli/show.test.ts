/** One change by its id, wherever an id is printed, and what differs between two of them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { type StreamsFields, streamsRecord } from '../factories.js'
import { sealFolder } from '../journal/desk-journal.js'
import { change } from '../queries/story.js'
import { archiveOf, linesOf, makeFolder, run, runForBytes } from './command-line.js'
import { expectContract } from './contract.js'

const status = (text: string) => ({ status: { S: text }, updated_by: { S: 'alice' } })
const PEOPLE_ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/People/stream/2026-01-01T00:00:00.000'
const person = (fields: StreamsFields) =>
  streamsRecord({ eventSourceARN: PEOPLE_ARN, Keys: { id: { S: 'ann' } }, NewImage: { id: { S: 'ann' } }, ...fields })
/** Three changes within one second, a removal, one of another item, one without images, one of another table. */
const RECORDS = [
  change('A', '20T10:00:00', undefined, status('NEW')),
  change('A', '20T10:00:00', status('NEW'), status('PAID')),
  change('A', '20T10:00:00', status('PAID'), status('SENT')),
  change('A', '21T10:00:00', status('SENT'), undefined),
  change('B', '20T11:00:00', undefined, status('NEW')),
  change('C', '20T12:00:00', undefined, undefined, {
    StreamViewType: 'KEYS_ONLY',
    eventName: 'MODIFY',
    eventID: undefined,
  }),
  person({ eventID: 'person-1', SequenceNumber: '1', OldImage: undefined, eventName: 'INSERT' }),
]

let root: string
let idsOf: Readonly<Record<string, readonly string[]>>
beforeAll(async () => {
  root = await archiveOf(RECORDS)
  const answer = async (table: string, key: string) => {
    const { out } = await run(['history', table, key, '--archive', root, '--format', 'json'])
    const { changes } = JSON.parse(out) as { readonly changes: readonly { readonly event_id: string }[] }
    return changes.map(({ event_id: id }) => id).reverse()
  }
  idsOf = {
    A: await answer('Orders', 'A'),
    B: await answer('Orders', 'B'),
    C: await answer('Orders', 'C'),
    ann: await answer('People', 'ann'),
  }
})
const id = (item: string, n: number) => idsOf[item]?.[n - 1] as string
const short = (item: string, n: number) => id(item, n).slice(0, 8)
const ask = (...argv: string[]) => run([...argv, '--archive', root])

describe('show', () => {
  it('tells both images, the place among all changes, hashes and neighbours', async () => {
    const { exit, out, err } = await ask('show', 'Orders', short('A', 2))
    expect([exit, err]).toEqual([0, ''])
    expect(out).toMatch(/^Orders A {2}change 2 of 4 of the item\nUNBROKEN since /)
    expect(out).toContain('    ~ status  "NEW" → "PAID"\n')
    expect(out).toMatch(/\nthe item before it\n {4}order_id {4}"A"\n {4}status {6}"NEW"\n/)
    expect(out).toMatch(/\nthe item after it\n {4}order_id {4}"A"\n {4}status {6}"PAID"\n/)
    expect(out).toContain(`event id            ${id('A', 2)}\n`)
    expect(out).toContain(`earlier             ${short('A', 1)}  INSERT 2026-11-20 10:00:00Z\n`)
    expect(out).toContain(`later               ${short('A', 3)}  MODIFY 2026-11-20 10:00:00Z\n`)
    expect(out).toMatch(/SHA-256 of the row {2}[0-9a-f]{64}\n/)
    expect(out).toMatch(/object {14}data\/Orders\/event_date=2026-11-20\/\S+\.parquet\n {20}nothing is sealed/)
  })

  it('finds an event in any table, and takes an id as answers and files print it', async () => {
    for (const typed of [id('ann', 1), short('ann', 1), ` "${id('ann', 1).toUpperCase()}",\n`]) {
      const { exit, out } = await ask('show', typed)
      expect([exit, out.split('\n')[0]]).toEqual([0, 'People ann  change 1 of 1 of the item'])
    }
    expect((await ask('show', short('A', 1), 'orders')).out).toMatch(/^Orders A /)
  })

  it('says what was not there, and what no image tells', async () => {
    expect((await ask('show', short('A', 4))).out).toContain('the item after it\n    not there\n')
    expect((await ask('show', short('A', 1))).out).toContain('the item before it\n    not there\n')
    const blind = await ask('show', short('C', 1))
    expect([blind.exit, blind.out]).toEqual([1, expect.stringContaining('KEYS-ONLY')])
    expect(blind.out).toContain('the item before it\n    the stream kept no image (view type KEYS_ONLY)\n')
  })

  it.each([
    [['show', 'ORD12345'], 2, 'event "ORD12345" is none, expected at least 8 signs of its id'],
    [['show', 'abcdef1'], 2, 'event "abcdef1" is none'],
    [['show', 'ffffffffffff'], 1, 'event ffffffffffff is not in the archive (Orders, People)'],
    [['show', 'Nothing', 'ffffffffffff'], 2, 'table "Nothing" is not in the archive'],
    [['show', 'People', 'ffffffffffff'], 1, 'event ffffffffffff is not in the archive of People'],
  ])('refuses %j', async (argv, exit, message) => {
    const ending = await ask(...argv)
    expect([ending.exit, ending.out, ending.err]).toEqual([exit, '', expect.stringContaining(`itemtrail: ${message}`)])
  })

  it('tells of several events that begin so, and shows none', async () => {
    // a second archive in which two ids share their first eight signs: rows are copied with another id
    const many = await twins()
    const { exit, out, err } = await run(['show', 'aaaaaaaa', '--archive', many])
    expect([exit, out]).toEqual([1, ''])
    expect(err).toBe(
      `itemtrail: event aaaaaaaa is the beginning of several ids\n  more of the id tells one: aaaaaaaa${'0'.repeat(24)} of Orders, aaaaaaaa${'1'.repeat(24)} of Orders\n`,
    )
  })

  it('says whether its object is sealed, by the journal', async () => {
    const sealed = await archiveOf(RECORDS.slice(0, 2))
    await sealFolder(sealed)
    const { out } = await run(['show', short('A', 1), '--archive', sealed])
    expect(out).toMatch(/\.parquet\n {20}sealed\n$/)
    const late = await run(['ingest', '-', '--archive', sealed], { stdin: linesOf([RECORDS[2]]) })
    expect(late.exit).toBe(0)
    const third = await run(['show', short('A', 3), '--archive', sealed, '--format', 'json'])
    expect(JSON.parse(third.out).objects).toEqual([{ key: expect.any(String), sealed: 'not sealed' }])
    const key = JSON.parse(third.out).earlier as string
    const { out: second } = await run(['show', key, '--archive', sealed, '--format', 'json'])
    const object = join(sealed, JSON.parse(second).objects[0].key)
    writeFileSync(object, readFileSync(await rowsOf(sealed, object, "'x' as source_event_id")))
    const altered = await run(['show', short('A', 1), '--archive', sealed])
    expect([altered.exit, altered.out]).toEqual([1, expect.stringContaining('ALTERED: another than was sealed\n')])
  })

  it('is a row as a file, one JSON object as documented, and has a receipt that runs again', async () => {
    const { bytes } = await runForBytes(['show', short('A', 2), '--archive', root, '--format', 'arrow'])
    const [row, ...others] = [...tableFromIPC(bytes)]
    expect([others.length, row?.event_id]).toEqual([0, id('A', 2)])
    const [one, removed, first, blind] = await Promise.all(
      [short('A', 2), short('A', 4), short('A', 1), short('C', 1)].map(async event => {
        return JSON.parse((await ask('show', event, '--format', 'json')).out) as object
      }),
    )
    const onAws = { ...one, objects: null }
    expectContract('show', [one, removed, first, blind, onAws])
    expect(one).toMatchObject({
      table: 'Orders',
      place: 2,
      of: 4,
      earlier: id('A', 1),
      later: id('A', 3),
      problems: [],
    })
    const receipt = join(makeFolder(), 'receipt.json')
    expect((await ask('show', short('A', 2), '--receipt', receipt)).exit).toBe(0)
    expect((await ask('rerun', receipt)).exit).toBe(0)
    expect((await ask('show', short('A', 2), '--format', 'html')).out).toContain('What did the MODIFY of Orders A')
  })

  it('is what the library tells, too', async () => {
    await using archive = await openArchive(root)
    expect(await archive.change(short('A', 3))).toMatchObject({
      table: 'Orders',
      key: { order_id: { S: 'A' } },
      place: 3,
      of: 4,
      earlier: id('A', 2),
      later: id('A', 4),
      change: { before: { status: { S: 'PAID' } }, after: { status: { S: 'SENT' } } },
      objects: [{ sealed: 'no journal' }],
      confidence: 'UNBROKEN',
    })
    await expect(archive.change('ORD12345')).rejects.toThrow('expected at least 8 signs')
    await expect(archive.change('ffffffff', 'People')).rejects.toThrow('event ffffffff is not in the archive of People')
  })
})

describe('diff of two events', () => {
  it('tells states apart that have one time', async () => {
    const { exit, out } = await ask('diff', short('A', 1), short('A', 2))
    expect(exit).toBe(0)
    expect(out).toContain(
      `${short('A', 1)} (2026-11-20 10:00:00Z) → ${short('A', 2)} (2026-11-20 10:00:00Z), 1 change between\n`,
    )
    expect(out).toContain('\n~ status  "NEW" → "PAID"\n')
    const { out: json } = await ask('diff', 'Orders', short('A', 1), short('A', 4), '--format', 'json')
    expect(JSON.parse(json)).toMatchObject({
      from_event: id('A', 1),
      to_event: id('A', 4),
      to_state: 'deleted',
      changes: 3,
    })
  })

  it.each([
    [() => [short('A', 3), short('A', 1)], 2, 'came after event'],
    [() => ['Orders', short('A', 1), short('B', 1)], 2, 'of Orders A, and event'],
    [() => [short('A', 1), short('ann', 1)], 2, 'of Orders A, and event'],
    [() => ['Orders', short('C', 1), short('C', 1)], 3, 'the archive has no image after it'],
    [() => ['Orders', short('A', 1), 'x'], 2, 'event "x" is none'],
    [() => [short('A', 1), short('A', 2), '--from', '2026-11-20T10:00:00Z'], 2, '--from is of a key'],
  ])('refuses %s', async (argv, exit, message) => {
    const ending = await ask('diff', ...argv())
    expect([ending.exit, ending.out, ending.err]).toEqual([exit, '', expect.stringContaining(message)])
  })
})

/** An archive with two events whose ids share their first eight signs, which no record can be made to have. */
async function twins(): Promise<string> {
  const root = await archiveOf(RECORDS.slice(0, 2))
  const number = 'cast(row_number() over (order by sequence) - 1 as varchar)'
  const object = objectIn(root)
  writeFileSync(object, readFileSync(await rowsOf(root, object, `'aaaaaaaa' || repeat(${number}, 24) as event_id`)))
  return root
}

const objectIn = (root: string) => {
  const day = join(root, 'data/Orders/event_date=2026-11-20')
  return join(day, readdirSync(day)[0] as string)
}

/** The rows of an object, some columns replaced, as a Parquet file. */
async function rowsOf(root: string, object: string, replaced: string): Promise<string> {
  const copy = join(makeFolder(), 'rows.parquet')
  const rows = `select * replace (${replaced}) from read_parquet('${object}', hive_partitioning = false)`
  const { exit, err } = await run(['sql', `copy (${rows}) to '${copy}'`, '--files', '--archive', root])
  expect([exit, err]).toEqual([expect.any(Number), expect.not.stringContaining('itemtrail: ')])
  return copy
}
