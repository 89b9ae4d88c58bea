import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readFact } from '../../config/fact-file.js'
import { writeFact } from '../../transform/fact.js'
import {
  MADE_AT,
  type ScriptedShard,
  type ScriptedStream,
  type StreamsServer,
  startStreamsServer,
} from '../streams-server.js'
import { MemorySink, tailInto } from './tailing.js'

const HOUR = 3_600_000
const iso = (time: number) => new Date(time).toISOString().replace('Z', '000Z')

let server: StreamsServer
let stream: ScriptedStream
let shard: ScriptedShard
let sink: MemorySink
beforeEach(async () => {
  server = await startStreamsServer()
  stream = server.addStream()
  shard = server.addShard(stream)
  sink = new MemorySink()
})
afterEach(() => server.stop())

const write = (to: ScriptedShard, times: readonly number[]) => times.map(time => server.write(to, 'a', time))
const tailAt = (now: number, notes: string[] = []) =>
  tailInto(sink, server, { now: () => now, note: text => notes.push(text) })
const sequencesOf = (...shards: readonly ScriptedShard[]) =>
  shards.flatMap(({ records, trimmed }) => records.slice(trimmed).map(({ sequence }) => sequence))

/** What each fact says of a gap, and that it is a fact that readers take. */
function gaps() {
  for (const fact of sink.facts) expect(readFact(writeFact(fact), 'key')).toEqual(fact)
  return sink.gaps.map(({ shard, after, before, from, to }) => ({ shard, after, before, from, to }))
}

