import type { FirehoseTransformationEvent } from 'aws-lambda'
import { expect, it, vi } from 'vitest'
import { ARRIVAL, firehoseEvents } from '../../../bench/events.js'
import { baselineRecords, ORDERS, orderRecords } from '../../../bench/orders.js'

/** The modules as a process has them that began with this environment. */
async function load(plain: string | undefined) {
  vi.stubEnv('ITEMTRAIL_PLAIN', plain)
  vi.resetModules()
  try {
    const [fast, { createHandler }, { readEnvelope }, { columnsOf }, { readItemState }] = await Promise.all([
      import('../../../transform/fast/fast-path.js'),
      import('../../../transform/handler.js'),
      import('../../../capture/envelope.js'),
      import('../../../transform/audit-row.js'),
      import('../../../transform/item-state.js'),
    ])
    return { fast, createHandler, readEnvelope, columnsOf, readItemState }
  } finally {
    vi.unstubAllEnvs()
  }
}

it('turns all of the fast path off by one switch, and every answer stays the same', async () => {
  const [on, off] = await Promise.all([await load(undefined), await load('1')])
  const records = [...orderRecords({ count: 50 })]
  const [event] = firehoseEvents(records) as [FirehoseTransformationEvent]
  const answer = await off.createHandler(ORDERS)(event)
  expect(answer).toEqual(await on.createHandler(ORDERS)(event))
  expect(answer.records.every(({ result }) => result === 'Ok')).toBe(true)
  const documents = records.map(record => Buffer.from(record))
  expect(documents.map(off.readEnvelope)).toEqual(documents.map(on.readEnvelope))
  const items = [...baselineRecords({ count: 50 })]
  const states = items.map(item => off.readItemState(item, ORDERS))
  expect(states).toEqual(items.map(item => on.readItemState(item, ORDERS)))
  expect(states.every(({ kind }) => kind === 'state')).toBe(true)
  const used = ({ fast, columnsOf }: typeof on) => {
    const lines = Buffer.from(answer.records[0]?.data ?? '', 'base64')
    const data = documents[0]?.toString('base64') ?? ''
    return [
      fast.fastTransform(ORDERS)(data, ARRIVAL).kind,
      fast.glanceAtOrigin(documents[0] as Buffer) !== undefined,
      fast.rowCounter(columnsOf(ORDERS))(Buffer.concat([lines, Buffer.of(0)]), lines.length),
      fast.canonicalItemCheck()('{"a":{"S":"x"}}'),
      items.filter(item => fast.fastDocuments(ORDERS)?.itemState(item) !== undefined).length,
    ]
  }
  expect([used(on), used(off)]).toEqual([
    ['transformed', true, 1, true, 50],
    ['declined', false, 0, false, 0],
  ])
})

it('knows an item as the transform writes it, and leaves every other text to a parser', async () => {
  const { fast } = await load(undefined)
  const isItem = fast.canonicalItemCheck()
  for (const text of ['{"a":{"S":"ü \\n 🎁"}}', '{"a":{"M":{"b":{"NULL":true}}},"c":{"NS":["1","2"]}}', '{}'])
    expect([text, isItem(text)]).toEqual([text, true])
  const others = ['', '{', '{"a":1}', '{"a":{"S":"x"}} ', ' {"a":{"S":"x"}}', '{"a":{"S":"x"}}{}', 'null', '[]']
  const odd = ['{"b":{"S":"x"},"a":{"S":"x"}}', '{"a":{"S":"x"},"a":{"S":"x"}}', '{"a":{"N":"x"}}', '{"a":{"S":"x"}']
  for (const text of [...others, ...odd]) expect([text, isItem(text)]).toEqual([text, false])
})
