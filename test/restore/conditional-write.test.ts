import { describe, expect, it } from 'vitest'
import { isSame, toConditionalWrite } from '../../restore/conditional-write.js'
import type { Item } from '../../transform/attribute-value.js'

const KEY: Item = { pk: { S: 'a' } }

/** The key and so many attributes. */
function wide(attributes: number, value = '1'): Item {
  return { ...KEY, ...Object.fromEntries(Array.from({ length: attributes }, (_, i) => [`a${i}`, { N: value }])) }
}

function write(wanted: Item | null, current: Item | null) {
  const { operation, request } = toConditionalWrite({ key: KEY, wanted, current })
  const condition = request.ConditionExpression as string
  const update = (request.UpdateExpression ?? '') as string
  return { operation, request, condition, update, operators: condition.split(/ AND |=|\(/).length - 1 }
}

describe('toConditionalWrite', () => {
  it('puts what must not be there', () => {
    expect(write({ ...KEY, v: { N: '1' } }, null)).toMatchObject({
      operation: 'PutItem',
      condition: 'attribute_not_exists(#0)',
      request: { Item: { pk: { S: 'a' }, v: { N: '1' } }, ExpressionAttributeNames: { '#0': 'pk' } },
    })
  })

  it('updates only what differs, and holds everything that was read', () => {
    const current: Item = { ...KEY, same: { SS: ['a'] }, gone: { S: 'x' }, other: { N: '1' } }
    const { operation, request } = write(
      { ...KEY, same: { SS: ['a'] }, other: { N: '2' }, new: { BOOL: true } },
      current,
    )
    expect([operation, request]).toEqual([
      'UpdateItem',
      {
        Key: KEY,
        ConditionExpression: 'attribute_exists(#0) AND #1=:0 AND #2=:1 AND attribute_not_exists(#3) AND #4=:2',
        UpdateExpression: 'SET #2=:3,#3=:4 REMOVE #1',
        ExpressionAttributeNames: { '#0': 'pk', '#1': 'gone', '#2': 'other', '#3': 'new', '#4': 'same' },
        ExpressionAttributeValues: {
          ':0': { S: 'x' },
          ':1': { N: '1' },
          ':2': { SS: ['a'] },
          ':3': { N: '2' },
          ':4': { BOOL: true },
        },
        ReturnValues: 'ALL_OLD',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    ])
  })

  it('deletes what is as it was read', () => {
    expect(write(null, { ...KEY, v: { N: '1' } })).toMatchObject({
      operation: 'DeleteItem',
      condition: 'attribute_exists(#0) AND #1=:0',
    })
    expect(write(null, KEY).request).not.toHaveProperty('ExpressionAttributeValues')
  })

  it('keeps within 300 operators and 4,096 bytes, what is written first', () => {
    const current = wide(400)
    const { operation, condition, operators, update, request } = write({ ...current, a399: { N: '2' } }, current)
    expect([operation, operators <= 300, condition.length <= 4096]).toEqual(['UpdateItem', true, true])
    expect(update).toBe(`SET #1=:${(149).toString(36)}`)
    expect(request.ExpressionAttributeNames).toMatchObject({ '#1': 'a399' })
    expect(Object.keys(request.ExpressionAttributeNames as object)).toHaveLength(150)
    expect(condition.split(' AND ')[1]).toBe('#1=:0')
  })

  it('holds 149 attributes and updates them; of one more that differs the whole item is put', () => {
    expect(write(wide(149, '2'), wide(149))).toMatchObject({ operation: 'UpdateItem', operators: 299 })
    const whole = write(wide(150, '2'), wide(150))
    expect(whole).toMatchObject({ operation: 'PutItem', operators: 299, request: { Item: wide(150, '2') } })
    expect(write(wide(2000, '2'), KEY)).toMatchObject({ operation: 'PutItem', condition: 'attribute_exists(#0)' })
  })

  it('names no attribute and no value that no expression uses, which DynamoDB refuses', () => {
    const many = wide(300)
    for (const [wanted, current] of [
      [{ ...many, a0: { N: '2' } }, many],
      [null, many],
      [wide(300, '2'), many],
      [wide(3), many],
    ] as const) {
      const { request, condition, update } = write(wanted, current)
      const used = new Set(`${condition} ${update}`.match(/[#:][0-9a-z]+/g))
      const named = [request.ExpressionAttributeNames, request.ExpressionAttributeValues].flatMap(tokens =>
        Object.keys((tokens ?? {}) as object),
      )
      expect([...used].sort()).toEqual(named.sort())
    }
  })

  it('loses no attribute called __proto__', () => {
    const item = (N: string) => JSON.parse(`{"pk":{"S":"a"},"__proto__":{"N":"${N}"}}`) as Item
    const { request } = write(item('2'), item('1'))
    expect(request.ExpressionAttributeNames).toEqual({ '#0': 'pk', '#1': '__proto__' })
    expect(request.ExpressionAttributeValues).toEqual({ ':0': { N: '1' }, ':1': { N: '2' } })
  })
})

describe('isSame', () => {
  it('compares as DynamoDB does, and tells no item from an empty one', () => {
    expect(isSame({ v: { NS: ['1.0', '2'] } }, { v: { NS: ['2', '1'] } })).toBe(true)
    expect(isSame({ v: { L: [{ N: '1' }, { N: '2' }] } }, { v: { L: [{ N: '2' }, { N: '1' }] } })).toBe(false)
    expect(isSame({}, {})).toBe(true)
    expect(isSame({}, null)).toBe(false)
    expect(isSame(JSON.parse('{"__proto__":{"N":"1"}}') as Item, {})).toBe(false)
  })
})
