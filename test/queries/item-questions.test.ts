import { describe, expect, it } from 'vitest'
import { baselineDocument, kinesisDocument } from '../factories.js'
import { sha256 } from '../transform/second-implementation.js'
import { archiveOf, change, keyOf, microseconds, november, STORY } from './story.js'

const A = { item_key: keyOf('A') }
const image = (attributes: string) => `{${attributes}}`

describe('item-history', () => {
  const { ask, askRows } = archiveOf(STORY)
  const columns = ['step', 'event_time', 'event_name', 'changed', 'actor', 'actor_source', 'repeats', 'conflict']

  it('tells every change of an item, oldest first, changes of one second by their sequence', async () => {
    expect(await ask('item-history', A, columns)).toEqual([
      [
        1n,
        '2026-11-20T10:00:00.000Z',
        'INSERT',
        ['order_id', 'status', 'total', 'updated_by'],
        'alice',
        'new_image',
        0n,
        false,
      ],
      [2n, '2026-11-20T10:00:00.000Z', 'MODIFY', ['total', 'updated_by'], 'bob', 'new_image', 0n, false],
      [3n, '2026-11-20T12:30:00.000Z', 'MODIFY', ['status'], 'bob', 'new_image', 0n, false],
      // the record that both deliveries brought
      [4n, '2026-11-21T00:00:00.000Z', 'MODIFY', ['note', 'status', 'updated_by'], 'dora', 'new_image', 1n, false],
      [
        5n,
        '2026-11-21T08:00:00.000Z',
        'REMOVE',
        ['note', 'order_id', 'status', 'total', 'updated_by'],
        null,
        'unknown',
        0n,
        false,
      ],
      [6n, '2026-11-21T09:00:00.000Z', 'INSERT', ['order_id', 'status', 'updated_by'], 'carol', 'new_image', 0n, false],
    ])
  })

  it('has images and hashes of each change, null where there is none', async () => {
    const [insert, modify] = await askRows('item-history', A)
    const first = image('"order_id":{"S":"A"},"status":{"S":"PENDING"},"total":{"N":"45.5"},"updated_by":{"S":"alice"}')
    expect(insert).toMatchObject({ old_image: null, new_image: first, old_hash: null, new_hash: sha256(first) })
    expect(modify).toMatchObject({ old_image: first, old_hash: sha256(first) })
  })

  it('includes the first moment of a period and leaves out the last', async () => {
    const period = { ...A, from: '2026-11-20T12:30:00Z', to: '2026-11-21T08:00:00Z' }
    expect(await ask('item-history', period, ['event_time_us'])).toEqual([
      [microseconds('20T12:30:00')],
      [microseconds('21T00:00:00')],
    ])
  })

  it('has no rows for an item that the archive does not know', async () => {
    expect(await askRows('item-history', { item_key: keyOf('Z') })).toEqual([])
  })
})