describe('a gap', () => {
  it('is claimed where records were trimmed after the last that was read', async () => {
    const [, second] = write(shard, [MADE_AT, MADE_AT + HOUR])
    await tailInto(sink, server, { now: () => MADE_AT + HOUR })
    write(shard, [MADE_AT + 2 * HOUR, MADE_AT + 3 * HOUR])
    shard.trimmed = 3
    const outcome = await tailAt(MADE_AT + 26 * HOUR)
    const [from, to] = [iso(MADE_AT + HOUR), iso(MADE_AT + 3 * HOUR)]
    const before = shard.records[3]?.sequence
    expect(gaps()).toEqual([{ shard: shard.id, after: second?.sequence, before, from, to }])
    expect(outcome.gaps).toEqual(sink.facts)
    expect(sink.durable).toEqual([...sequencesOf({ ...shard, trimmed: 0 }).slice(0, 2), before])
    // it was said once
    await tailAt(MADE_AT + 27 * HOUR)
    expect(gaps().length).toBe(1)
  })

  it('is claimed where nothing is left after the last record that was read', async () => {
    const [first] = write(shard, [MADE_AT])
    await tailInto(sink, server, { now: () => MADE_AT })
    write(shard, [MADE_AT + HOUR])
    shard.trimmed = 2
    await tailAt(MADE_AT + 30 * HOUR)
    const [from, to] = [iso(MADE_AT), iso(MADE_AT + 6 * HOUR)]
    expect(gaps()).toEqual([{ shard: shard.id, after: first?.sequence, before: null, from, to }])
  })

  it('is claimed while it reads, when the stream forgets faster than it reads', async () => {
    write(
      shard,
      [1, 2, 3, 4, 5, 6, 7].map(i => MADE_AT + i),
    )
    server.fault = ({ operation, count }) => {
      if (operation === 'GetRecords' && count === 1) shard.trimmed = 5
      return undefined
    }
    await tailAt(MADE_AT + 24 * HOUR)
    expect(gaps()).toMatchObject([{ after: shard.records[2]?.sequence, before: shard.records[5]?.sequence }])
    expect(sink.durable).toEqual([0, 1, 2, 5, 6].map(i => shard.records[i]?.sequence))
  })

  it('is claimed for a shard that is gone, and its children are read', async () => {
    const [first] = write(shard, [MADE_AT])
    await tailInto(sink, server, { now: () => MADE_AT })
    const [child] = server.split(stream, shard, 1) as [ScriptedShard]
    write(child, [MADE_AT + 40 * HOUR])
    stream.shards.shift()
    await tailAt(MADE_AT + 41 * HOUR)
    expect(gaps()).toMatchObject([{ shard: shard.id, after: first?.sequence, before: null, from: iso(MADE_AT) }])
    expect(sink.durable).toEqual([first?.sequence, ...sequencesOf(child)])
  })

  it('is claimed where nothing was read before the tail died, and the stream forgot it meanwhile', async () => {
    write(shard, [MADE_AT])
    server.fault = ({ operation }) => (operation === 'GetRecords' ? { error: 'AccessDeniedException' } : undefined)
    await expect(tailAt(MADE_AT + HOUR)).rejects.toThrow()
    expect(sink.checkpoint?.shards[shard.id]).toMatchObject({ after: null, emptyAt: null })
    // it dies again, before anything tells what is gone
    shard.trimmed = 1
    write(shard, [MADE_AT + 25 * HOUR])
    await expect(tailAt(MADE_AT + 26 * HOUR)).rejects.toThrow()
    server.fault = () => undefined
    await tailAt(MADE_AT + 27 * HOUR)
    const [from, to] = [iso(MADE_AT - 23 * HOUR - HOUR / 4), iso(MADE_AT + 25 * HOUR)]
    expect(gaps()).toEqual([{ shard: shard.id, after: null, before: shard.records[1]?.sequence, from, to }])
    expect(sink.durable).toEqual(sequencesOf(shard))
  })

  it('is claimed where the tail died before any shard was listed', async () => {
    write(shard, [MADE_AT])
    server.fault = ({ operation }) => (operation === 'DescribeStream' ? { error: 'AccessDeniedException' } : undefined)
    await expect(tailAt(MADE_AT + HOUR)).rejects.toThrow()
    expect(sink.checkpoint?.shards).toEqual({})
    server.fault = () => undefined
    shard.trimmed = 1
    await tailAt(MADE_AT + 27 * HOUR)
    expect(gaps()).toMatchObject([{ shard: shard.id, after: null, before: null }])
  })

  it('is claimed for what the stream forgets between a shard that is gone and the reading of its child', async () => {
    write(shard, [MADE_AT])
    await tailInto(sink, server, { now: () => MADE_AT })
    const [child] = server.split(stream, shard, 1) as [ScriptedShard]
    write(child, [MADE_AT + 17.5 * HOUR, MADE_AT + 40 * HOUR])
    stream.shards.shift()
    server.fault = ({ operation }) => {
      if (operation === 'DescribeStream') return undefined
      // the first call for the child comes after that for its parent, half an hour later
      child.trimmed = 1
      return undefined
    }
    let now = MADE_AT + 41 * HOUR
    await tailInto(sink, server, { now: () => (now += HOUR / 4) })
    expect(gaps()).toMatchObject([
      { shard: shard.id, before: null },
      { shard: child.id, before: child.records[1]?.sequence },
    ])
  })

  it('is claimed once for a shard that is gone and had no children, and for one whose stream is gone', async () => {
    write(shard, [MADE_AT])
    const other = server.addShard(stream)
    write(other, [MADE_AT])
    await tailInto(sink, server, { now: () => MADE_AT })
    stream.shards.shift()
    for (let i = 0; i < 2; i++) await tailAt(MADE_AT + 41 * HOUR)
    expect(gaps()).toMatchObject([{ shard: shard.id, before: null }])
    // the listing is still answered when the first call for a shard is not
    server.fault = ({ operation }) =>
      operation === 'GetShardIterator' ? { error: 'ResourceNotFoundException' } : undefined
    await tailAt(MADE_AT + 80 * HOUR)
    server.streams.shift()
    server.addShard(server.addStream())
    await tailAt(MADE_AT + 81 * HOUR)
    expect(gaps().map(gap => gap.shard)).toEqual([shard.id, other.id])
  })

  it('is claimed for the trimmed beginning of a shard whose parent was read long ago', async () => {
    write(shard, [MADE_AT])
    const [child] = server.split(stream, shard, 1) as [ScriptedShard]
    await tailInto(sink, server, { now: () => MADE_AT })
    // the child had begun, and nothing had been in it yet
    expect(sink.checkpoint?.shards[child.id]).toMatchObject({ state: 'reading', after: null })
    write(child, [MADE_AT + HOUR, MADE_AT + 20 * HOUR])
    child.trimmed = 1
    await tailAt(MADE_AT + 30 * HOUR)
    const [from, to, before] = [iso(MADE_AT), iso(MADE_AT + 20 * HOUR), child.records[1]?.sequence]
    expect(gaps()).toEqual([{ shard: child.id, after: null, before, from, to }])
  })

  it('is claimed where everything after a shard that was read to its end has come and gone', async () => {
    write(shard, [MADE_AT])
    shard.closed = true
    await tailInto(sink, server, { now: () => MADE_AT })
    const later = server.addShard(stream, { ...shard, id: 'shardId-00000000000000009999-abcdef01' })
    stream.shards.shift()
    write(later, [MADE_AT + 99 * HOUR])
    await tailAt(MADE_AT + 100 * HOUR)
    expect(gaps()).toMatchObject([{ shard: shard.id, before: null, from: iso(MADE_AT) }])
    expect(sink.durable.length).toBe(2)
    await tailAt(MADE_AT + 100 * HOUR)
    expect(gaps().length).toBe(1)
  })

  it('is claimed for each shard of a stream that is gone, before the next stream is read', async () => {
    write(shard, [MADE_AT])
    const other = server.addShard(stream)
    write(other, [MADE_AT])
    await tailInto(sink, server, { now: () => MADE_AT })
    const next = server.addStream()
    write(server.addShard(next), [MADE_AT + 50 * HOUR])
    server.streams.shift()
    const outcome = await tailAt(MADE_AT + 51 * HOUR)
    expect(sink.facts.map(({ kind, source }) => [kind, source])).toEqual([
      ['gap', stream.arn],
      ['gap', stream.arn],
      ['stream-changed', next.arn],
    ])
    expect([outcome.ending, outcome.gaps.length, outcome.changes.length]).toEqual(['caught-up', 2, 1])
    expect(sink.durable.length).toBe(3)
  })
})

