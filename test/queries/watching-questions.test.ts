/** Questions of whoever watches people: amounts, hours, who is new, who approves what they made. */
import { describe, expect, it } from 'vitest'
import { ParameterError } from '../../queries/parameters.js'
import { archiveOf, change, keyOf } from './story.js'

const [A, B, C, D] = ['A', 'B', 'C', 'D'].map(keyOf)
const by = (actor: string, attributes: object = {}) => ({ updated_by: { S: actor }, ...attributes }) as never
const total = (actor: string, n: string) => by(actor, { total: { N: n } })

describe('amounts', () => {
  const MANY = '123456789012345678901234.0123456789'
  const { ask } = archiveOf([
    change('A', '20T10:00:00', undefined, total('alice', '100')),
    change('A', '20T11:00:00', total('alice', '100'), total('bob', '0.1')),
    change('A', '20T12:00:00', total('bob', '0.1'), total('bob', '0.3')),
    change('B', '20T13:00:00', undefined, total('alice', MANY)),
    change('B', '20T14:00:00', total('alice', MANY), total('alice', '-0.0000000001')),
    change('C', '20T15:00:00', undefined, by('alice', { total: { S: '900' } })),
    change('D', '20T16:00:00', undefined, total('alice', '1e30')),
    change('D', '20T17:00:00', total('alice', '1e30'), by('bob')),
    change('D', '20T18:00:00', by('bob'), undefined),
  ])

  it('are summed exactly by actor, and what cannot be is counted', async () => {
    const columns = ['actor', 'changes', 'items', 'increase', 'decrease', 'difference', 'not_summed']
    expect(await ask('amounts-by-actor', { attribute: 'total' }, columns)).toEqual([
      [
        'alice',
        5n,
        4n,
        '123456789012345678901334.0123456789',
        '123456789012345678901234.0123456790',
        '99.9999999999',
        2n,
      ],
      ['bob', 3n, 2n, '0.2000000000', '99.9000000000', '-99.7000000000', 1n],
    ])
    expect(await ask('amounts-by-actor', { attribute: 'total', from: '2026-11-21T00:00:00Z' }, columns)).toEqual([])
  })

  it('that moved by more than so much are found, with those of which nobody can tell', async () => {
    const above = (amount: string) =>
      ask('changes-above', { attribute: 'total', amount }, ['item_key', 'event_name', 'difference'])
    const untold = [
      [C, 'INSERT', null],
      [D, 'INSERT', null],
      [D, 'MODIFY', null],
    ]
    expect(await above('99.9')).toEqual([
      [A, 'INSERT', '100.0000000000'],
      [B, 'INSERT', '123456789012345678901234.0123456789'],
      [B, 'MODIFY', '-123456789012345678901234.0123456790'],
      ...untold,
    ])
    expect((await above('99.8999999999')).length).toBe(3 + untold.length + 1)
    expect((await above('0.2')).map(([key]) => key)).not.toContain(keyOf('X'))
    for (const wrong of ['-1', '1e3', '0x1', '', '1.00000000001'])
      await expect(above(wrong), wrong).rejects.toThrow(ParameterError)
  })
})

describe('amounts of changes that lack an image', () => {
  const newImage = { StreamViewType: 'NEW_IMAGE', eventName: 'MODIFY' } as const
  const { ask } = archiveOf([
    change('A', '20T10:00:00', undefined, total('alice', '100'), { StreamViewType: 'NEW_IMAGE' }),
    change('A', '20T11:00:00', undefined, total('alice', '40'), newImage),
    change('B', '20T12:00:00', undefined, undefined, { ...newImage, StreamViewType: 'KEYS_ONLY' }),
  ])

  it('are in no sum, and counted, since nobody can tell', async () => {
    const columns = ['actor', 'changes', 'difference', 'not_summed']
    expect(await ask('amounts-by-actor', { attribute: 'total' }, columns)).toEqual([
      [null, 1n, '0.0000000000', 1n],
      ['alice', 2n, '100.0000000000', 1n],
    ])
    expect(
      await ask('changes-above', { attribute: 'total', amount: '1000' }, ['item_key', 'new_value', 'difference']),
    ).toEqual([
      [A, '{"N":"40"}', null],
      [B, null, null],
    ])
  })
})

