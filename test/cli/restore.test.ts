/**
 * Plans without a table: beside the newest states in the archive, or into a folder. With one:
 * `test/live/restore.test.ts`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DiskArchive } from '../../store/folder.js'
import { writeFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { type Attributes, gapFact, TIME_TO_LIVE } from '../factories.js'
import { archiveOf, makeFolder, run } from './command-line.js'
import { expectContract } from './contract.js'
import { orderChanges } from './order-changes.js'

const { change } = orderChanges()

const order = (id: string, status: string): Attributes => ({ order_id: { S: id }, status: { S: status } })
const insert = (id: string, minute: number, status: string) => change(id, minute, { NewImage: order(id, status) })
const modify = (id: string, minute: number, from: string, to: string) =>
  change(id, minute, { OldImage: order(id, from), NewImage: order(id, to) })
const remove = (id: string, minute: number, from: string) => change(id, minute, { OldImage: order(id, from) })

/** At minute 3 something went wrong. */
const WRONG = 3
const contradicted = insert('CONTRADICTED', 0, 'PAID')
const RECORDS = [
  insert('CHANGED', 0, 'PAID'),
  modify('CHANGED', WRONG, 'PAID', 'CANCELLED'),
  insert('DELETED', 0, 'PAID'),
  remove('DELETED', WRONG, 'PAID'),
  insert('UNTOUCHED', 0, 'PAID'),
  insert('CAME', WRONG, 'PENDING'),
  insert('GONE BEFORE', 0, 'PAID'),
  remove('GONE BEFORE', 1, 'PAID'),
  insert('GONE BEFORE', WRONG, 'PAID'),
  modify('OLDER', 1, 'PENDING', 'PAID'),
  modify('OLDER', WRONG, 'PAID', 'CANCELLED'),
  modify('MUCH OLDER', WRONG, 'PAID', 'CANCELLED'),
  insert('BROKEN', 0, 'PENDING'),
  modify('BROKEN', WRONG, 'PAID', 'CANCELLED'),
  contradicted,
  { ...contradicted, userIdentity: TIME_TO_LIVE },
  modify('CONTRADICTED', WRONG, 'PAID', 'CANCELLED'),
  change('BLIND', 0, { StreamViewType: 'KEYS_ONLY', eventName: 'INSERT' }),
  change('AFTER', 0, { StreamViewType: 'NEW_IMAGE', NewImage: order('AFTER', 'PAID') }),
  change('AFTER', WRONG, { StreamViewType: 'NEW_IMAGE', eventName: 'MODIFY', NewImage: order('AFTER', 'CANCELLED') }),
]

interface Planned {
  readonly item_key: { readonly order_id: { readonly S: string } }
  readonly action: string
  readonly reason: string | null
}

