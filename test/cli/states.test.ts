import { beforeAll, describe, expect, it } from 'vitest'
import { type Attributes, streamsRecord, TIME_TO_LIVE } from '../factories.js'
import { archiveOf, type Ending, run, type Terminal } from './command-line.js'
import { orderChanges } from './order-changes.js'

const { change } = orderChanges()

function order(id: string, status: string): Attributes {
  return { order_id: { S: id }, status: { S: status } }
}

const repeated = change('REPEATED', 0, { NewImage: order('REPEATED', 'PENDING') })
const contradicted = change('CONTRADICTED', 0, { NewImage: order('CONTRADICTED', 'PENDING') })
const RECORDS = [
  change('AGAIN', 0, { NewImage: order('AGAIN', 'PENDING') }),
  change('AGAIN', 1, { OldImage: order('AGAIN', 'PENDING'), userIdentity: TIME_TO_LIVE }),
  change('AGAIN', 2, { NewImage: order('AGAIN', 'PLACED') }),
  change('BROKEN', 0, { NewImage: order('BROKEN', 'PENDING') }),
  change('BROKEN', 5, { OldImage: order('BROKEN', 'PAID'), NewImage: order('BROKEN', 'SENT') }),
  repeated,
  repeated,
  repeated,
  contradicted,
  { ...contradicted, userIdentity: TIME_TO_LIVE },
  change('OLDER', 3, { OldImage: order('OLDER', 'PENDING'), NewImage: order('OLDER', 'PAID') }),
  change('BLIND', 0, { StreamViewType: 'KEYS_ONLY', eventName: 'INSERT' }),
  change('BLIND', 1, { StreamViewType: 'KEYS_ONLY', eventName: 'MODIFY' }),
  change('AFTER', 0, { StreamViewType: 'NEW_IMAGE', NewImage: order('AFTER', 'PENDING') }),
  change('AFTER', 1, { StreamViewType: 'NEW_IMAGE', eventName: 'MODIFY', NewImage: order('AFTER', 'PAID') }),
  change('BEFORE', 1, { StreamViewType: 'OLD_IMAGE', eventName: 'MODIFY', OldImage: order('BEFORE', 'PENDING') }),
]

