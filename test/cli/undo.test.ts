/** Taking back a change, or what one writer did, without a table. With one: `test/live/undo.test.ts`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { DiskArchive } from '../../store/folder.js'
import { writeFact } from '../../transform/fact.js'
import { factKey } from '../../transform/layout.js'
import { gapFact, TIME_TO_LIVE } from '../factories.js'
import { archiveOf, type Ending, fileOf, makeFolder, run } from './command-line.js'
import { expectContract } from './contract.js'
import { orderChanges } from './order-changes.js'

const { changeOfTexts: change } = orderChanges()

const PAID = { status: 'PAID', by: 'alice' }
const SPOILT = { status: 'SPOILT', by: 'import' }
const RECORDS = [
  change('GOOD', 0, null, PAID),
  change('KEPT', 0, null, { ...PAID, note: '1' }),
  change('KEPT', 3, { ...PAID, note: '1' }, { ...SPOILT, note: '1' }),
  change('KEPT', 5, { ...SPOILT, note: '1' }, { ...SPOILT, note: '2', by: 'bob' }),
  change('MADE', 3, null, SPOILT),
  change('MENDED', 0, null, PAID),
  change('MENDED', 3, PAID, SPOILT),
  change('MENDED', 5, SPOILT, { status: 'SHIPPED', by: 'bob' }),
  change('OLDER', 3, PAID, SPOILT),
  change('PART', 0, null, { ...PAID, total: '10' }),
  change('PART', 3, { ...PAID, total: '10' }, { ...SPOILT, total: '0' }),
  change('PART', 5, { ...SPOILT, total: '0' }, { ...SPOILT, total: '12', by: 'bob' }),
  change('DELETED', 0, null, PAID),
  change('DELETED', 4, PAID, null),
  change('EXPIRED', 0, null, PAID),
  change('EXPIRED', 4, PAID, null, { userIdentity: TIME_TO_LIVE }),
]

describe('taking back', () => {
  const config = fileOf(
    'itemtrail.config.json',
    JSON.stringify({ tables: { Orders: { keys: ['order_id'], actor: 'by' } } }),
  )
  let root: string
  beforeAll(async () => {
    root = await archiveOf(RECORDS, ['--config', config])
  })
  const restore = (...argv: string[]) => run(['restore', ...argv, '--archive', root, '--config', config])
  const beside = (...argv: string[]) => restore(...argv, '--against', 'archive')
  const WORK = ['--undo', 'import', '--from', '2026-11-22T10:02:00Z', '--to', '2026-11-22T10:04:00Z']

  it('undoes what one writer did, keeps what others did since, and says what it cannot undo', async () => {
    const { exit, out, err } = await beside('Orders', ...WORK)
    expect(out).toBe(
      'Orders  without what import changed from 2026-11-22 10:02:00Z to 2026-11-22 10:04:00Z, beside the newest states in the archive\n' +
        '~ KEPT  update\n' +
        '    ~ status  "SPOILT" → "PAID"\n' +
        '· MADE  leave: it was made by these changes: --delete deletes it\n' +
        '? MENDED  skip: changed since: "status" by bob at 2026-11-22 10:05:00Z\n' +
        '~ OLDER  update\n' +
        '    ~ status  "SPOILT" → "PAID"\n' +
        '~ PART  update: in part, changed since: "total" by bob at 2026-11-22 10:05:00Z\n' +
        '    ~ status  "SPOILT" → "PAID"\n' +
        '0 to put, 3 to update (1 of them in part), 0 to delete; 0 as they are, 1 left, 1 skipped\n',
    )
    expect([exit, err]).toEqual([1, expect.stringContaining('by of what is written gets the name of --actor NAME\n')])
  })

  it('undoes it of one item, and deletes what the writer made where it is told to', async () => {
    const one = await beside('Orders', 'KEPT', ...WORK)
    expect([one.exit, one.out.split('\n').at(-2)]).toEqual([0, '0 to put, 1 to update, 0 to delete; 0 as they are'])
    const made = await beside('Orders', 'MADE', ...WORK, '--delete')
    expect([made.exit, made.out]).toEqual([0, expect.stringContaining('- MADE  delete\n')])
  })

  it('says what the writer may have done besides', async () => {
    const all = await beside(
      'Orders',
      '--undo',
      'import',
      '--from',
      '2026-11-22T09:00:00Z',
      '--to',
      '2026-11-22T10:10:00Z',
    )
    expect(all.err).toContain(
      'the archive begins at 2026-11-22 10:00:00Z: what import changed before is not in this plan\n',
    )
    expect(all.err).toContain(
      'the archive has no change of the table after that time: what import changed and has not arrived yet is not in this plan\n',
    )
    expect(all.err).toContain(
      '1 change of that time names nobody, 1 of deletes: whether it is by import is not known, and nothing of that is undone\n',
    )
  })

  it('ends with a finding where records of that time are lost', async () => {
    const lossy = await archiveOf(
      [change('KEPT', 0, null, PAID), change('KEPT', 3, PAID, SPOILT), change('X', 9, null, PAID)],
      ['--config', config],
    )
    const fact = gapFact({
      recorded: '2026-11-22T10:06:00.000000Z',
      from: '2026-11-22T10:02:30.000000Z',
      to: '2026-11-22T10:02:40.000000Z',
    })
    await new DiskArchive(lossy).put(factKey(fact), Buffer.from(writeFact(fact)))
    const { exit, out, err } = await run(['restore', 'Orders', ...WORK, '--against', 'archive', '--archive', lossy])
    expect([exit, out, err]).toEqual([
      1,
      expect.stringContaining('1 to update'),
      expect.stringContaining(
        'records of the stream of that time are lost: what import changed by them is not in this plan\n',
      ),
    ])
  })

  it('brings back what time to live deleted, by the name that answers print', async () => {
    const { out } = await beside('Orders', '--undo', 'DynamoDB time to live', '--from', '2026-11-22')
    expect(out).toContain('+ EXPIRED  put\n')
    expect(out).toContain('1 to put, 0 to update, 0 to delete')
  })

  it('knows who wrote by the attribute that is configured today, and refuses none whose rows say nothing', async () => {
    const old = await archiveOf(RECORDS.slice(0, 4))
    const ask = (...more: string[]) =>
      run(['restore', 'Orders', ...WORK, '--against', 'archive', '--archive', old, ...more])
    const today = await ask('--config', config)
    expect([today.exit, today.out]).toEqual([
      0,
      expect.stringContaining('~ KEPT  update\n    ~ status  "SPOILT" → "PAID"\n'),
    ])
    const nobody = await ask()
    expect([nobody.exit, nobody.err]).toEqual([
      1,
      expect.stringContaining('the configuration names no attribute that says who wrote an item'),
    ])
  })

  it('keeps no personal value in a plan, also of rows from before it was erasable', async () => {
    const person = { ...PAID, name: 'Ann Secret' }
    const old = await archiveOf(
      [change('A', 0, null, person), change('A', 3, person, { ...person, ...SPOILT })],
      ['--config', config],
    )
    const erasable = [{ subject: 'order_id', attributes: ['name'] }]
    const tables = { Orders: { keys: ['order_id'], actor: 'by', erasable } }
    const sealing = fileOf('sealing.json', JSON.stringify({ erasure: { keys: join(makeFolder(), 'keys') }, tables }))
    const place = ['--archive', old, '--config', sealing]
    expect((await run(['subject', 'init', ...place])).exit).toBe(0)
    const plan = join(makeFolder(), 'plan.jsonl')
    const undo = await run(['restore', 'Orders', ...WORK, '--against', 'archive', '--plan', plan, ...place])
    expect(undo.out).toContain('1 to update')
    expect(readFileSync(plan, 'utf8') + undo.out).not.toContain('Secret')
  })

  it('takes an item back to what it was just before an event', async () => {
    const { out: listed } = await run(['history', 'Orders', 'PART', '--archive', root, '--format', 'json'])
    const ids = (JSON.parse(listed) as { changes: { event_id: string }[] }).changes.map(({ event_id: id }) => id)
    const [bobs = '', imports = '', first = ''] = ids
    const { exit, out } = await restore('--before', imports.slice(0, 8), '--against', 'archive')
    expect([exit, out]).toEqual([
      0,
      `Orders  as just before ${imports.slice(0, 8)} at 2026-11-22 10:03:00Z, beside the newest states in the archive\n` +
        '~ PART  update\n    ~ status  "SPOILT" → "PAID"\n    ~ total   "12" → "10"\n' +
        '0 to put, 1 to update, 0 to delete; 0 as they are\n',
    ])
    expect((await beside('Orders', '--before', bobs)).out).toContain('~ total  "12" → "0"\n')
    expect((await beside('Orders', '--before', first)).out).toContain('leave: it was not there: --delete deletes it')
    const older = (
      JSON.parse((await run(['history', 'Orders', 'OLDER', '--archive', root, '--format', 'json'])).out) as {
        changes: { event_id: string }[]
      }
    ).changes[0]?.event_id as string
    // what the change found is in its own image, whatever came before the archive
    expect((await beside('--before', older)).out).toContain('~ OLDER  update\n    ~ status  "SPOILT" → "PAID"\n')
  })

  it('keeps in the plan what it takes back', async () => {
    const plan = join(makeFolder(), 'plan.jsonl')
    await beside('Orders', ...WORK, '--plan', plan)
    const [header, ...items] = readFileSync(plan, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as object)
    const undo = { actor: 'import', from: '2026-11-22T10:02:00.000000Z', to: '2026-11-22T10:04:00.000000Z', in_part: 1 }
    expect(header).toMatchObject({ as_of: undo.from, undo, counts: { update: 3, leave: 1, skip: 1 } })
    expect(items).toHaveLength(5)
  })

  it('answers as documented', async () => {
    const ask = async (...argv: string[]) => JSON.parse((await beside(...argv, '--format', 'json')).out) as object
    const [known] = (
      JSON.parse((await run(['history', 'Orders', 'PART', '--archive', root, '--format', 'json'])).out) as {
        changes: { event_id: string }[]
      }
    ).changes
    const unseen = ['outcomes[].item_key', 'outcomes[].outcome', 'outcomes[].reason', 'outcomes[].lost']
    const applied = ['done', 'already', 'refused', 'failed', 'altered'].map(name => `applied.${name}`)
    const values = [
      await ask('Orders', ...WORK),
      await ask('Orders', '--undo', 'time to live', '--from', '2026-11-22'),
      await ask('--before', known?.event_id as string, '--plan', join(makeFolder(), 'plan')),
    ]
    const written = { ...values[0], target: 'Orders', output: 'x', applied: {} }
    expectContract('restore', [written, ...values], [...unseen, ...applied])
  })

  it('says what it lacks, before it does anything', async () => {
    const cases: readonly (readonly [readonly string[], number, string])[] = [
      [['Orders', '--undo', 'import'], 2, '--from is missing'],
      [['Orders', '--from', '2026-11-22'], 2, '--from is of --undo NAME'],
      [['Orders', '--actor', 'import', '--from', '2026-11-22', '--to', '2026-11-23'], 2, '--actor is who restores'],
      [['Orders', ...WORK, '--as-of', 'now'], 2, '--as-of, --before and --undo each name a past'],
      [['Orders', '--undo', 'import', '--from', '2026-11-22', '--to', 'Orders-copy'], 2, '--to is "Orders-copy"'],
      [['Orders', '--undo', 'import', '--from', '2026-11-23', '--to', '2026-11-22'], 2, 'is not before --to'],
      [['Orders', ...WORK, '--output', 'x'], 2, 'expected one of them'],
      [['Orders', '--undo', '', '--from', '2026-11-22'], 2, '--undo is empty'],
      [['Orders', '--undo', 'imprt', '--from', '2026-11-22'], 1, 'did you mean import?'],
      [['Orders', '--undo', 'nobody at all', '--from', '2026-11-22'], 1, 'then wrote: '],
      [['Orders', 'NEVER', ...WORK], 1, 'has no change by "import"'],
      [['Orders', 'KEPT', '--before', 'ed5f5aa2'], 2, 'found the key "KEPT", too'],
      [['--before', 'ed5f5aa2'], 1, 'event ed5f5aa2 is not in the archive'],
      [['--before', 'KEPT'], 2, 'event "KEPT" is none'],
      [['--undo', 'import', '--from', '2026-11-22'], 2, 'table is missing'],
    ]
    for (const [argv, exit, message] of cases) {
      const ending: Ending = await beside(...argv)
      expect([argv, ending.exit, ending.out, ending.err]).toEqual([argv, exit, '', expect.stringContaining(message)])
    }
  })
})