describe('item-as-of', () => {
  const { ask } = archiveOf(STORY)
  const columns = ['state', 'image', 'event_name', 'event_time', 'actor', 'unresolved']
  const asOf = (at: string, order = 'A') => ask('item-as-of', { item_key: keyOf(order), at }, columns)

  it('includes the changes at the moment', async () => {
    const bobs = image('"order_id":{"S":"A"},"status":{"S":"PROCESSING"},"total":{"N":"50"},"updated_by":{"S":"bob"}')
    const at = [['present', bobs, 'MODIFY', '2026-11-20T12:30:00.000Z', 'bob', false]]
    expect(await asOf('2026-11-20T12:30:00Z')).toEqual(at)
    expect(await asOf('2026-11-20T12:29:59.999999Z')).not.toEqual(at)
    expect(await asOf('2026-11-20T23:59:59.999999Z')).toEqual(at)
    expect(await asOf('2026-11-21T00:00:00Z')).not.toEqual(at)
  })

  it('shows the last of the changes that one second holds', async () => {
    const [row] = await asOf('2026-11-20T10:00:00Z')
    expect(row?.[1]).toContain('"total":{"N":"50"}')
  })

  it('tells a deleted item from one that was not there yet', async () => {
    expect(await asOf('2026-11-21T08:30:00Z')).toEqual([
      ['deleted', null, 'REMOVE', '2026-11-21T08:00:00.000Z', null, false],
    ])
    expect(await asOf('2026-11-20T09:59:59Z')).toEqual([])
  })

  it('shows an item that came back as it is now', async () => {
    const [row] = await asOf('2027-01-01T00:00:00Z')
    expect(row?.[1]).toBe(image('"order_id":{"S":"A"},"status":{"S":"PENDING"},"updated_by":{"S":"carol"}'))
  })

  it('takes a moment in any zone', async () => {
    expect(await asOf('2026-11-20T13:30:00+01:00')).toEqual(await asOf('2026-11-20T12:30:00Z'))
    expect(await asOf('2026-11-20T18:00:00+05:30')).toEqual(await asOf('2026-11-20T12:30:00Z'))
    // the day in the zone is not the UTC day that the partition is named after
    expect(await asOf('2026-11-21T01:30:00+14:00')).toEqual(await asOf('2026-11-20T11:30:00Z'))
    expect(await asOf('2026-11-19T23:00:00-12:00')).toEqual(await asOf('2026-11-20T11:00:00Z'))
  })
})

describe('item-as-of where time alone gives no order', () => {
  const v = (N: string) => ({ v: { N } })
  const kinesis = (order: string, us: number, before: object | undefined, after: object | undefined) =>
    kinesisDocument({
      Keys: { order_id: { S: order } },
      ApproximateCreationDateTime: november('20T10:00:00') * 1_000_000 + us,
      ApproximateCreationDateTimePrecision: 'MICROSECOND',
      OldImage: before && { order_id: { S: order }, ...before },
      NewImage: after && { order_id: { S: order }, ...after },
    })
  const { ask } = archiveOf([
    kinesis('chain', 5, undefined, v('1')),
    kinesis('chain', 7, v('2'), v('3')),
    kinesis('chain', 7, v('1'), v('2')),
    kinesis('loop', 5, undefined, v('1')),
    kinesis('loop', 7, v('2'), v('1')),
    kinesis('loop', 7, v('1'), v('2')),
    kinesis('loop alone', 7, v('2'), v('1')),
    kinesis('loop alone', 7, v('1'), v('2')),
    kinesis('broken', 5, undefined, v('1')),
    kinesis('broken', 7, v('1'), v('2')),
    kinesis('broken', 7, v('3'), v('4')),
    change('keys only', '20T10:00:00', undefined, undefined, { eventName: 'MODIFY', StreamViewType: 'KEYS_ONLY' }),
    change('gone', '20T10:00:00', undefined, undefined, { eventName: 'REMOVE', StreamViewType: 'KEYS_ONLY' }),
  ])
  const state = async (order: string, at: string) =>
    (await ask('item-as-of', { item_key: keyOf(order), at }, ['state', 'image', 'unresolved']))[0]
  const present = (order: string, n: string) => `{"order_id":{"S":"${order}"},"v":{"N":"${n}"}}`

  it('finds the way through a tie group', async () => {
    expect(await state('chain', '2026-11-20T10:00:00.000007Z')).toEqual(['present', present('chain', '3'), false])
    expect(await state('chain', '2026-11-20T10:00:00.000006Z')).toEqual(['present', present('chain', '1'), false])
  })

  it('ends a closed loop in the state before it', async () => {
    expect(await state('loop', '2026-11-20T10:00:00.000007Z')).toEqual(['present', present('loop', '1'), false])
  })

  it('does not know where a closed loop with nothing before it ends', async () => {
    expect(await state('loop alone', '2026-11-20T10:00:01Z')).toEqual(['unknown', null, false])
  })

  it('says so where the changes of one time contradict one another', async () => {
    expect((await state('broken', '2026-11-20T10:00:01Z'))?.[2]).toBe(true)
  })

  it('does not know the state where the view type keeps no image, but knows a delete', async () => {
    expect(await state('keys only', '2026-11-20T10:00:01Z')).toEqual(['unknown', null, false])
    expect(await state('gone', '2026-11-20T10:00:01Z')).toEqual(['deleted', null, false])
  })
})

