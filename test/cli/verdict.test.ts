/**
 * What every answer of more than one item says of itself: over the bundled orders, whole, and without the objects of a
 * day.
 */
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Receipt } from '../../queries/answers/receipt.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { fileOf, makeFolder, ORDERS, ORDERS_CONFIG, run } from './command-line.js'

const DAY = ['--param', 'from=2026-11-12T00:00:00Z', '--param', 'to=2026-11-13T00:00:00Z']
const CALLS = join(import.meta.dirname, '../../examples/orders/cloudtrail')
const root = join(makeFolder(), 'archive')
const holed = join(makeFolder(), 'archive')

interface Judged {
  readonly rows: readonly object[]
  readonly verdict: {
    readonly judged: boolean
    readonly confidence: string | null
    readonly doubtful: boolean | null
    readonly tables: readonly Readonly<Record<string, unknown>>[]
  }
}

beforeAll(async () => {
  await run(['ingest', ORDERS, '--archive', root, '--config', ORDERS_CONFIG])
  cpSync(root, holed, { recursive: true })
  rmSync(join(holed, 'data/Orders/event_date=2026-11-12'), { recursive: true })
})

async function ask(archive: string, ...argv: readonly string[]): Promise<Judged & { readonly exit: number }> {
  const { exit, out } = await run([...argv, '--archive', archive, '--config', ORDERS_CONFIG, '--format', 'json'])
  return { exit, ...(JSON.parse(out) as Judged) }
}

/** Every saved query over the day, as far as it takes a period. */
const QUESTIONS = [...SAVED_QUERIES.values()]
  .filter(({ name, parameters }) => name !== 'anchors' && !parameters.some(({ type }) => type === 'item'))
  .map(({ name, parameters, asksForColumn, readsCalls }) => {
    const known = parameters.map(parameter => parameter.name)
    const given = [
      ...(known.includes('from') ? ['from=2026-11-12T00:00:00Z'] : []),
      ...(known.includes('to') ? ['to=2026-11-13T00:00:00Z'] : []),
      ...(known.includes('at') ? ['at=2026-11-13T00:00:00Z'] : []),
      ...(known.includes('actor') ? ['actor=alice@ops.example'] : []),
      ...(known.includes('value') ? ['value=SHIPPED'] : []),
      ...(known.includes('key') ? ['key="order_id":{"S":"ORD1'] : []),
      ...(known.includes('subject') ? ['subject=5f0c2d3b8a914e6f7081a2b3c4d5e6f7'] : []),
      ...(name === 'amounts-by-actor' || name === 'changes-above' ? ['attribute=total'] : []),
      ...(known.includes('amount') ? ['amount=10'] : []),
      ...(known.includes('state') ? ['state=CANCELLED'] : []),
      ...(asksForColumn ? ['column=status'] : []),
    ]
    const calls = readsCalls ? ['--cloudtrail', CALLS] : []
    return [name, [...given.flatMap(parameter => ['--param', parameter]), ...calls]] as const
  })

