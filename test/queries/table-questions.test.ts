import { describe, expect, it } from 'vitest'
import { ParameterError } from '../../queries/parameters.js'
import { baselineDocument, kinesisDocument, tableConfiguration } from '../factories.js'
import { archiveOf, change, keyOf, november, STORY, STORY_TABLE } from './story.js'

const [A, B, C] = ['A', 'B', 'C'].map(keyOf)
const DAY_TWO = { from: '2026-11-21T00:00:00Z', to: '2026-11-22T00:00:00Z' }

describe('questions about the whole table at a moment', () => {
  const { ask } = archiveOf(STORY)
  const statusA = (status: string, actor: string) =>
    `{"order_id":{"S":"A"},"status":{"S":"${status}"},"total":{"N":"50"},"updated_by":{"S":"${actor}"}}`
  const insideB = '{"order_id":{"S":"B"},"status":{"S":"PENDING"},"updated_by":{"S":"alice"}}'

  it('table-as-of shows what was there, deleted items left out', async () => {
    const at = (moment: string) => ask('table-as-of', { at: moment }, ['item_key', 'state', 'image'])
    expect(await at('2026-11-20T12:30:00Z')).toEqual([
      [A, 'present', statusA('PROCESSING', 'bob')],
      [B, 'present', insideB],
    ])
    expect((await at('2026-11-21T00:00:00Z')).map(([key]) => key)).toEqual([A])
    expect(await at('2026-11-21T08:30:00Z')).toEqual([])
    expect((await at('2026-11-22T00:00:00Z')).map(([key]) => key)).toEqual([A, C])
    expect(await at('2026-11-20T09:59:59.999999Z')).toEqual([])
  })

  it('items-as-of finds items by a configured column', async () => {
    const at = (moment: string, column: string, value: string) =>
      ask('items-as-of', { at: moment, column, value }, ['item_key', 'event_time', 'actor'])
    expect(await at('2026-11-20T11:00:00Z', 'status', 'PENDING')).toEqual([
      [A, '2026-11-20T10:00:00.000Z', 'bob'],
      [B, '2026-11-20T11:00:00.000Z', 'alice'],
    ])
    expect(await at('2026-11-20T12:30:00Z', 'status', 'PENDING')).toEqual([[B, '2026-11-20T11:00:00.000Z', 'alice']])
    expect(await at('2026-11-20T12:30:00Z', 'total', '50.00')).toEqual([[A, '2026-11-20T12:30:00.000Z', 'bob']])
    expect(await at('2026-11-21T08:30:00Z', 'status', 'SHIPPED')).toEqual([])
    await expect(at('2026-11-21T08:30:00Z', 'price; drop', 'x')).rejects.toThrow(ParameterError)
  })

  it('diff-of-table tells which items came, went and changed', async () => {
    const between = (from: string, to: string) =>
      ask('diff-of-table', { from, to }, ['item_key', 'difference', 'attributes', 'before', 'after'])
    expect(await between('2026-11-20T10:00:00Z', '2026-11-20T12:30:00Z')).toEqual([
      [A, 'changed', ['status'], statusA('PENDING', 'bob'), statusA('PROCESSING', 'bob')],
      [B, 'added', ['order_id', 'status', 'updated_by'], null, insideB],
    ])
    const removed = await between('2026-11-20T12:30:00Z', '2026-11-21T08:00:00Z')
    expect(removed.map(row => row.slice(0, 3))).toEqual([
      [A, 'removed', ['order_id', 'status', 'total', 'updated_by']],
      [B, 'removed', ['order_id', 'status', 'updated_by']],
    ])
    expect(await between('2026-11-20T12:30:00Z', '2026-11-20T23:59:59Z')).toEqual([])
  })

  it('first-and-last-seen tells how long each item is known', async () => {
    const columns = ['item_key', 'first_event', 'first_time', 'last_event', 'last_time', 'changes']
    expect(await ask('first-and-last-seen', {}, columns)).toEqual([
      [A, 'INSERT', '2026-11-20T10:00:00.000Z', 'INSERT', '2026-11-21T09:00:00.000Z', 6n],
      [B, 'INSERT', '2026-11-20T11:00:00.000Z', 'REMOVE', '2026-11-21T00:00:00.000Z', 2n],
      [C, 'INSERT', '2026-11-21T10:00:00.000Z', 'INSERT', '2026-11-21T10:00:00.000Z', 1n],
    ])
  })
})