describe('attribute-history', () => {
  const odd = (name: string, value: string) => ({ [name]: { S: value } })
  const NAMES = ['a.b', '"', "it's", '\\', ' ', '__proto__', '$.S', '[0]', '\0', '\x1f', '😀', '～', "x' or '1'='1"]
  const { ask } = archiveOf([
    ...STORY,
    ...NAMES.flatMap((name, i) => [change('odd', `22T00:${10 + i}:00`, odd(name, 'from'), odd(name, `to ${name}`))]),
    change('types', '22T01:00:00', { x: { S: '\0\x1f"\\/é\u2028😀' } }, { x: { N: `-15${'0'.repeat(124)}` } }),
    change(
      'types',
      '22T01:00:01',
      { x: { N: `-15${'0'.repeat(124)}` } },
      { x: { L: [{ NULL: true }, { BOOL: false }] } },
    ),
    change('types', '22T01:00:02', { x: { L: [{ NULL: true }, { BOOL: false }] } }, { x: { B: 'AAEC' } }),
    change('types', '22T01:00:03', { x: { B: 'AAEC' } }, { x: { M: { x: { S: '' } } } }),
    change('types', '22T01:00:04', { x: { M: { x: { S: '' } } } }, { x: { M: { x: { S: '' } } }, y: { S: 'z' } }),
  ])
  const columns = ['event_time', 'event_name', 'old_value', 'new_value', 'actor']

  it('tells each value of an attribute, and passes over changes of others', async () => {
    expect(await ask('attribute-history', A, columns)).toEqual([
      ['2026-11-20T10:00:00.000Z', 'INSERT', null, '{"S":"PENDING"}', 'alice'],
      ['2026-11-20T12:30:00.000Z', 'MODIFY', '{"S":"PENDING"}', '{"S":"PROCESSING"}', 'bob'],
      ['2026-11-21T00:00:00.000Z', 'MODIFY', '{"S":"PROCESSING"}', '{"S":"SHIPPED"}', 'dora'],
      ['2026-11-21T08:00:00.000Z', 'REMOVE', '{"S":"SHIPPED"}', null, null],
      ['2026-11-21T09:00:00.000Z', 'INSERT', null, '{"S":"PENDING"}', 'carol'],
    ])
  })

  it('tells an attribute that is NULL from one that is absent', async () => {
    expect(await ask('attribute-history', { ...A, attribute: 'note' }, ['old_value', 'new_value'])).toEqual([
      [null, '{"NULL":true}'],
      ['{"NULL":true}', null],
    ])
  })

  it('refuses an attribute that no item ever had, for of that nobody can say that it never changed', async () => {
    const nothing = ask('attribute-history', { ...A, attribute: 'nothing' }, columns)
    await expect(nothing).rejects.toThrow('attribute is "nothing", which no item ever had, expected')
  })

  it('finds attributes whatever their name', async () => {
    for (const name of NAMES) {
      const rows = await ask('attribute-history', { item_key: keyOf('odd'), attribute: name }, [
        'attribute',
        'new_value',
      ])
      // the last of them is followed by nothing, each other is gone with the next change
      const [first] = rows
      expect(first?.[0], name).toBe(name)
      expect(JSON.parse(first?.[1] as string), name).toEqual({ S: `to ${name}` })
    }
  })

  it('tells values of every type exactly', async () => {
    const rows = await ask('attribute-history', { item_key: keyOf('types'), attribute: 'x' }, [
      'old_value',
      'new_value',
    ])
    expect(rows.map(row => row.map(value => JSON.parse(value as string)))).toEqual([
      [{ S: '\0\x1f"\\/é\u2028😀' }, { N: `-15${'0'.repeat(124)}` }],
      [{ N: `-15${'0'.repeat(124)}` }, { L: [{ NULL: true }, { BOOL: false }] }],
      [{ L: [{ NULL: true }, { BOOL: false }] }, { B: 'AAEC' }],
      [{ B: 'AAEC' }, { M: { x: { S: '' } } }],
    ])
  })
})

