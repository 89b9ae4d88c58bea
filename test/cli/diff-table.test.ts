/** What differs in a whole table between two moments. */
import { beforeAll, describe, expect, it } from 'vitest'
import { archiveOf, run } from './command-line.js'
import { expectContract } from './contract.js'
import { orderChanges } from './order-changes.js'

const { changeOfTexts: change } = orderChanges()

const PERIOD = ['--from', '2026-11-22T10:01:00Z', '--to', '2026-11-22T10:05:00Z']

describe('diff of a table', () => {
  let root: string
  beforeAll(async () => {
    root = await archiveOf([
      change('SAME', 0, null, { status: 'PAID' }),
      change('CHANGED', 0, null, { status: 'PAID', total: '10' }),
      change('CHANGED', 2, { status: 'PAID', total: '10' }, { status: 'SHIPPED', carrier: 'x\u001b[2J' }),
      change('CHANGED', 9, { status: 'SHIPPED', carrier: 'x\u001b[2J' }, { status: 'LOST' }),
      change('CAME', 3, null, { status: 'PAID' }),
      change('WENT', 0, null, { status: 'PAID' }),
      change('WENT', 4, { status: 'PAID' }, null),
    ])
  })
  const diff = (...argv: string[]) => run(['diff', 'Orders', ...argv, '--archive', root])

  it('tells counts first, then a line for each item, then how sure that is', async () => {
    const { exit, out } = await diff(...PERIOD)
    expect([exit, out]).toEqual([
      0,
      expect.stringMatching(
        /^Orders {2}2026-11-22 10:01:00Z → 2026-11-22 10:05:00Z\n1 added, 1 removed, 1 changed\n\n\+ CAME {5}status "PAID"\n~ CHANGED {2}carrier \+"x\\u001b\[2J", status "PAID" → "SHIPPED", total -"10"\n- WENT {5}status "PAID"\n\nUNBROKEN: /,
      ),
    ])
    const narrow = await run(['diff', 'Orders', ...PERIOD, '--archive', root], { columns: 40 })
    expect(narrow.out).toContain('~ CHANGED  carrier +"x\\u001b[2J", statu…\n')
    expect((await diff('--from', '2026-11-22T10:10:00Z', '--to', '2026-11-22T10:11:00Z')).out).toContain(
      '\nno item differs\n',
    )
  })

  it('ends with 3 where no image tells what an item was', async () => {
    const blind = await archiveOf([
      change('A', 0, null, { v: '1' }),
      change('A', 2, null, null, { StreamViewType: 'KEYS_ONLY', eventName: 'MODIFY' }),
    ])
    const { exit, out } = await run(['diff', 'Orders', ...PERIOD, '--archive', blind])
    expect([exit, out]).toEqual([
      3,
      expect.stringContaining(
        '0 added, 0 removed, 0 changed, 1 unknown\n\n? A  nobody knows what it was at one of the two\n',
      ),
    ])
  })

  it('calls nothing added that its first change in the archive found there already', async () => {
    const began = await archiveOf([
      change('NEW', 0, null, { status: 'PAID' }),
      change('FOUND', 2, { status: 'PAID' }, { status: 'SHIPPED' }),
      change('FOUND', 3, { status: 'SHIPPED' }, { status: 'LOST' }),
      change('FOUND-GONE', 4, { status: 'PAID' }, null),
      change('MADE', 3, null, { status: 'PAID' }),
      change('MADE', 4, { status: 'PAID' }, { status: 'SHIPPED' }),
    ])
    const { exit, out, err } = await run(['diff', 'Orders', ...PERIOD, '--archive', began])
    expect([exit, out]).toEqual([
      3,
      expect.stringMatching(
        /1 added, 0 removed, 0 changed, 2 unknown\n\n\? FOUND {7}nobody knows what it was at one of the two\n\? FOUND-GONE {2}nobody knows what it was at one of the two\n\+ MADE {8}status "SHIPPED"\n\nPRE-ARCHIVE: /,
      ),
    ])
    expect(err).toContain('2 unknown: older than their first change in the archive, or no image tells their state\n')
    // as of one item
    const one = await run(['diff', 'Orders', 'FOUND', ...PERIOD, '--archive', began])
    expect([one.exit, one.err]).toEqual([3, expect.stringContaining('which found it there already')])
  })

  it('answers as documented, and has a receipt that runs again', async () => {
    const { verdict, ...answer } = JSON.parse((await diff(...PERIOD, '--format', 'json')).out) as { verdict: object }
    expect(Object.keys(verdict)).toContain('confidence')
    expectContract('diff of a table', [answer], ['verdict'])
    const lines = (await diff(...PERIOD, '--format', 'ndjson')).out.trimEnd().split('\n')
    expect(lines.map(line => (JSON.parse(line) as { difference: string }).difference)).toEqual([
      'added',
      'changed',
      'removed',
    ])
    expect((await diff(...PERIOD, '--format', 'csv')).out).toContain('item_key,difference,attributes,before,after')
    expect((await diff(...PERIOD, '--no-verdict')).out).toContain('not judged')
    expect((await diff()).err).toContain('--from is missing')
  })
})