describe('no gap', () => {
  it('is claimed by a first tail, wherever the stream begins by now', async () => {
    write(shard, [MADE_AT, MADE_AT + 1])
    shard.trimmed = 1
    const [child] = server.split(stream, shard, 1) as [ScriptedShard]
    write(child, [MADE_AT + 23 * HOUR])
    await tailAt(MADE_AT + 24 * HOUR)
    expect([gaps(), sink.durable]).toEqual([[], sequencesOf(shard, child)])
  })

  it('is claimed on a table that nobody writes to', async () => {
    write(shard, [MADE_AT])
    for (let hours = 0; hours <= 60; hours += 12) {
      await tailAt(MADE_AT + hours * HOUR)
      if (hours === 24) shard.trimmed = 1
    }
    write(shard, [MADE_AT + 61 * HOUR])
    const notes: string[] = []
    await tailAt(MADE_AT + 62 * HOUR, notes)
    expect([gaps(), sink.durable]).toEqual([[], sequencesOf({ ...shard, trimmed: 0 })])
    expect(notes).toEqual([expect.stringContaining('nothing was lost')])
  })

  it('is claimed for a quiet shard whose beginning was not trimmed', async () => {
    write(shard, [MADE_AT])
    const [child] = server.split(stream, shard, 1) as [ScriptedShard]
    // a first tail, late: the parent's last change is older than what may be trimmed
    write(child, [MADE_AT + 23 * HOUR])
    await tailAt(MADE_AT + 23.9 * HOUR)
    expect(gaps()).toEqual([])
  })

  it('is claimed for what a stream of nothing but ends holds', async () => {
    write(shard, [MADE_AT])
    shard.closed = true
    stream.status = 'DISABLED'
    expect((await tailAt(MADE_AT)).ending).toBe('disabled')
    server.streams.shift()
    const next = server.addStream()
    server.addShard(next)
    await tailAt(MADE_AT + 90 * HOUR)
    expect(sink.facts.map(({ kind }) => kind)).toEqual(['stream-changed'])
  })
})

it('reads streams that came and went while no tail ran, one after the other', async () => {
  write(shard, [MADE_AT])
  await tailInto(sink, server, { now: () => MADE_AT })
  write(shard, [MADE_AT + 1])
  const streams = [1, 2].map(() => {
    const one = server.addStream()
    write(server.addShard(one), [MADE_AT + 2])
    return one
  })
  const outcome = await tailAt(MADE_AT + HOUR)
  expect([outcome.ending, gaps(), sink.durable.length]).toEqual(['caught-up', [], 4])
  expect(outcome.changes.map(({ previous, source }) => [previous, source])).toEqual([
    [stream.arn, streams[0]?.arn],
    [streams[0]?.arn, streams[1]?.arn],
  ])
})

it('takes the beginning of a shard for lost where the service does not let it be asked for', async () => {
  write(shard, [MADE_AT])
  const [child] = server.split(stream, shard, 1) as [ScriptedShard]
  await tailInto(sink, server, { now: () => MADE_AT })
  write(child, [MADE_AT + 29 * HOUR])
  server.fault = ({ type }) => (type === 'AT_SEQUENCE_NUMBER' ? { error: 'ValidationException' } : undefined)
  await tailAt(MADE_AT + 30 * HOUR)
  expect([gaps().length, sink.durable.length]).toEqual([1, 2])
})