describe('changes outside working hours', () => {
  // 2026-11-20 is a Friday; Berlin is an hour ahead of UTC then
  const { ask } = archiveOf([
    change('A', '20T06:59:59', undefined, by('alice')),
    change('B', '20T07:00:00', undefined, by('alice')),
    change('C', '20T16:59:59', undefined, by('alice')),
    change('D', '20T17:00:00', undefined, by('alice')),
    change('A', '21T11:00:00', by('alice'), by('bob')),
  ])
  const outside = async (given: Readonly<Record<string, string>>) =>
    (await ask('changes-outside-hours', given, ['item_key', 'event_time'])).map(([key]) => key)

  it('are told by the clock of a zone', async () => {
    expect(await outside({ zone: 'Europe/Berlin' })).toEqual([A, D, A])
    expect(await outside({ zone: 'europe/berlin', days: 'Mon-Sat' })).toEqual([A, D])
    expect(await outside({ zone: 'UTC' })).toEqual([A, B, A])
    expect(await outside({ zone: 'Europe/Berlin', days: 'sat,sun', opens: '0:00', closes: '24:00' })).toEqual([
      A,
      B,
      C,
      D,
    ])
  })

  it('may be of hours that go on past midnight', async () => {
    const night = { zone: 'Europe/Berlin', opens: '17:59', closes: '08:00', days: 'mon-sun' }
    expect(await outside(night)).toEqual([B, A])
  })

  it.each([
    { zone: 'Berlin' },
    { zone: '+01:00' },
    { opens: '8' },
    { opens: '24:01' },
    { closes: 'noon' },
    { days: 'weekdays' },
    { days: 'mon-' },
    { days: '' },
  ])('are refused of %j', async given => {
    const [[name, value]] = Object.entries(given) as [[string, string]]
    await expect(outside(given)).rejects.toThrow(`parameter ${name} is ${JSON.stringify(value)}, expected `)
  })
})

describe('actors', () => {
  const { ask } = archiveOf([
    change('A', '20T10:00:00', undefined, by('alice')),
    change('A', '21T10:00:00', by('alice'), by('bob')),
    change('B', '21T11:00:00', undefined, by('alice')),
    change('C', '22T10:00:00', undefined, by('bob')),
    change('D', '22T11:00:00', undefined, {}),
  ])

  it('are new where the period has their first change', async () => {
    const columns = ['actor', 'event_time', 'item_key', 'changes', 'items']
    expect(await ask('first-time-actors', { from: '2026-11-21T00:00:00Z' }, columns)).toEqual([
      ['bob', '2026-11-21T10:00:00.000Z', A, 2n, 2n],
    ])
    expect(await ask('first-time-actors', { to: '2026-11-21T10:30:00Z' }, columns)).toEqual([
      ['alice', '2026-11-20T10:00:00.000Z', A, 1n, 1n],
      ['bob', '2026-11-21T10:00:00.000Z', A, 1n, 1n],
    ])
  })
})

describe('self-approval', () => {
  const at = (actor: string, status: string) => by(actor, { status: { S: status } })
  const { ask } = archiveOf([
    change('A', '20T10:00:00', undefined, at('alice', 'DRAFT')),
    change('A', '20T11:00:00', at('alice', 'DRAFT'), at('alice', 'APPROVED')),
    change('A', '20T12:00:00', at('alice', 'APPROVED'), by('alice', { status: { S: 'APPROVED' }, n: { N: '1' } })),
    change('B', '20T10:00:00', undefined, by('alice')),
    change('B', '20T11:00:00', by('alice'), at('bob', 'APPROVED')),
    change('C', '20T11:00:00', at('alice', 'DRAFT'), at('alice', 'APPROVED')),
    // made again by another, who then approves it
    change('D', '20T10:00:00', undefined, at('alice', 'DRAFT')),
    change('D', '20T11:00:00', at('alice', 'DRAFT'), undefined),
    change('D', '20T12:00:00', undefined, at('bob', 'DRAFT')),
    change('D', '20T13:00:00', at('bob', 'DRAFT'), at('bob', 'APPROVED')),
    change('E', '20T14:00:00', undefined, at('carol', 'APPROVED')),
  ])
  const columns = ['item_key', 'found', 'actor', 'inserted_by', 'inserted_time', 'event_name']

  it('is an approval by who inserted the item last; where nobody can tell it says so', async () => {
    expect(await ask('self-approvals', { state: 'APPROVED' }, columns)).toEqual([
      [A, 'same', 'alice', 'alice', '2026-11-20T10:00:00.000Z', 'MODIFY'],
      [C, 'unknown', 'alice', null, null, 'MODIFY'],
      [D, 'same', 'bob', 'bob', '2026-11-20T12:00:00.000Z', 'MODIFY'],
      [keyOf('E'), 'same', 'carol', 'carol', '2026-11-20T14:00:00.000Z', 'INSERT'],
    ])
    const late = { state: 'APPROVED', from: '2026-11-20T12:30:00Z', to: '2026-11-20T13:30:00Z' }
    expect((await ask('self-approvals', late, columns)).map(([key]) => key)).toEqual([D])
    expect(await ask('self-approvals', { state: 'approved' }, columns)).toEqual([])
  })
})

describe('self-approval in a stream of new images only', () => {
  const at = (actor: string, status: string) => by(actor, { status: { S: status } })
  const onlyNew = { StreamViewType: 'NEW_IMAGE', OldImage: undefined, eventName: 'MODIFY' } as const
  const { ask } = archiveOf([
    change('A', '20T10:00:00', undefined, at('alice', 'DRAFT'), { StreamViewType: 'NEW_IMAGE' }),
    change('A', '20T11:00:00', undefined, at('alice', 'APPROVED'), onlyNew),
    change('A', '20T12:00:00', undefined, at('bob', 'APPROVED'), onlyNew),
  ])

  it('is found once', async () => {
    expect(await ask('self-approvals', { state: 'APPROVED' }, ['event_time', 'found'])).toEqual([
      ['2026-11-20T11:00:00.000Z', 'same'],
    ])
  })
})