describe('an item with an odd history', () => {
  let root: string
  beforeAll(async () => {
    root = await archiveOf(RECORDS)
  })
  const ask = (argv: readonly string[], terminal: Terminal = {}): Promise<Ending> =>
    run([...argv, '--archive', root], terminal)
  const history = (id: string, terminal?: Terminal) => ask(['history', 'Orders', id], terminal)
  const asOf = (id: string, time: string, ...more: string[]) =>
    ask(['as-of', 'Orders', id, `2026-11-22T${time}Z`, ...more])
  const diff = (id: string, from: string, to: string, ...more: string[]) =>
    ask(['diff', 'Orders', id, '--from', `2026-11-22T${from}Z`, '--to', `2026-11-22T${to}Z`, ...more])

  describe('deleted and made again', () => {
    it('tells who or what deleted it, newest first', async () => {
      expect(await history('AGAIN')).toEqual({
        exit: 0,
        err: '',
        out: `Orders AGAIN  3 changes
UNBROKEN since INSERT 2026-11-22 10:00:00Z: each change starts where the one before ended

● 2026-11-22 10:02:00Z  INSERT    actor not recorded  330b67ba
    + order_id  "AGAIN"
    + status    "PLACED"

✗ 2026-11-22 10:01:00Z  REMOVE    by DynamoDB time to live  a6d5bdce
    - order_id  "AGAIN"
    - status    "PENDING"

● 2026-11-22 10:00:00Z  INSERT    actor not recorded  6e91f2f6
    + order_id  "AGAIN"
    + status    "PENDING"
`,
      })
    })

    it('tells not there yet, present and deleted apart', async () => {
      const states = ['09:59:59', '10:00:30', '10:01:30', '10:02:30'].map(async time => {
        const { out } = await asOf('AGAIN', time, '--format', 'json')
        return (JSON.parse(out) as { state: string }).state
      })
      expect(await Promise.all(states)).toEqual(['not there yet', 'present', 'deleted', 'present'])
    })

    it('says what deleted it where it was deleted at the moment asked for', async () => {
      const { exit, out } = await asOf('AGAIN', '10:01:30')
      expect(exit).toBe(0)
      expect(out).toBe(`Orders AGAIN  as of 2026-11-22 10:01:30Z
deleted: REMOVE a6d5bdce at 2026-11-22 10:01:00Z, by DynamoDB time to live; next change INSERT 330b67ba at 2026-11-22 10:02:00Z
UNBROKEN since INSERT 2026-11-22 10:00:00Z: each change starts where the one before ended
`)
    })

    it('prints no item for an import where it was deleted', async () => {
      const { exit, out, err } = await asOf('AGAIN', '10:01:30', '--format', 'dynamodb')
      expect([exit, out]).toEqual([0, ''])
      expect(err).toMatch(/^deleted: REMOVE a6d5bdce .*\nUNBROKEN since INSERT .*\n$/)
    })

    it('compares across the deletion', async () => {
      const { out } = await diff('AGAIN', '10:00:30', '10:02:30')
      expect(out).toBe(`Orders AGAIN
2026-11-22 10:00:30Z → 2026-11-22 10:02:30Z, 2 changes between
UNBROKEN since INSERT 2026-11-22 10:00:00Z: each change starts where the one before ended

~ status  "PENDING" → "PLACED"
`)
      const gone = await diff('AGAIN', '10:00:30', '10:01:30')
      expect(gone.out).toContain('2026-11-22 10:00:30Z → 2026-11-22 10:01:30Z (deleted), 1 change between\n')
      expect(gone.out).toContain('\n- order_id  "AGAIN"\n- status    "PENDING"\n')
      const both = await diff('AGAIN', '09:00:00', '09:30:00')
      expect(both.out).toContain('(not there yet), 0 changes between\n\nnothing differs\n')
    })
  })

  describe('with a change missing', () => {
    it('says so, marks the change at which it shows, and exits 1', async () => {
      expect(await history('BROKEN', { columns: 80 })).toEqual({
        exit: 1,
        out: `Orders BROKEN  2 changes
GAP: one or more changes before 25ed9c30 (2026-11-22 10:05:00Z) are missing in
the archive

● 2026-11-22 10:05:00Z  MODIFY    actor not recorded  25ed9c30
    ⚠ GAP: one or more changes before this one are missing
    ~ status  "PAID" → "SENT"

● 2026-11-22 10:00:00Z  INSERT    actor not recorded  c8d24670
    + order_id  "BROKEN"
    + status    "PENDING"
`,
        err: `a missing change may be among the refused: itemtrail status --archive ${root}
all that does not fit together: itemtrail verify continuity Orders --archive ${root}
`,
      })
    })

    it('doubts its state in the time in which the change is missing', async () => {
      const { exit, out } = await asOf('BROKEN', '10:01:00')
      expect(exit).toBe(1)
      expect(out).toBe(`Orders BROKEN  as of 2026-11-22 10:01:00Z
state after INSERT c8d24670 at 2026-11-22 10:00:00Z, actor not recorded; changes between it and MODIFY 25ed9c30 at 2026-11-22 10:05:00Z are missing, so the item may have been another by then
GAP: one or more changes before 25ed9c30 (2026-11-22 10:05:00Z) are missing in the archive

order_id  "BROKEN"
status    "PENDING"
`)
    })

    it('doubts a comparison that ends in that time', async () => {
      const { exit, out } = await diff('BROKEN', '10:01:00', '10:02:00', '--format', 'json')
      expect([exit, JSON.parse(out)]).toEqual([1, expect.objectContaining({ confidence: 'GAP', differences: [] })])
    })
  })

  it('that was delivered more than once is told as one change', async () => {
    const { exit, out } = await history('REPEATED')
    expect(exit).toBe(0)
    expect(out).toContain('Orders REPEATED  1 change\n')
    expect(out).toContain('each change starts where the one before ended; 2 repeated deliveries left out\n')
  })

  it('whose deliveries contradict one another is a conflict', async () => {
    const { exit, out, err } = await history('CONTRADICTED')
    expect(exit).toBe(1)
    expect(out).toMatch(
      /\nCONFLICT: the archive holds change ([0-9a-f]{8}) \(2026-11-22 10:00:00Z\) with different contents, one of them is shown\n/,
    )
    expect(out).toContain('    ⚠ CONFLICT: this change was delivered with different contents\n')
    expect(err).toContain('itemtrail verify continuity Orders')
  })

  describe('older than the archive', () => {
    it('does not pretend to know what was before', async () => {
      const { exit, out } = await history('OLDER')
      expect(exit).toBe(1)
      expect(out).toContain(
        '\nPRE-ARCHIVE: the item is older than its first change in the archive, what happened before is not known\n',
      )
    })

    it('has an unknown state before its first change, and exits 3', async () => {
      const { exit, out } = await asOf('OLDER', '10:01:00')
      expect(exit).toBe(3)
      expect(out).toMatch(
        /\nunknown: 2026-11-22 10:01:00Z is before its first change in the archive, MODIFY \w{8} at 2026-11-22 10:03:00Z, which found it there already\n$/,
      )
    })

    it('cannot be compared before its first change, and says since when it can', async () => {
      expect(await diff('OLDER', '10:01:00', '10:04:00')).toEqual({
        exit: 3,
        out: '',
        err: `itemtrail: --from 2026-11-22 10:01:00Z is before the item's first change in the archive, which found it there already
  the earliest moment that can be compared is 2026-11-22T10:03:00.000000Z
`,
      })
    })
  })

  describe('of a stream that keeps not all images', () => {
    it('shows the image that there is', async () => {
      expect((await history('BLIND')).out).toContain('    the stream kept no image (view type KEYS_ONLY)\n')
      expect((await history('AFTER')).out).toContain(`
    the stream kept no image before the change (view type NEW_IMAGE); after it:
    order_id  "AFTER"
    status    "PAID"
`)
      expect((await history('BEFORE')).out).toContain(`
    the stream kept no image after the change (view type OLD_IMAGE); before it:
    order_id  "BEFORE"
    status    "PENDING"
`)
    })

    it('says that continuity cannot be told', async () => {
      expect((await history('BLIND')).out).toContain(
        'KEYS-ONLY: 2 of 2 changes lack an image, so what they changed and whether one is missing cannot be told\n',
      )
    })

    it('has a state where an image tells it, and else exits 3', async () => {
      const after = await asOf('AFTER', '10:05:00')
      expect([after.exit, after.out]).toEqual([1, expect.stringContaining('status    "PAID"\n')])
      const blind = await asOf('BLIND', '10:05:00')
      expect([blind.exit, blind.out]).toEqual([
        3,
        expect.stringContaining('\nunknown: no image tells the state after '),
      ])
      const compared = await diff('BLIND', '10:00:30', '10:05:00')
      expect([compared.exit, compared.out]).toEqual([3, ''])
      expect(compared.err).toMatch(/^itemtrail: --from .* is after INSERT \w{8}, of which the stream kept no image\n/)
    })
  })

  it('warns where a change happened within the very second asked for', async () => {
    const { out } = await asOf('AGAIN', '10:01:00.500')
    expect(out).toContain(
      'a6d5bdce happened within this very second, its time is known to the second only; it is counted as before\n',
    )
  })

  it('says that nothing is known of a moment before the archive', async () => {
    const { exit, out } = await asOf('AGAIN', '09:00:00')
    expect(exit).toBe(1)
    expect(out).toMatch(
      /\nnot there yet: its first change in the archive is INSERT .*; the archive of this table begins only after 2026-11-22 09:00:00Z\n$/,
    )
    const json = await asOf('AGAIN', '09:00:00', '--format', 'json')
    expect(JSON.parse(json.out)).toMatchObject({ state: 'not there yet', confidence: 'PRE-ARCHIVE' })
  })

  it('keeps to the confidence of its state when the whole table is asked for', async () => {
    const { exit, out, err } = await ask(['as-of', 'Orders', '2026-11-22T10:02:30Z'])
    expect(exit).toBe(3)
    expect(out).toBe(`item          since                 actor  attributes
AFTER         2026-11-22 10:01:00Z         status: "PAID"
AGAIN         2026-11-22 10:02:00Z         status: "PLACED"
BEFORE        2026-11-22 10:01:00Z         (unknown)
BLIND         2026-11-22 10:01:00Z         (unknown)
BROKEN        2026-11-22 10:00:00Z         status: "PENDING"
CONTRADICTED  2026-11-22 10:00:00Z         status: "PENDING"
OLDER                                      (unknown)
REPEATED      2026-11-22 10:00:00Z         status: "PENDING"
CONFLICT: 11 changes of 8 items, 1 CONFLICT, 1 GAP, 3 KEYS-ONLY, 1 PRE-ARCHIVE, 2 UNBROKEN, as of 2026-11-22 10:02:30Z
1 gap where changes are missing, made from 2026-11-22 10:00:00Z to 2026-11-22 10:05:00Z in 1 stretch
what does not fit together: itemtrail verify continuity Orders --to 2026-11-22T10:02:30.000001Z --archive ${root}
not shown by this: a lost last change of an item, a change lost together with its way back, or rows rewritten to fit
`)
    expect(err).toBe(`left out here: whole items; --format json or dynamodb has them
8 items of Orders as of 2026-11-22 10:02:30Z
3 unknown: older than their first change in the archive, or no image tells their state
`)
    const json = await ask(['as-of', 'Orders', '2026-11-22T10:02:30Z', '--format', 'json'])
    const { rows: items } = JSON.parse(json.out) as {
      rows: { item_key: { order_id: { S: string } }; confidence: string }[]
    }
    for (const { item_key: key, confidence } of items) {
      const single = await asOf(key.order_id.S, '10:02:30', '--format', 'json')
      expect([key.order_id.S, confidence]).toEqual([
        key.order_id.S,
        (JSON.parse(single.out) as { confidence: string }).confidence,
      ])
    }
  })

  it('says that a table before the archive is not known', async () => {
    const { exit, out, err } = await ask(['as-of', 'Orders', '2026-11-01T00:00:00Z', '--format', 'dynamodb'])
    expect([exit, out]).toEqual([3, ''])
    expect(err).toContain(
      'the archive begins later, at 2026-11-22 10:00:00Z: what the table held before is not known\n',
    )
  })

  it('makes the continuity query exit 1', async () => {
    const { exit, out } = await ask(['query', 'continuity', 'Orders'])
    expect(exit).toBe(1)
    expect(out.split('\n').map(line => line.split(' ')[0])).toEqual([
      'finding',
      'CONFLICT',
      'DUPLICATE',
      'GAP',
      'KEYS-ONLY',
      'KEYS-ONLY',
      'KEYS-ONLY',
      'PRE-ARCHIVE',
      'PRE-ARCHIVE',
      'CONFLICT:',
      '1',
      'what',
      'not',
      '',
    ])
  })
})

describe('a change without a time of its own', () => {
  it('is told by its arrival, and says so', async () => {
    const record = streamsRecord({ ApproximateCreationDateTime: undefined })
    const root = await archiveOf([record])
    const { out } = await run(['history', 'Orders', 'ORD12345', '--archive', root])
    expect(out).toMatch(/● \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z {2}INSERT {4}actor not recorded/)
    expect(out).toContain('    ⚠ the record has no time, its arrival stands in\n')
    const state = await run(['as-of', 'Orders', 'ORD12345', 'now', '--archive', root, '--format', 'json'])
    expect(JSON.parse(state.out)).toMatchObject({
      remarks: ['the record of the last change has no time, its arrival stands in'],
    })
  })
})