describe('restore', () => {
  let root: string
  const before = { ...process.env }
  beforeAll(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none', AWS_REGION: 'us-east-1' })
    root = await archiveOf(RECORDS)
  })
  afterAll(() => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
  const restore = (...argv: string[]) => run(['restore', ...argv, '--archive', root])
  const beside = (...argv: string[]) => restore('Orders', ...argv, '--against', 'archive')
  const GOOD = ['--as-of', '2026-11-22T10:02:00Z']

  async function actions(...argv: string[]): Promise<Readonly<Record<string, string>>> {
    const { out } = await beside(...GOOD, '--format', 'ndjson', ...argv)
    const planned = out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Planned)
    return Object.fromEntries(
      planned.map(({ item_key, action, reason }) => [
        item_key.order_id.S,
        [action, ...(reason?.match(/^[A-Z-]+(?=:)/) ?? [])].join(' '),
      ]),
    )
  }

  it('shows what would be put back, and changes nothing', async () => {
    expect(await beside('CHANGED', ...GOOD)).toEqual({
      exit: 0,
      out:
        'Orders  as of 2026-11-22 10:02:00Z, beside the newest states in the archive\n' +
        '~ CHANGED  update\n' +
        '    ~ status  "CANCELLED" → "PAID"\n' +
        '0 to put, 1 to update, 0 to delete; 0 as they are\n',
      err: 'nothing was changed: --plan FILE keeps this plan, --apply performs it\n',
    })
  })

  it('acts on what is known for certain, and says why it does not act on the rest', async () => {
    expect(await actions()).toEqual({
      AFTER: 'update',
      BLIND: 'skip',
      BROKEN: 'skip GAP',
      CAME: 'leave',
      CHANGED: 'update',
      CONTRADICTED: 'skip CONFLICT',
      DELETED: 'put',
      'GONE BEFORE': 'leave',
      'MUCH OLDER': 'skip PRE-ARCHIVE',
      OLDER: 'skip PRE-ARCHIVE',
    })
    const { exit, out } = await beside(...GOOD)
    expect([exit, out.split('\n').at(-2)]).toEqual([
      1,
      '1 to put, 2 to update, 0 to delete; 1 as it is, 2 left, 5 skipped',
    ])
  })

  it('deletes, and accepts doubt, where it is told to', async () => {
    expect(await actions('--delete', '--accept', 'PRE-ARCHIVE', '--accept', 'CONFLICT')).toMatchObject({
      CAME: 'delete',
      'GONE BEFORE': 'delete',
      OLDER: 'update',
      CONTRADICTED: 'update',
      BROKEN: 'skip GAP',
      // what it was before its first change nobody can accept: it is unknown
      'MUCH OLDER': 'skip PRE-ARCHIVE',
    })
    expect(await actions('--accept', 'GAP', '--accept', 'KEYS-ONLY')).toMatchObject({
      BROKEN: 'update',
      BLIND: 'skip',
    })
  })

  it('says that a change within the very second of the instant counts as before it', async () => {
    const { exit, out, err } = await beside('CHANGED', '--as-of', '2026-11-22T10:03:00.400Z')
    expect([exit, out.split('\n')[1]]).toEqual([0, '0 to put, 0 to update, 0 to delete; 1 as it is'])
    expect(err).toContain('1 item has its last change within the very second of 2026-11-22 10:03:00.400Z')
    expect((await beside('CHANGED', '--as-of', '2026-11-22T10:04:00Z')).err).toBe('')
  })

  it('does not trust a state after which changes of the table were lost, unless a later change confirms it', async () => {
    const later = insert('LATER', 5, 'PAID')
    const lossy = await archiveOf([...RECORDS, later, insert('STILL', 0, 'PAID')])
    const fact = gapFact({
      recorded: '2026-11-22T10:06:00.000000Z',
      from: '2026-11-22T10:01:30.000000Z',
      to: '2026-11-22T10:02:30.000000Z',
    })
    await new DiskArchive(lossy).put(factKey(fact), Buffer.from(writeFact(fact)))
    const plan = async (...argv: string[]) => {
      const { out } = await run(['restore', 'Orders', ...GOOD, ...argv, '--archive', lossy, '--format', 'ndjson'])
      return out
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line) as Planned)
    }
    // into an empty place everything is put: what changed later is confirmed by that change, what did not is not
    const lost = (items: readonly Planned[]) =>
      items.filter(({ reason }) => reason?.startsWith('LOST')).map(({ item_key }) => item_key.order_id.S)
    expect(lost(await plan('--output', join(makeFolder(), 'a')))).toEqual(['STILL', 'UNTOUCHED'])
    expect(lost(await plan('--output', join(makeFolder(), 'b'), '--accept', 'LOST'))).toEqual([])
    // what is as it was needs nothing
    expect(lost(await plan('--against', 'archive'))).toEqual([])
  })

  it('keeps a plan in a file, and no second one in its place', async () => {
    const plan = join(makeFolder(), 'plan.jsonl')
    const first = await beside(...GOOD, '--plan', plan)
    expect(first.err).toContain('nothing was changed; the plan names no table, so it is to be read')
    const [header, ...items] = readFileSync(plan, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    expect(header).toMatchObject({
      table: 'Orders',
      as_of: '2026-11-22T10:02:00.000000Z',
      against: 'archive',
      target: null,
      counts: { put: 1, update: 2, delete: 0, leave: 2, skip: 5, same: 1 },
    })
    expect(items).toHaveLength(10)
    const again = await beside(...GOOD, '--plan', plan)
    expect([again.exit, again.err]).toEqual([2, expect.stringContaining('is there already')])
  })

  it('writes an export of what was there for certain', async () => {
    const output = join(makeFolder(), 'export')
    const { exit, out, err } = await restore('Orders', ...GOOD, '--output', output)
    expect([exit, err]).toEqual([1, expect.stringMatching(/written: .*manifest-summary\.json\n/)])
    expect(out).toContain('4 to put, 0 to update, 0 to delete')
    const names = readdirSync(output, { recursive: true, encoding: 'utf8' })
    const [data] = names.filter(name => name.endsWith('.json.gz'))
    const lines = gunzipSync(readFileSync(join(output, data as string))).toString()
    expect(lines).toBe(
      ['AFTER', 'CHANGED', 'DELETED', 'UNTOUCHED']
        .map(id => `${JSON.stringify({ Item: order(id, 'PAID') })}\n`)
        .join(''),
    )
    const summary = JSON.parse(
      readFileSync(join(output, names.find(name => name.endsWith('summary.json')) as string), 'utf8'),
    )
    expect(summary).toMatchObject({
      tableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders',
      exportTime: '2026-11-22T10:02:00.000000Z',
      itemCount: 4,
    })
    expect((await restore('Orders', ...GOOD, '--output', output)).exit).toBe(2)
  })

  it('answers as documented', async () => {
    const unseen = ['outcomes[].item_key', 'outcomes[].outcome', 'outcomes[].reason', 'outcomes[].lost']
    const applied = ['done', 'already', 'refused', 'failed', 'altered'].map(name => `applied.${name}`)
    const ask = async (...argv: string[]) =>
      JSON.parse((await restore('Orders', ...argv, '--format', 'json')).out) as object
    const values = [
      await ask(...GOOD, '--against', 'archive', '--plan', join(makeFolder(), 'plan')),
      await ask('CHANGED', ...GOOD, '--against', 'archive'),
      await ask(...GOOD, '--output', join(makeFolder(), 'export')),
    ]
    // a table as target, and what became of items, only a table can show
    const typed = values.map(value => ({ ...value, target: null }))
    // what only --before and --undo have, `test/cli/undo.test.ts` looks at
    const past = { before: 'id', undo: { actor: 'a', from: 'f', to: 't' } }
    expectContract('restore', [...typed, { ...typed[0], ...past, target: 'Orders' }], [...unseen, ...applied])
  })

  it('says what it lacks, before it does anything', async () => {
    const folder = makeFolder()
    const plan = join(folder, 'none')
    const cases: readonly (readonly [readonly string[], number, string])[] = [
      [[], 2, '--as-of is missing'],
      [['Orders'], 2, '--as-of is missing'],
      [['Orders', '--apply'], 2, '--as-of is missing'],
      [['--as-of', 'now'], 2, 'table is missing'],
      [['Orders', '--as-of', '2026-11-31'], 2, '--as-of is "2026-11-31", expected ISO 8601'],
      [['Order', ...GOOD], 2, 'did you mean Orders'],
      [['Orders', 'CHANGE', ...GOOD, '--against', 'archive'], 1, 'did you mean CHANGED'],
      [['Orders', '--as-of', '2026-11-22T09:00:00Z', '--against', 'archive'], 3, 'before the archive of Orders begins'],
      [['Orders', ...GOOD, '--against', 'memory'], 2, '--against is "memory", expected table or archive'],
      [['Orders', ...GOOD, '--accept', 'EVERYTHING'], 2, '--accept "EVERYTHING" is no doubt'],
      [['Orders', ...GOOD, '--to', 'A', '--output', 'b'], 2, 'expected one of them'],
      [['Orders', ...GOOD, '--to', 'A', '--delete'], 2, '--delete goes with the table itself'],
      [['Orders', ...GOOD, '--output', 'b', '--apply'], 2, 'expected one of them'],
      [['Orders', ...GOOD, '--to', 'A', '--actor', 'x'], 2, '--actor goes with the table itself'],
      [['Orders', ...GOOD, '--actor', ''], 2, '--actor is "", expected a name'],
      [['Orders', ...GOOD, '--plan', ''], 2, '--plan is empty'],
      [['Orders', ...GOOD, '--output', ''], 2, '--output is empty'],
      [['Orders', ...GOOD, '--output', join(root, 'data/Orders/out')], 2, 'is inside the archive'],
      [['Orders', ...GOOD, '--plan', join(root, 'plan')], 2, 'is inside the archive'],
      [['Orders', ...GOOD, '--format', 'csv'], 2, 'format "csv" is unknown'],
      [['--apply', '--plan', plan], 1, 'is not there'],
      [['Orders', ...GOOD, '--against', 'archive', '--plan', join(folder, 'no', 'folder')], 1, 'folder is not there'],
    ]
    for (const [argv, exit, message] of cases) {
      const ending = await restore(...argv)
      expect([argv, ending.exit, ending.out, ending.err]).toEqual([argv, exit, '', expect.stringContaining(message)])
    }
    expect(existsSync(plan)).toBe(false)
    expect(readdirSync(folder)).toEqual([])
  })

  it('says where "now" could be seen when no table can be reached', async () => {
    const { exit, out, err } = await restore('Orders', ...GOOD, '--endpoint', 'http://127.0.0.1:9')
    expect([exit, out]).toEqual([3, ''])
    expect(err).toContain('table "Orders" cannot be read')
    expect(err).toContain('--against archive')
  })
})
