import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { randomOf } from '../random.js'
import {
  type ScriptedShard,
  type ScriptedStream,
  type StreamsCall,
  type StreamsFault,
  type StreamsServer,
  startStreamsServer,
} from '../streams-server.js'
import { Death, MemorySink, tailInto } from './tailing.js'

let server: StreamsServer
beforeAll(async () => {
  server = await startStreamsServer()
})
afterAll(() => server.stop())

/** One call in five fails in some way. */
function faultsOf(seed: number): (call: StreamsCall) => StreamsFault {
  const random = randomOf(seed)
  const ofRecords: readonly StreamsFault[] = ['empty', { error: 'ExpiredIteratorException' }]
  const ofAny: readonly StreamsFault[] = ['reset', 'page', { error: 'LimitExceededException' }]
  return ({ operation }) => {
    // what the SDK asks of the table it tries again by itself, which takes its time
    if (random() > 0.2 || operation === 'DescribeTable' || operation === 'ListStreams') return undefined
    const faults = operation === 'GetRecords' ? [...ofRecords, ...ofAny] : ofAny
    return faults[Math.floor(random() * faults.length)]
  }
}

/** What happens to the table before one more life of the tail, and at which step of its sink that life ends. */
const life = fc.record({
  writes: fc.array(fc.nat({ max: 5 }), { maxLength: 6 }),
  split: fc.option(fc.record({ shard: fc.nat({ max: 5 }), into: fc.integer({ min: 1, max: 2 }) }), { nil: undefined }),
  replaced: fc.boolean(),
  faults: fc.nat(),
  // once it has begun, which is its first checkpoint
  diesAt: fc.integer({ min: 1, max: 25 }),
  flushSize: fc.constantFrom(1, 1500, 1e9),
})

it('loses nothing and claims nothing, at whatever step it dies, however often', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async lives => {
      server.streams.length = 0
      let stream: ScriptedStream = server.addStream('2026-11-22T00:00:00.000')
      server.addShard(stream)
      const sink = new MemorySink()
      for (const [number, { writes, split, replaced, faults, diesAt, flushSize }] of lives.entries()) {
        const open = () => stream.shards.filter(({ closed }) => !closed)
        const pick = (n: number) => open()[n % open().length] as ScriptedShard
        for (const n of writes) server.write(pick(n), `k${n}`)
        if (split !== undefined) server.split(stream, pick(split.shard), split.into)
        if (replaced && number % 2 === 1) {
          stream = server.addStream(`2026-11-22T00:00:0${number}.000`)
          server.addShard(stream)
        }
        server.fault = faultsOf(faults)
        let steps = 0
        sink.onStep = () => {
          if (steps++ >= diesAt) throw new Death('killed')
        }
        await tailInto(sink, server, { flushSize }).catch((error: unknown) => {
          if (!(error instanceof Death)) throw error
        })
        sink.restart()
      }
      await tailInto(sink, server)
      const everything = server.streams.flatMap(({ shards }) => shards.flatMap(({ records }) => records))
      expect(new Set(sink.durable)).toEqual(new Set(everything.map(({ sequence }) => sequence)))
      expect(sink.gaps).toEqual([])
    }),
    { numRuns: Number(process.env.RUNS ?? 6), seed: 20261125 },
  )
})
