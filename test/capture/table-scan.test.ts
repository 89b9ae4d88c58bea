import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describe, expect, it } from 'vitest'
import type { Patience } from '../../aws/patience.js'
import { describeTable, readItem, TableScan } from '../../capture/table-scan.js'

interface Input {
  readonly ConsistentRead?: boolean
  readonly ExclusiveStartKey?: { readonly id: { readonly S: string } }
  readonly Segment?: number
  readonly TotalSegments?: number
  readonly Key?: object
}

interface Answer {
  readonly status?: number
  readonly body: object
  readonly date?: string
}

/** A DynamoDB without a network; it answers what the function says, and throws where that throws. */
function openClient(answerTo: (operation: string, input: Input) => Answer) {
  const asked: Input[] = []
  const handle = async (request: { headers: Record<string, string>; body?: Uint8Array | string }) => {
    const input = JSON.parse(Buffer.from(request.body ?? '').toString()) as Input
    asked.push(input)
    const operation = request.headers['x-amz-target']?.split('.')[1] as string
    const { status = 200, body, date } = answerTo(operation, input)
    const headers = date === undefined ? {} : { date }
    return { response: { statusCode: status, headers, body: new Blob([JSON.stringify(body)]).stream() } }
  }
  const requestHandler = { handle, updateHttpClientConfig() {}, httpHandlerConfigs: () => ({}) }
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  return { client: new DynamoDBClient({ region: 'us-east-1', credentials, maxAttempts: 1, requestHandler }), asked }
}

const item = (id: string) => ({ id: { S: id } })
const error = (code: string, status = 400): Answer => ({ status, body: { __type: `x#${code}`, message: 'on demand' } })

/** A clock that never waits, and remembers what it would have waited. */
function patience() {
  const waits: number[] = []
  const time: Patience = {
    sleep: async ms => waits.push(ms),
    random: () => 0.5,
  }
  return { time, waits }
}

async function collect(scan: TableScan): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of scan.items()) texts.push(text)
  return texts
}