describe('questions about a period', () => {
  const { ask } = archiveOf(STORY)

  it('changes-between includes the first moment and leaves out the last', async () => {
    const between = (from: string, to: string) =>
      ask('changes-between', { from, to }, ['event_time', 'event_name', 'item_key', 'changed', 'actor', 'actor_source'])
    expect(await between('2026-11-20T11:00:00Z', '2026-11-21T00:00:00Z')).toEqual([
      ['2026-11-20T11:00:00.000Z', 'INSERT', B, ['order_id', 'status', 'updated_by'], 'alice', 'new_image'],
      ['2026-11-20T12:30:00.000Z', 'MODIFY', A, ['status'], 'bob', 'new_image'],
    ])
    expect(await between('2026-11-20T11:00:00Z', '2026-11-20T11:00:00Z')).toEqual([])
    expect((await between('2026-11-20T11:00:00Z', '2026-11-20T11:00:00.000001Z')).length).toBe(1)
    expect((await between('2026-11-20T11:00:00.000001Z', '2026-11-20T12:30:00Z')).length).toBe(0)
    // midnight belongs to the day that begins
    expect((await between(DAY_TWO.from, DAY_TWO.to)).length).toBe(5)
  })

  it('deletions tells time to live from what nobody recorded', async () => {
    const columns = ['event_time', 'item_key', 'deleted_by', 'last_writer']
    expect(await ask('deletions', {}, columns)).toEqual([
      ['2026-11-21T00:00:00.000Z', B, 'time to live', 'alice'],
      ['2026-11-21T08:00:00.000Z', A, 'not recorded', 'dora'],
    ])
    expect(await ask('deletions', { from: '2026-11-21T00:00:01Z', to: '2026-11-21T08:00:00Z' }, columns)).toEqual([])
  })

  it('changes-by-actor finds what one actor did', async () => {
    expect(
      await ask('changes-by-actor', { actor: 'bob' }, ['event_time', 'event_name', 'item_key', 'changed']),
    ).toEqual([
      ['2026-11-20T10:00:00.000Z', 'MODIFY', A, ['total', 'updated_by']],
      ['2026-11-20T12:30:00.000Z', 'MODIFY', A, ['status']],
    ])
    expect(await ask('changes-by-actor', { actor: "x' or 'x'='x" }, ['event_id'])).toEqual([])
  })

  it('changes-by-attribute tells from what to what', async () => {
    const columns = ['event_name', 'item_key', 'old_value', 'new_value', 'actor', 'actor_source']
    expect(await ask('changes-by-attribute', { attribute: 'status', ...DAY_TWO }, columns)).toEqual([
      ['MODIFY', A, '{"S":"PROCESSING"}', '{"S":"SHIPPED"}', 'dora', 'new_image'],
      ['REMOVE', B, '{"S":"PENDING"}', null, 'dynamodb.amazonaws.com', 'service'],
      ['REMOVE', A, '{"S":"SHIPPED"}', null, null, 'unknown'],
      ['INSERT', A, null, '{"S":"PENDING"}', 'carol', 'new_image'],
      ['INSERT', C, null, '{"N":"7"}', null, 'unknown'],
    ])
  })

  it('changes-without-actor finds what nobody answers for', async () => {
    expect(await ask('changes-without-actor', {}, ['event_time', 'event_name', 'item_key', 'last_writer'])).toEqual([
      ['2026-11-21T08:00:00.000Z', 'REMOVE', A, 'dora'],
      ['2026-11-21T10:00:00.000Z', 'INSERT', C, null],
    ])
  })

  it('re-created-items tells how long items were gone', async () => {
    const columns = ['item_key', 'deleted_at', 'created_at', 'seconds_gone', 'deleted_by', 'last_writer', 'created_by']
    const expected = [[A, '2026-11-21T08:00:00.000Z', '2026-11-21T09:00:00.000Z', 3600, null, 'dora', 'carol']]
    expect(await ask('re-created-items', {}, columns)).toEqual(expected)
    // the delete may lie before the period
    expect(await ask('re-created-items', { from: '2026-11-21T09:00:00Z' }, columns)).toEqual(expected)
    expect(await ask('re-created-items', { to: '2026-11-21T09:00:00Z' }, columns)).toEqual([])
  })
})

describe('status-transitions', () => {
  const { ask } = archiveOf(STORY)
  const columns = ['event_time', 'item_key', 'from_status', 'to_status', 'seconds_in_status', 'actor']
  const day = '2026-11-20T'

  it('tells each step and how long the item stayed', async () => {
    expect(await ask('status-transitions', {}, columns)).toEqual([
      [`${day}10:00:00.000Z`, A, null, 'PENDING', 2.5 * 3600, 'alice'],
      [`${day}11:00:00.000Z`, B, null, 'PENDING', 13 * 3600, 'alice'],
      [`${day}12:30:00.000Z`, A, 'PENDING', 'PROCESSING', 11.5 * 3600, 'bob'],
      ['2026-11-21T00:00:00.000Z', A, 'PROCESSING', 'SHIPPED', 8 * 3600, 'dora'],
      ['2026-11-21T00:00:00.000Z', B, 'PENDING', null, null, 'dynamodb.amazonaws.com'],
      ['2026-11-21T08:00:00.000Z', A, 'SHIPPED', null, null, null],
      ['2026-11-21T09:00:00.000Z', A, null, 'PENDING', null, 'carol'],
    ])
  })

  it('knows the status before a period, and does not look behind its end', async () => {
    const period = { from: '2026-11-20T12:30:00Z', to: '2026-11-21T00:00:00Z' }
    expect(await ask('status-transitions', period, columns)).toEqual([
      [`${day}12:30:00.000Z`, A, 'PENDING', 'PROCESSING', null, 'bob'],
    ])
  })

  it('follows another attribute', async () => {
    const rows = await ask('status-transitions', { attribute: 'updated_by' }, ['item_key', 'from_status', 'to_status'])
    expect(rows.filter(([key]) => key === A)).toEqual([
      [A, null, 'alice'],
      [A, 'alice', 'bob'],
      [A, 'bob', 'dora'],
      [A, 'dora', null],
      [A, null, 'carol'],
    ])
  })
})