describe('an answer of more than one item', () => {
  it('says what is missing from it when a day is gone', async () => {
    const { exit, out } = await run(['query', 'deletions', 'Orders', ...DAY, '--archive', holed])
    expect(exit).toBe(1)
    expect(out.split('\n')).toEqual([
      'nothing was deleted in the period, among 0 changes of 21 items; 15 items have a GAP in it; 6 items are PRE-ARCHIVE: no change lies in the period, its changes are from 2026-10-01T12:50:34Z to 2026-11-20T23:56:20Z',
      'GAP: 0 changes of 21 items, 15 GAP, 6 PRE-ARCHIVE, from 2026-11-12 00:00:00Z to 2026-11-13 00:00:00Z',
      '15 gaps where changes are missing, made from 2026-11-10 00:37:08Z to 2026-11-14 00:46:55Z in 1 stretch; 1 day without any change: 2026-11-12',
      `what does not fit together: itemtrail verify continuity Orders --from 2026-11-12T00:00:00Z --to 2026-11-13T00:00:00Z --archive ${holed}`,
      'not shown by this: a lost last change of an item, a change lost together with its way back, or rows rewritten to fit',
      '',
    ])
    const whole = await run(['query', 'deletions', 'Orders', ...DAY, '--archive', root])
    expect([whole.exit, whole.out]).toEqual([0, expect.stringContaining('\nUNBROKEN: 68 changes of 42 items, from ')])
  })

  it.each(QUESTIONS)('of %s is doubtful where a day is gone, and is not where nothing is', async (name, parameters) => {
    const damaged = await ask(holed, 'query', name, 'Orders', ...parameters)
    expect([damaged.exit, damaged.verdict.doubtful, damaged.verdict.confidence]).toEqual([1, true, 'GAP'])
    const whole = await ask(root, 'query', name, 'Orders', ...parameters)
    expect([whole.exit, whole.verdict.doubtful, whole.verdict.confidence]).toEqual([0, false, 'UNBROKEN'])
  })

  it('has a verdict of the tables that a statement names, and of the whole table at a moment', async () => {
    const sql = await ask(holed, 'sql', 'select count(*) as n from orders')
    expect([sql.exit, sql.verdict]).toEqual([1, expect.objectContaining({ judged: true, confidence: 'GAP' })])
    expect(sql.verdict.tables).toEqual([
      expect.objectContaining({ table: 'Orders', from: null, to: null, changes: 2150 }),
    ])
    const none = await ask(holed, 'sql', 'select 1 as n')
    expect([none.exit, none.verdict.judged]).toEqual([0, false])
    const state = await run(['as-of', 'Orders', '2026-11-13T00:00:00Z', '--archive', holed])
    expect([state.exit, state.out]).toEqual([3, expect.stringContaining('\nGAP: 1,758 changes of 274 items, 15 GAP, ')])
    const before = await ask(holed, 'as-of', 'Orders', '2026-11-01T00:00:00Z')
    expect(before.verdict).toMatchObject({ judged: true, doubtful: true, confidence: 'PRE-ARCHIVE' })
  })

  it('says that the archive is behind where the period goes on after what has arrived', async () => {
    const period = (to: string) => ['--param', 'from=2026-11-20T00:00:00Z', '--param', `to=${to}`]
    const { exit, out } = await run([
      'query',
      'deletions',
      'Orders',
      ...period('2026-11-21T00:00:00Z'),
      '--archive',
      root,
    ])
    expect([exit, out]).toEqual([
      1,
      expect.stringContaining(
        'BEHIND: changes have been received until 2026-11-20 23:56:20Z, it goes on to 2026-11-21 00:00:00Z: what happened after is not known\n',
      ),
    ])
    const inTime = await ask(root, 'query', 'deletions', 'Orders', ...period('2026-11-20T23:00:00Z'))
    expect([inTime.exit, inTime.verdict.tables[0]]).toEqual([0, expect.objectContaining({ behind: false })])
    // what has not ended is behind by nature
    const open = await ask(root, 'query', 'deletions', 'Orders', ...period('2999-01-01T00:00:00Z'))
    expect([open.exit, open.verdict.tables[0]]).toEqual([0, expect.objectContaining({ behind: true })])
  })

  it('says that it was not judged where nobody wants to know', async () => {
    const argv = ['query', 'deletions', 'Orders', ...DAY, '--no-verdict']
    const receipt = fileOf('receipt.json', '')
    const { exit, out } = await run([...argv, '--archive', holed, '--receipt', receipt, '--force'])
    expect([exit, out]).toEqual([0, expect.stringContaining('\nnot judged: whether anything is missing')])
    expect((await ask(holed, ...argv)).verdict).toMatchObject({ judged: false, confidence: null, doubtful: null })
    expect((JSON.parse(readFileSync(receipt, 'utf8')) as Receipt).verdict).toMatchObject({ judged: false })
  })

  it('has in its receipt what is missing from it, not what is in it', async () => {
    const receipt = fileOf('receipt.json', '')
    const argv = ['query', 'deletions', 'Orders', ...DAY, '--archive', holed, '--receipt', receipt, '--force']
    const { err } = await run(argv)
    expect(err).toContain(': 0 rows of 0 items, GAP, from ')
    const { verdict } = JSON.parse(readFileSync(receipt, 'utf8')) as Receipt
    expect(verdict).toMatchObject({
      judged: true,
      confidence: 'GAP',
      doubtful: true,
      tables: [{ gaps: 15, items: 21 }],
    })
    const { exit, out } = await run(['rerun', receipt, '--archive', holed])
    expect([exit, out]).toEqual([0, expect.stringContaining('the same answer, to the byte')])
  })

  it('has its verdict on a page, and beside a file', async () => {
    const argv = ['query', 'deletions', 'Orders', ...DAY, '--archive', holed]
    const page = await run([...argv, '--format', 'html'])
    expect(page.out).toContain(
      '<strong class="chip bad">GAP <span aria-hidden="true">✗</span></strong> <span>0 changes of 21 items, 15 GAP, 6 PRE-ARCHIVE',
    )
    for (const format of ['csv', 'ndjson'] as const) {
      const { exit, out, err } = await run([...argv, '--format', format])
      expect([exit, err]).toEqual([1, expect.stringContaining('\nGAP: 0 changes of 21 items, ')])
      expect(out).not.toContain('GAP')
    }
  })

  it('keeps the verdict of the item where it is about one', async () => {
    const argv = ['query', 'item-history', 'Orders', '--param', 'item_key=ORD10215', '--archive', holed]
    const { exit, out } = await run(argv)
    expect([exit, out]).toEqual([1, expect.stringMatching(/\nGAP: one or more changes before .* are missing/)])
  })

  it('counts refused records that may belong to it', async () => {
    const archive = join(makeFolder(), 'archive')
    cpSync(root, archive, { recursive: true })
    await run(['ingest', '-', '--archive', archive, '--config', ORDERS_CONFIG], {
      stdin:
        '{"eventName":"UPSERT","eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/x","dynamodb":{}}\n',
    })
    const { exit, verdict } = await ask(archive, 'query', 'deletions', 'Orders', ...DAY)
    expect([exit, verdict.confidence, verdict.tables[0]?.refused]).toEqual([1, 'GAP', 1])
  })
})