describe('a scan', () => {
  it('reads all pages with strongly consistent reads, empty ones among them', async () => {
    const pages: Readonly<Record<string, object>> = {
      start: { Items: [item('a'), item('b')], LastEvaluatedKey: item('b') },
      b: { Items: [], LastEvaluatedKey: item('c') },
      c: { Items: [item('d')] },
    }
    const { client, asked } = openClient((_, { ExclusiveStartKey }) => ({
      body: pages[ExclusiveStartKey?.id.S ?? 'start'] as object,
    }))
    expect(await collect(new TableScan(client, { name: 'Orders' }))).toEqual(
      ['a', 'b', 'd'].map(id => JSON.stringify(item(id))),
    )
    expect(
      asked.every(({ ConsistentRead, TotalSegments }) => ConsistentRead === true && TotalSegments === undefined),
    ).toBe(true)
  })

  it('reads segments side by side, each to its end', async () => {
    const { client, asked } = openClient((_, { Segment, ExclusiveStartKey }) => {
      const page = ExclusiveStartKey === undefined ? 0 : Number(ExclusiveStartKey.id.S.split('-')[1]) + 1
      const id = `${Segment}-${page}`
      return { body: { Items: [item(id)], ...(page < (Segment as number) && { LastEvaluatedKey: item(id) }) } }
    })
    const texts = await collect(new TableScan(client, { name: 'Orders' }, 3))
    expect(texts.sort()).toEqual(['0-0', '1-0', '1-1', '2-0', '2-1', '2-2'].map(id => JSON.stringify(item(id))))
    expect(asked.map(({ TotalSegments }) => TotalSegments)).toEqual([3, 3, 3, 3, 3, 3])
  })

  it('gives items as they are on the wire: numbers as text, binary in base64, __proto__ kept', async () => {
    const wire = '{"id":{"S":"a"},"n":{"N":"1.50"},"b":{"B":"AQI="},"__proto__":{"M":{"__proto__":{"BS":["AQI="]}}}}'
    const { client } = openClient(() => ({ body: { Items: [JSON.parse(wire) as object] } }))
    expect(await collect(new TableScan(client, { name: 'Orders' }))).toEqual([wire])
  })

  it('goes on after any key, binary ones and one called __proto__ among them', async () => {
    const last = JSON.parse('{"__proto__":{"S":"a"},"b":{"B":"AQI="}}') as object
    const { client, asked } = openClient((_, { ExclusiveStartKey }) => ({
      body: { Items: [item('a')], ...(ExclusiveStartKey === undefined && { LastEvaluatedKey: last }) },
    }))
    expect(await collect(new TableScan(client, { name: 'Orders' }))).toHaveLength(2)
    expect(JSON.stringify(asked[1]?.ExclusiveStartKey)).toBe(JSON.stringify(last))
  })

  it('waits longer and longer for a table that throttles, and goes on where it was', async () => {
    let tries = 0
    const { client } = openClient(() => {
      tries++
      if (tries <= 4) return error('ProvisionedThroughputExceededException')
      if (tries === 6) return error('InternalServerError', 500)
      return { body: { Items: [item(String(tries))], ...(tries === 5 && { LastEvaluatedKey: item('5') }) } }
    })
    const { time, waits } = patience()
    expect(await collect(new TableScan(client, { name: 'Orders' }, 1, Date.now, time))).toHaveLength(2)
    expect(waits).toEqual([25, 50, 100, 200, 25])
  })

  it('gives up on a table that throttles for good, and at once on what no waiting would change', async () => {
    const { time, waits } = patience()
    const busy = openClient(() => error('ThrottlingException'))
    await expect(collect(new TableScan(busy.client, { name: 'Orders' }, 2, Date.now, time))).rejects.toThrow(
      'on demand',
    )
    waits.length = 0
    for (const code of ['AccessDeniedException', 'ResourceNotFoundException', 'UnrecognizedClientException']) {
      const { client } = openClient(() => error(code))
      await expect(collect(new TableScan(client, { name: 'Orders' }, 2, Date.now, time))).rejects.toMatchObject({
        name: code,
      })
    }
    expect(waits).toEqual([])
  })

  it('is patient with a table that throttles, some minutes, and not so long with a network that fails', async () => {
    const { time, waits } = patience()
    const minutes = () => waits.splice(0).reduce((sum, ms) => sum + ms, 0) / 60_000
    const busy = openClient(() => error('ThrottlingException'))
    await expect(readItem(busy.client, { name: 'Orders' }, '{}', time)).rejects.toThrow('on demand')
    expect(minutes()).toBeCloseTo(10, 0)
    const broken = openClient(() => {
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    })
    await expect(readItem(broken.client, { name: 'Orders' }, '{}', time)).rejects.toThrow('refused')
    expect(minutes()).toBeLessThan(1)
    await expect(describeTable(broken.client, 'Orders', Date.now, time)).rejects.toThrow('refused')
    expect(waits).toEqual([])
  })

  it('tries again where the network fails', async () => {
    let tries = 0
    const { client } = openClient(() => {
      if (tries++ === 0) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
      return { body: { Items: [item('a')] } }
    })
    const { time } = patience()
    expect(await collect(new TableScan(client, { name: 'Orders' }, 1, Date.now, time))).toHaveLength(1)
  })

  it('ends no earlier than the clock of the server', async () => {
    const date = 'Sun, 22 Nov 2026 10:00:07 GMT'
    const { client } = openClient(() => ({ body: { Items: [] }, date }))
    const late = new TableScan(client, { name: 'Orders' }, 1, () => 0)
    await collect(late)
    expect(late.untilUs).toBe((Date.parse(date) + 1000) * 1000)
  })
})

describe('a table', () => {
  const body = {
    Table: {
      TableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders',
      KeySchema: [
        { AttributeName: 'line', KeyType: 'RANGE' },
        { AttributeName: 'order_id', KeyType: 'HASH' },
      ],
      ItemCount: 7,
    },
  }

  it('tells its keys, the partition key first, and a moment by the earlier of both clocks', async () => {
    const date = 'Sun, 22 Nov 2026 10:00:07 GMT'
    const { client } = openClient(() => ({ body, date }))
    const server = Date.parse(date)
    for (const [ours, asked] of [
      [server + 5000, server],
      [server - 5000, server - 5000],
    ] as const) {
      expect(await describeTable(client, 'Orders', () => ours)).toMatchObject({
        name: 'Orders',
        arn: body.Table.TableArn,
        keys: ['order_id', 'line'],
        itemCount: 7,
        askedUs: asked * 1000,
        clockAheadMs: ours - server,
      })
    }
  })

  it('without a clock in its answer is told by ours', async () => {
    const { client } = openClient(() => ({ body }))
    expect(await describeTable(client, 'Orders', () => 5000)).toMatchObject({ askedUs: 5_000_000, clockAheadMs: 0 })
  })

  it('gives one item again by its canonical key or says that there is none', async () => {
    const { client, asked } = openClient((_, { Key }) => ({ body: 'b' in (Key as object) ? { Item: item('a') } : {} }))
    expect(await readItem(client, { name: 'Orders' }, '{"b":{"B":"AQI="},"n":{"N":"1"}}')).toBe(
      JSON.stringify(item('a')),
    )
    expect(asked[0]).toMatchObject({ ConsistentRead: true, Key: { b: { B: 'AQI=' }, n: { N: '1' } } })
    expect(await readItem(client, { name: 'Orders' }, '{"id":{"S":"x"}}')).toBeUndefined()
  })
})