describe('attribute-history where a record does not tell what was before', () => {
  const pending = { status: { S: 'PENDING' } }
  const shipped = { status: { S: 'SHIPPED' } }
  const found = (order: string, time: string, status: object) =>
    baselineDocument({ time: `2026-11-${time}Z`, Item: { order_id: { S: order }, ...status } })
  const newImages = { StreamViewType: 'NEW_IMAGE', eventName: 'MODIFY' } as const
  const { ask } = archiveOf([
    change('found again', '20T10:00:00', undefined, pending),
    found('found again', '20T11:00:00', pending),
    change('found again', '20T12:00:00', pending, shipped),
    found('found first', '20T11:00:00', pending),
    change('found first', '20T12:00:00', pending, shipped),
    change('new images', '20T10:00:00', undefined, pending, { StreamViewType: 'NEW_IMAGE' }),
    change('new images', '20T11:00:00', undefined, { ...pending, note: { S: 'x' } }, newImages),
    change('new images', '20T12:00:00', undefined, shipped, newImages),
  ])
  const values = async (order: string) =>
    ask('attribute-history', { item_key: keyOf(order) }, ['event_name', 'old_value', 'new_value'])

  it('does not take a baseline in the middle for a change', async () => {
    expect(await values('found again')).toEqual([
      ['INSERT', null, '{"S":"PENDING"}'],
      ['MODIFY', '{"S":"PENDING"}', '{"S":"SHIPPED"}'],
    ])
  })

  it('begins with the baseline where nothing is known before it', async () => {
    expect(await values('found first')).toEqual([
      ['BASELINE', null, '{"S":"PENDING"}'],
      ['MODIFY', '{"S":"PENDING"}', '{"S":"SHIPPED"}'],
    ])
  })

  it('compares with the value known last where the stream keeps new images only', async () => {
    expect(await values('new images')).toEqual([
      ['INSERT', null, '{"S":"PENDING"}'],
      ['MODIFY', '{"S":"PENDING"}', '{"S":"SHIPPED"}'],
    ])
  })
})

describe('blame', () => {
  const { ask } = archiveOf(STORY)
  const columns = ['attribute', 'value', 'event_time', 'event_name', 'actor', 'actor_source']

  it('names for each attribute who changed it last', async () => {
    expect(await ask('blame', { ...A, at: '2026-11-21T07:00:00Z' }, columns)).toEqual([
      ['note', '{"NULL":true}', '2026-11-21T00:00:00.000Z', 'MODIFY', 'dora', 'new_image'],
      ['order_id', '{"S":"A"}', '2026-11-20T10:00:00.000Z', 'INSERT', 'alice', 'new_image'],
      ['status', '{"S":"SHIPPED"}', '2026-11-21T00:00:00.000Z', 'MODIFY', 'dora', 'new_image'],
      ['total', '{"N":"50"}', '2026-11-20T10:00:00.000Z', 'MODIFY', 'bob', 'new_image'],
      ['updated_by', '{"S":"dora"}', '2026-11-21T00:00:00.000Z', 'MODIFY', 'dora', 'new_image'],
    ])
  })

  it('shows no value of an attribute that was removed', async () => {
    const rows = await ask('blame', { ...A, at: '2026-11-21T08:00:00Z' }, ['attribute', 'value', 'event_name'])
    expect(rows).toContainEqual(['status', null, 'REMOVE'])
  })
})
