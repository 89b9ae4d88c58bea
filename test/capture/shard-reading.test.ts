import { describe, expect, it } from 'vitest'
import { RETENTION_MS } from '../../capture/gap.js'
import { type LambdaRecord, toLambdaRecord } from '../../capture/lambda-record.js'
import { BEGUN, next } from '../../capture/shard-reading.js'
import type { Shard } from '../../capture/shards.js'
import { ARRIVAL, STREAM_ARN } from '../factories.js'
import { wireRecord } from '../streams-wire.js'

const NOW = ARRIVAL
const MOMENT = { askedAt: NOW - 10, now: NOW, emptyAnswers: 2 }
const shard = (more: Partial<Shard> = {}): Shard => ({
  ...{ id: 'shard', parent: null, starting: null, state: 'reading', after: null, madeAt: null, emptyAt: null },
  dueSince: null,
  ...more,
})
const record = (sequence: string): LambdaRecord => toLambdaRecord(wireRecord({ SequenceNumber: sequence }), STREAM_ARN)
const records = (sequences: readonly string[], atEnd = false) =>
  ({ kind: 'records', records: sequences.map(record), atEnd }) as const
const kinds = (step: ReturnType<typeof next>) => step.effects.map(({ kind }) => kind)
const LOST = { empty: 0, gap: 'lost' }

describe('what an answer about a shard means', () => {
  it('takes its records in order, and counts answers without any', () => {
    const step = next({ empty: 1, gap: undefined }, shard(), records(['1', '2']), MOMENT)
    expect(step.reading.empty).toBe(0)
    expect(step.effects).toEqual(['1', '2'].map(sequence => ({ kind: 'record', record: record(sequence) })))
    expect(next(BEGUN, shard(), records([]), MOMENT)).toEqual({ reading: { empty: 1, gap: undefined }, effects: [] })
  })

  it('knows the shard to be read up to the question once it was empty often enough', () => {
    const { effects } = next({ empty: 1, gap: undefined }, shard(), records([]), MOMENT)
    expect(effects).toEqual([{ kind: 'position', position: { emptyAt: MOMENT.askedAt } }])
  })

  it('puts a gap before the first record after it, or to the end, and once', () => {
    const step = next(LOST, shard({ after: '1' }), records(['5', '6']), MOMENT)
    expect(step.effects[0]).toEqual({ kind: 'gap', first: record('5'), reason: 'lost' })
    expect(step.reading.gap).toBeUndefined()
    expect(next(LOST, shard(), records([]), MOMENT)).toMatchObject({ reading: { gap: 'lost' }, effects: [] })
    expect(kinds(next(LOST, shard(), records([], true), MOMENT))).toEqual(['gap', 'end'])
    expect(kinds(next({ ...LOST, empty: 1 }, shard(), records([]), MOMENT))).toEqual(['gap', 'position'])
  })

  it('fears a loss where a place was trimmed, unless the shard was seen empty after it', () => {
    const seen = shard({ after: '1', madeAt: NOW - 2000, emptyAt: NOW - 1000 })
    expect(kinds(next(BEGUN, seen, { kind: 'trimmed' }, MOMENT))).toEqual(['note'])
    const long = { ...seen, emptyAt: NOW - RETENTION_MS }
    expect(next(BEGUN, long, { kind: 'trimmed' }, MOMENT).reading.gap).toContain('no longer in the stream')
  })

  it('ends with a shard that is gone, with a gap where it was to be read', () => {
    expect(kinds(next(BEGUN, shard(), { kind: 'gone' }, MOMENT))).toEqual(['position', 'end'])
    expect(kinds(next(LOST, shard({ after: '1' }), { kind: 'gone' }, MOMENT))).toEqual(['gap', 'position', 'end'])
  })
})