describe('status-transitions at the edges of what is recorded', () => {
  const pending = { status: { S: 'PENDING' } }
  const shipped = { status: { S: 'SHIPPED' } }
  const at = november('20T10:00:00') * 1000
  const { ask } = archiveOf([
    change('found', '20T10:00:00', undefined, pending),
    baselineDocument({ time: '2026-11-20T11:00:00Z', Item: { order_id: { S: 'found' }, ...pending } }),
    change('found', '20T12:00:00', pending, shipped),
    change('old images', '20T10:00:00', pending, undefined, { StreamViewType: 'OLD_IMAGE', eventName: 'MODIFY' }),
    change('old images', '20T11:00:00', shipped, undefined, { StreamViewType: 'OLD_IMAGE', eventName: 'MODIFY' }),
    change('old images', '20T12:00:00', shipped, undefined, { StreamViewType: 'OLD_IMAGE' }),
    kinesisDocument({ Keys: { order_id: { S: 'quick' } }, ApproximateCreationDateTime: at, NewImage: pending }),
    kinesisDocument({
      Keys: { order_id: { S: 'quick' } },
      ApproximateCreationDateTime: at + 90_025,
      OldImage: pending,
      NewImage: shipped,
    }),
  ])
  const steps = async (order: string) =>
    (await ask('status-transitions', {}, ['item_key', 'from_status', 'to_status', 'seconds_in_status']))
      .filter(([key]) => key === keyOf(order))
      .map(row => row.slice(1))

  it('counts from the insert, not from a baseline that found the same later', async () => {
    expect(await steps('found')).toEqual([
      [null, 'PENDING', 7200],
      ['PENDING', 'SHIPPED', null],
    ])
  })

  it('takes the status after a change from the one that follows where only old images are kept', async () => {
    expect(await steps('old images')).toEqual([
      ['PENDING', 'SHIPPED', 7200],
      ['SHIPPED', null, null],
    ])
  })

  it('counts fractions of a second where the source has them', async () => {
    expect(await steps('quick')).toEqual([
      [null, 'PENDING', 90.025],
      ['PENDING', 'SHIPPED', null],
    ])
  })
})

describe('illegal-transitions', () => {
  const status = (S: string) => ({ status: { S } })
  const records = [
    change('A', '20T10:00:00', undefined, status('NEW')),
    change('A', '20T10:00:01', status('NEW'), status('PAID')),
    change('A', '20T10:00:02', status('PAID'), status('NEW')),
    change('B', '20T10:00:03', status('NEW'), status('SHIPPED')),
    change('B', '20T10:00:04', status('SHIPPED'), { status: { N: '1' } }),
    change('C', '20T10:00:05', status('"quoted"'), status('größe')),
    change('C', '20T10:00:06', status('größe'), status('"quoted"')),
  ]
  const columns = ['item_key', 'from_status', 'to_status']
  const lifecycle = { path: ['status'], allowed: [['NEW', 'PAID'] as const, ['"quoted"', 'größe'] as const] }
  const { ask } = archiveOf(records, { ...STORY_TABLE, lifecycle })
  const forbidden = [
    [A, 'PAID', 'NEW'],
    [B, 'NEW', 'SHIPPED'],
    [C, 'größe', '"quoted"'],
  ]

  it('finds the steps that the configured life cycle forbids', async () => {
    expect(await ask('illegal-transitions', {}, columns)).toEqual(forbidden)
  })

  it('finds the steps that a life cycle given with the question forbids, however it is written', async () => {
    const allowed = ' [ ["NEW", "PAID"],\n ["\\"quoted\\"", "gr\\u00f6\\u00dfe"] ]'
    expect(await ask('illegal-transitions', { allowed }, columns)).toEqual(forbidden)
    expect(await ask('illegal-transitions', { allowed: '[]' }, columns)).toHaveLength(5)
  })

  it('needs a life cycle', async () => {
    const bare = archiveBare
    await expect(bare.askRows('illegal-transitions')).rejects.toThrow('parameter allowed is missing')
  })
  const archiveBare = archiveOf(records, tableConfiguration())
})
