import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TailStatus } from '../../capture/tail-status.js'
import { type ScriptedShard, type ScriptedStream, type StreamsServer, startStreamsServer } from '../streams-server.js'
import { MemorySink, tailInto } from './tailing.js'

let server: StreamsServer
let stream: ScriptedStream
let sink: MemorySink
beforeEach(async () => {
  server = await startStreamsServer()
  stream = server.addStream()
  sink = new MemorySink()
})
afterEach(() => server.stop())

const writeMany = (shard: ScriptedShard, count: number) => {
  for (let i = 0; i < count; i++) server.write(shard, `k${i % 3}`)
}

/** Every record that the server has and had, in the order of sequence numbers. */
const everything = () =>
  server.streams
    .flatMap(({ shards }) => shards.flatMap(({ records }) => records.map(({ sequence }) => sequence)))
    .sort()

/** Waits until something is so, for a tail that goes on. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 1))
}

function expectParentsFirst(): void {
  const place = new Map(sink.durable.map((sequence, index) => [sequence, index]))
  for (const { shards } of server.streams)
    for (const child of shards) {
      const parent = shards.find(({ id }) => id === child.parent)
      const last = Math.max(-1, ...(parent?.records ?? []).map(({ sequence }) => place.get(sequence) as number))
      for (const { sequence } of child.records) expect(place.get(sequence)).toBeGreaterThan(last)
    }
}

describe('a tail until it has caught up', () => {
  it('takes every record once, over several pages of shards, parents before their children', async () => {
    const roots = [server.addShard(stream), server.addShard(stream)]
    for (const root of roots) writeMany(root, 10)
    for (const child of server.split(stream, roots[0] as ScriptedShard, 3)) writeMany(child, 7)
    for (const child of server.split(stream, roots[1] as ScriptedShard, 1)) {
      writeMany(child, 2)
      for (const grandchild of server.split(stream, child)) writeMany(grandchild, 5)
    }
    // DescribeStream promises no order
    stream.shards.reverse()
    const outcome = await tailInto(sink, server)
    expect([outcome.ending, outcome.gaps]).toEqual(['caught-up', []])
    expect([...sink.durable].sort()).toEqual(everything())
    expectParentsFirst()
  })

  it('reads on through empty portions', async () => {
    const shard = server.addShard(stream)
    writeMany(shard, 9)
    server.fault = ({ operation, count }) => (operation === 'GetRecords' && count % 4 !== 3 ? 'empty' : undefined)
    await tailInto(sink, server)
    expect(sink.durable).toEqual(everything())
  })

  it('finds shards that appear while it reads', async () => {
    const shard = server.addShard(stream)
    writeMany(shard, 5)
    server.fault = ({ operation, count }) => {
      if (operation === 'GetRecords' && count === 1)
        for (const child of server.split(stream, shard)) writeMany(child, 4)
      return undefined
    }
    await tailInto(sink, server)
    expect(sink.durable.length).toBe(13)
    expectParentsFirst()
  })

  it('ends on a table that is never at rest', async () => {
    const shard = server.addShard(stream)
    writeMany(shard, 5)
    const now = () => shard.records.at(-1)?.madeAt ?? 0
    server.fault = ({ operation }) => {
      if (operation === 'GetRecords') server.write(shard, 'hot', now() + 300)
      return undefined
    }
    expect((await tailInto(sink, server, { now })).ending).toBe('caught-up')
    expect(sink.durable.slice(0, 5)).toEqual(everything().slice(0, 5))
  })

  it('goes on after the last record, and takes nothing twice', async () => {
    const shard = server.addShard(stream)
    writeMany(shard, 5)
    await tailInto(sink, server)
    writeMany(shard, 4)
    const [child] = server.split(stream, shard, 1)
    writeMany(child as ScriptedShard, 3)
    const outcome = await tailInto(sink, server)
    expect(outcome.status).toMatchObject({ records: 7, shards: { reading: 1, waiting: 0, ended: 1 }, lag: 0 })
    expect(sink.durable).toEqual(everything())
    const nothing = await tailInto(sink, server)
    expect([nothing.status?.records, sink.flushes]).toEqual([0, 2])
  })

  it('forgets shards that ended, were trimmed and have successors', async () => {
    const shard = server.addShard(stream)
    const [child] = server.split(stream, shard, 1)
    await tailInto(sink, server)
    expect(Object.keys(sink.checkpoint?.shards ?? {})).toEqual([shard.id, child?.id])
    stream.shards.shift()
    await tailInto(sink, server)
    expect(Object.keys(sink.checkpoint?.shards ?? {})).toEqual([child?.id])
  })

  it('reads many shards with few calls at a time', async () => {
    for (let i = 0; i < 40; i++) writeMany(server.addShard(stream), 1)
    let [open, most] = [0, 0]
    server.limits.shards = 100
    server.hold = async () => {
      most = Math.max(most, ++open)
      await new Promise(resolve => setTimeout(resolve, 1))
      open--
    }
    await tailInto(sink, server)
    expect([...sink.durable].sort()).toEqual(everything())
    expect(most).toBeGreaterThan(2)
    expect(most).toBeLessThanOrEqual(9)
  })

  it('says what a view type cannot tell', async () => {
    stream.viewType = 'KEYS_ONLY'
    server.addShard(stream)
    const notes: string[] = []
    await tailInto(sink, server, { note: text => notes.push(text) })
    expect(notes).toEqual([expect.stringContaining('view type KEYS_ONLY')])
  })
})

describe('a tail whose calls fail', () => {
  it.each([
    'ProvisionedThroughputExceededException',
    'LimitExceededException',
    'ThrottlingException',
    'InternalServerError',
  ])('waits for %s to pass', async error => {
    writeMany(server.addShard(stream), 7)
    server.fault = ({ count }) => (count % 3 !== 2 ? { error } : undefined)
    const retried: string[] = []
    const outcome = await tailInto(sink, server, { onRetry: one => retried.push(one.name), findStreams: found })
    expect([outcome.ending, sink.durable]).toEqual(['caught-up', everything()])
    expect(new Set(retried)).toEqual(new Set([error]))
  })

  it.each(['reset', 'page'] as const)('waits for a broken connection to mend: %s', async fault => {
    writeMany(server.addShard(stream), 7)
    server.fault = ({ count }) => (count % 2 === 0 ? fault : undefined)
    await tailInto(sink, server, { findStreams: found })
    expect(sink.durable).toEqual(everything())
  })

  it('takes a new iterator for the same place when one has expired', async () => {
    writeMany(server.addShard(stream), 10)
    server.fault = ({ operation, count }) =>
      operation === 'GetRecords' && count % 4 !== 0 ? { error: 'ExpiredIteratorException' } : undefined
    await tailInto(sink, server)
    expect(sink.durable).toEqual(everything())
    expect(server.calls.filter(({ operation }) => operation === 'GetShardIterator').length).toBeGreaterThan(3)
  })

  it('does not ask for ever where every iterator has expired', async () => {
    server.addShard(stream)
    server.fault = ({ operation }) => (operation === 'GetRecords' ? { error: 'ExpiredIteratorException' } : undefined)
    await expect(tailInto(sink, server)).rejects.toThrow('ExpiredIteratorException on demand')
  })

  it('keeps what it has read when a call is refused for good, and says why', async () => {
    writeMany(server.addShard(stream), 10)
    server.fault = ({ operation, count }) =>
      operation === 'GetRecords' && count === 2 ? { error: 'AccessDeniedException' } : undefined
    await expect(tailInto(sink, server)).rejects.toThrow('AccessDeniedException on demand')
    expect(sink.durable).toEqual(everything().slice(0, 6))
    server.fault = () => undefined
    await tailInto(sink, server)
    expect(sink.durable).toEqual(everything())
  })

  it('gives up after so many tries where an end is waited for', async () => {
    writeMany(server.addShard(stream), 4)
    server.fault = ({ operation }) => (operation === 'GetRecords' ? { error: 'LimitExceededException' } : undefined)
    await expect(tailInto(sink, server, { tries: 3 })).rejects.toThrow('LimitExceededException')
    expect(sink.checkpoint?.shards).toMatchObject({ [stream.shards[0]?.id ?? '']: { after: null } })
  })

  it('promises nothing more once the archive could not be written', async () => {
    writeMany(server.addShard(stream), 10)
    sink.onStep = step => {
      if (step === 'flush') throw new Error('ENOSPC: the disk is full')
    }
    await expect(tailInto(sink, server)).rejects.toThrow('the disk is full')
    expect(Object.values(sink.checkpoint?.shards ?? {})).toMatchObject([{ after: null }])
    sink.restart()
    await tailInto(sink, server)
    expect([...new Set(sink.durable)]).toEqual(everything())
  })

  const found = async () => ({
    exists: true,
    keys: ['order_id'],
    latest: stream.arn,
    readable: [stream.arn],
  })
})

describe('a tail that goes on', () => {
  const goOn = (more: object = {}) => {
    const stop = new AbortController()
    const statuses: TailStatus[] = []
    const ended = tailInto(sink, server, {
      untilCaughtUp: false,
      stop: stop.signal,
      onStatus: status => statuses.push(status),
      ...more,
    })
    return { stop, statuses, ended }
  }

  it('writes objects by its interval and not for every change, and ends in order when it is asked to', async () => {
    const shard = server.addShard(stream)
    let waited = 0
    const { stop, ended } = goOn({ elapsed: () => performance.now() / 1000 + waited, flushInterval: 60_000 })
    for (let i = 0; i < 5; i++) {
      const before = server.calls.length
      server.write(shard, 'a')
      await until(() => server.calls.length > before + 3)
    }
    expect(sink.flushes).toBe(0)
    waited += 60_000
    await until(() => sink.flushes === 1)
    expect(sink.durable.length).toBe(5)
    const before = server.calls.length
    server.write(shard, 'a')
    await until(() => server.calls.length > before + 3)
    stop.abort()
    expect((await ended).ending).toBe('stopped')
    expect([sink.durable, sink.flushes]).toEqual([everything(), 2])
  })

  it('writes sooner when much has gathered', async () => {
    writeMany(server.addShard(stream), 40)
    const { stop, ended } = goOn({ flushSize: 5000 })
    await until(() => sink.flushes >= 3)
    stop.abort()
    await ended
    expect(sink.durable).toEqual(everything().slice(0, sink.durable.length))
    expect(sink.durable.length).toBeGreaterThan(20)
  })

  it('stops while the service does not answer', async () => {
    writeMany(server.addShard(stream), 5)
    const { stop, ended } = goOn({ tries: Number.POSITIVE_INFINITY, random: () => 1 })
    await until(() => server.calls.some(({ operation }) => operation === 'GetRecords'))
    server.fault = () => 'reset'
    await until(() => server.calls.length > 10)
    stop.abort()
    expect((await ended).ending).toBe('stopped')
  })

  it('follows a stream that replaces another, and says so once', async () => {
    writeMany(server.addShard(stream), 4)
    const { stop, ended } = goOn()
    await until(() => server.calls.length > 10)
    const next = server.addStream()
    writeMany(server.addShard(next), 4)
    await until(() => sink.facts.length === 1)
    await until(() => server.calls.filter(({ shard }) => shard === next.shards[0]?.id).length > 5)
    stop.abort()
    await ended
    expect(sink.durable).toEqual(everything())
    expect(sink.facts).toMatchObject([{ kind: 'stream-changed', previous: stream.arn, source: next.arn }])
    expect(sink.checkpoint?.stream).toBe(next.arn)
  })

  it('reads what is left of a disabled stream and ends', async () => {
    const shard = server.addShard(stream)
    writeMany(shard, 4)
    stream.status = 'DISABLED'
    shard.closed = true
    expect((await goOn().ended).ending).toBe('disabled')
    expect([sink.durable, sink.checkpoint?.finished]).toEqual([everything(), true])
    server.table = undefined
    expect((await goOn().ended).ending).toBe('gone')
  })

  it('does not take an enabled stream whose shards have all ended for a stream that is over', async () => {
    const shard = server.addShard(stream)
    writeMany(shard, 4)
    shard.closed = true
    const { stop, ended } = goOn()
    await until(() => server.calls.filter(({ operation }) => operation === 'DescribeStream').length > 5)
    writeMany(server.addShard(stream, shard), 4)
    await until(() => server.calls.some(one => one.shard === stream.shards[1]?.id))
    stop.abort()
    expect((await ended).ending).toBe('stopped')
    expect(sink.durable.length).toBeGreaterThanOrEqual(4)
  })

  it('tells how far behind it is and how long until the stream forgets', async () => {
    const madeAt = Date.UTC(2026, 10, 22, 10)
    const hour = 3_600_000
    const shard = server.addShard(stream)
    for (let i = 0; i < 6; i++) server.write(shard, 'a', madeAt)
    // the second answer never comes: the tail is behind, though it has read what was made since it began
    server.fault = ({ operation, count }) =>
      operation === 'GetRecords' && count > 0 ? { error: 'LimitExceededException' } : undefined
    const options = { now: () => madeAt + 5 * hour, flushInterval: 0, tries: Number.POSITIVE_INFINITY }
    const { stop, statuses, ended } = goOn(options)
    await until(() => statuses.some(({ untilLoss }) => untilLoss !== null))
    stop.abort()
    await ended
    expect(statuses[0]).toMatchObject({ records: 0, lag: null, untilLoss: null })
    expect(statuses.at(-1)).toMatchObject({ records: 3, lag: 5 * hour, untilLoss: 19 * hour, newest: madeAt })
  })
})
