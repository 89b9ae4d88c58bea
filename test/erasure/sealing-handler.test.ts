import { describe, expect, it } from 'vitest'
import { createSealingHandler } from '../../erasure/sealing-handler.js'
import type { SubjectKey } from '../../erasure/subject-keys.js'
import type { TableKeys } from '../../erasure/table-keys.js'
import { firehoseEvent, streamsRecord, tableConfiguration } from '../factories.js'

const TABLE = tableConfiguration({ erasable: [{ subject: ['buyer'], values: [{ path: ['name'] }] }] })
const LIVE: SubjectKey = { state: 'live', generation: 1, fieldKey: new Uint8Array(64).fill(7) }

/** Keys that last for so many questions after they were loaded. */
function keysFor(lasting = Number.POSITIVE_INFINITY) {
  const loads: (readonly string[])[] = []
  const left = new Map<string, number>()
  const keys: Pick<TableKeys, 'tokenOf' | 'loaded' | 'find' | 'load'> = {
    tokenOf: id => Buffer.from(id).toString('hex').padEnd(32, '0'),
    loaded: token => {
      const questions = left.get(token) ?? 0
      left.set(token, questions - 1)
      return questions > 0 ? LIVE : undefined
    },
    find: () => undefined,
    load: async tokens => {
      loads.push(tokens)
      for (const token of tokens) left.set(token, lasting)
    },
  }
  return { keys: keys as TableKeys, loads }
}

const changeOf = (number: number, buyer: string) =>
  streamsRecord({
    eventID: `e${number}`,
    SequenceNumber: String(number),
    NewImage: { order_id: { S: 'A' }, buyer: { S: buyer }, name: { S: 'Ann' } },
  })

describe('a transform that seals', () => {
  it('loads all persons of a batch at once, and answers what was sealed by their keys', async () => {
    const { keys, loads } = keysFor()
    const told: string[] = []
    const handle = createSealingHandler(
      TABLE,
      async () => keys,
      recordId => told.push(recordId),
    )
    const event = firehoseEvent([changeOf(1, 'a'), changeOf(2, 'b'), changeOf(3, 'a'), 'no JSON'])
    const { records } = await handle(event)
    expect(records.map(({ result }) => result)).toEqual(['Ok', 'Ok', 'Ok', 'ProcessingFailed'])
    expect(loads.map(tokens => tokens.length)).toEqual([2])
    const text = records.map(({ data = '' }) => Buffer.from(data, 'base64').toString()).join('')
    expect(text).not.toContain('Ann')
    expect(text).not.toMatch(/\$enc\\*":\{\\*"S\\*":\\*"1\.1\.[0-9a-f]{32}\.\\*"/)
    // what is gone over twice is refused once
    expect(told).toHaveLength(1)
  })

  it('puts tokens in the place of keys that name persons, which takes no key', async () => {
    const { keys } = keysFor()
    const table = { ...TABLE, keys: [{ column: 'order_id', attribute: 'order_id' }], keyIsPersonal: ['order_id'] }
    const { records } = await createSealingHandler(table, async () => keys)(firehoseEvent([changeOf(1, 'a')]))
    const row = JSON.parse(Buffer.from(records[0]?.data as string, 'base64').toString())
    const token = keys.tokenOf('key:Orders:"order_id":{"S":"ORD12345"}')
    expect(row).toMatchObject({ key_order_id: `token:${token}`, item_key: `{"order_id":{"S":"token:${token}"}}` })
    expect(row.new_image).toMatch(/"order_id":\{"S":"token:/)
  })

  it('never answers what was sealed without a key, however often one runs out', async () => {
    const { keys, loads } = keysFor(2)
    const handle = createSealingHandler(TABLE, async () => keys)
    await expect(handle(firehoseEvent([changeOf(1, 'a'), changeOf(2, 'a')]))).rejects.toThrow(/ran out/)
    expect(loads).toHaveLength(4)
  })

  it('opens its keys for the next batch where that failed, and again after an hour', async () => {
    const { keys } = keysFor()
    let [opened, now] = [0, 1_790_000_000_000]
    const open = async () => {
      if (opened++ === 0) throw new Error('no keys')
      return keys
    }
    const handle = createSealingHandler(TABLE, open, undefined, () => now)
    const event = firehoseEvent([changeOf(1, 'a')])
    await expect(handle(event)).rejects.toThrow('no keys')
    await handle(event)
    await handle(event)
    expect(opened).toBe(2)
    now += 3_600_000
    await handle(event)
    expect(opened).toBe(3)
  })
})
