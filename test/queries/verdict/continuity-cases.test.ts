import { beforeAll, describe, expect, it } from 'vitest'
import { readHistory } from '../../../queries/answers/read-history.js'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import type { ItemHistory } from '../../../queries/verdict/fold-history.js'
import { archiveBegan, stateAt } from '../../../queries/verdict/state-at.js'
import { itemsAt } from '../../../queries/verdict/table-at.js'
import { ContinuityCheck } from '../../../queries/verdict/verify-continuity.js'
import { type Fact, factInstant } from '../../../transform/fact.js'
import { parseInstant } from '../../../transform/instant.js'
import { ingestRecords, temporaryFolder } from '../../delivery/desk.js'
import {
  baselineDocument,
  kinesisDocument,
  type RecordContent,
  STREAM_ARN,
  type StreamsFields,
  TIME_TO_LIVE,
  tableConfiguration,
} from '../../factories.js'
import { change, keyOf, november } from '../story.js'
import { keepFacts } from '../true-facts.js'

const table = tableConfiguration()
const v = (N: string) => ({ v: { N } })
const NEXT_STREAM = { eventSourceARN: STREAM_ARN.replace('2026-01-01', '2026-11-20') }
const only = (StreamViewType: StreamsFields['StreamViewType']) => ({ StreamViewType, eventName: 'MODIFY' as const })
const kinesis = (order: string, before: string, after: string, eventID: string) =>
  kinesisDocument({
    Keys: { order_id: { S: order } },
    eventID,
    ApproximateCreationDateTime: november('20T10:30:00') * 1000,
    OldImage: { order_id: { S: order }, ...v(before) },
    NewImage: { order_id: { S: order }, ...v(after) },
  })

/** A scan of ten minutes; its rows stand just before its first second. */
const scan = (time: string) => ({
  source: `arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/2026-11-${time}.000000Z`,
  time: factInstant(november(time) * 1_000_000 - 1),
})
const FIRST = scan('20T09:00:00')
const SECOND = scan('20T12:00:00')
const THIRD = scan('20T15:00:00')
const seen = (order: string, { source, time }: typeof FIRST, N: string) =>
  baselineDocument({ source, time, Item: { order_id: { S: order }, ...v(N) } })

/** What each item lived through, and its verdict without and with the archive's facts. */
const CASES: Readonly<Record<string, readonly [records: readonly RecordContent[], alone: string, anchored: string]>> = {
  'time to live': [
    [
      change('time to live', '20T10:00:00', undefined, v('1')),
      change('time to live', '20T10:00:01', v('1'), undefined, { userIdentity: TIME_TO_LIVE }),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  // in the other regions of a global table it looks like anybody's
  'time to live, replicated': [
    [
      change('time to live, replicated', '20T10:00:00', undefined, v('1')),
      change('time to live, replicated', '20T10:00:01', v('1'), undefined),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'deleted and made again': [
    [
      change('deleted and made again', '20T10:00:00', undefined, v('1')),
      change('deleted and made again', '20T10:00:00', v('1'), undefined),
      change('deleted and made again', '20T10:00:00', undefined, v('2')),
      seen('deleted and made again', SECOND, '2'),
      seen('deleted and made again', THIRD, '2'),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'first of a transaction': [
    [
      change('first of a transaction', '20T10:00:02', undefined, v('1')),
      seen('first of a transaction', SECOND, '1'),
      seen('first of a transaction', THIRD, '1'),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'second of a transaction': [
    [
      change('second of a transaction', '20T10:00:02', undefined, v('1')),
      seen('second of a transaction', SECOND, '1'),
      seen('second of a transaction', THIRD, '1'),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'first seen by MODIFY': [
    [
      change('first seen by MODIFY', '20T08:00:00', v('1'), v('2')),
      ...[FIRST, SECOND, THIRD].map(each => seen('first seen by MODIFY', each, '2')),
    ],
    'PRE-ARCHIVE',
    'PRE-ARCHIVE',
  ],
  'first seen by MODIFY after a baseline that has it': [
    [
      seen('first seen by MODIFY after a baseline that has it', FIRST, '1'),
      change('first seen by MODIFY after a baseline that has it', '20T10:00:00', v('1'), v('2')),
      ...[SECOND, THIRD].map(each => seen('first seen by MODIFY after a baseline that has it', each, '2')),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'first seen by MODIFY after a baseline that lacks it': [
    [
      change('first seen by MODIFY after a baseline that lacks it', '20T10:00:00', v('1'), v('2')),
      ...[SECOND, THIRD].map(each => seen('first seen by MODIFY after a baseline that lacks it', each, '2')),
    ],
    'PRE-ARCHIVE',
    'GAP',
  ],
  'a stream switched off and on': [
    [
      change('a stream switched off and on', '20T10:00:00', undefined, v('1'), { SequenceNumber: '900' }),
      change('a stream switched off and on', '20T10:00:10', v('1'), v('2'), { SequenceNumber: '7', ...NEXT_STREAM }),
      ...[SECOND, THIRD].map(each => seen('a stream switched off and on', each, '2')),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'a change while the stream was off': [
    [
      change('a change while the stream was off', '20T10:00:00', undefined, v('1'), { SequenceNumber: '900' }),
      change('a change while the stream was off', '20T10:00:10', v('2'), v('3'), {
        SequenceNumber: '7',
        ...NEXT_STREAM,
      }),
      ...[SECOND, THIRD].map(each => seen('a change while the stream was off', each, '3')),
    ],
    'GAP',
    'GAP',
  ],
  'new images only': [
    [
      change('new images only', '20T10:00:00', undefined, v('1')),
      change('new images only', '20T10:00:01', undefined, v('2'), only('NEW_IMAGE')),
      ...[SECOND, THIRD].map(each => seen('new images only', each, '2')),
    ],
    'KEYS-ONLY',
    'KEYS-ONLY',
  ],
  'old images only': [
    [
      change('old images only', '20T10:00:00', undefined, v('1')),
      change('old images only', '20T10:00:01', v('1'), undefined, only('OLD_IMAGE')),
    ],
    'KEYS-ONLY',
    'KEYS-ONLY',
  ],
  'keys only': [
    [
      change('keys only', '20T10:00:00', undefined, v('1')),
      change('keys only', '20T10:00:01', undefined, undefined, only('KEYS_ONLY')),
    ],
    'KEYS-ONLY',
    'KEYS-ONLY',
  ],
  'there and back': [
    [
      change('there and back', '20T10:00:00', undefined, v('1')),
      change('there and back', '20T10:00:01', v('1'), v('2')),
      change('there and back', '20T10:00:02', v('2'), v('1')),
      ...[SECOND, THIRD].map(each => seen('there and back', each, '1')),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  // the loop 1 → 2 → 1 was lost: nobody sees it
  'there and back, lost': [
    [
      change('there and back, lost', '20T10:00:00', undefined, v('1')),
      change('there and back, lost', '20T10:00:03', v('1'), v('3')),
      ...[SECOND, THIRD].map(each => seen('there and back, lost', each, '3')),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'one tick, there and back': [
    [
      change('one tick, there and back', '20T10:00:00', undefined, v('1')),
      kinesis('one tick, there and back', '1', '2', 'a'),
      kinesis('one tick, there and back', '2', '1', 'b'),
      ...[SECOND, THIRD].map(each => seen('one tick, there and back', each, '1')),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'made while the scan ran': [
    [
      seen('made while the scan ran', SECOND, '2'),
      change('made while the scan ran', '20T12:00:05', undefined, v('1')),
      change('made while the scan ran', '20T12:00:06', v('1'), v('2')),
      seen('made while the scan ran', THIRD, '2'),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'changed while the scan ran': [
    [
      change('changed while the scan ran', '20T10:00:00', undefined, v('1')),
      seen('changed while the scan ran', SECOND, '3'),
      change('changed while the scan ran', '20T12:00:05', v('1'), v('2')),
      change('changed while the scan ran', '20T12:00:06', v('2'), v('3')),
      seen('changed while the scan ran', THIRD, '3'),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'deleted while the scan ran': [
    [
      change('deleted while the scan ran', '20T10:00:00', undefined, v('1')),
      change('deleted while the scan ran', '20T12:00:05', v('1'), undefined),
    ],
    'UNBROKEN',
    'COMPLETE',
  ],
  'a delete that was lost': [[change('a delete that was lost', '20T10:00:00', undefined, v('1'))], 'UNBROKEN', 'GAP'],
  'a last change that was lost': [
    [
      change('a last change that was lost', '20T10:00:00', undefined, v('1')),
      ...[SECOND, THIRD].map(each => seen('a last change that was lost', each, '2')),
    ],
    'GAP',
    'GAP',
  ],
  'changed since the last baseline': [
    [
      change('changed since the last baseline', '20T10:00:00', undefined, v('1')),
      ...[SECOND, THIRD].map(each => seen('changed since the last baseline', each, '1')),
      change('changed since the last baseline', '20T16:00:00', v('1'), v('2')),
    ],
    'UNBROKEN',
    'UNBROKEN',
  ],
}
const NAMES = Object.keys(CASES)

/** The facts of the three scans, each with as many items as the cases have rows of it. */
function factsOf(scans: readonly (typeof FIRST)[]): readonly Fact[] {
  return scans.map(({ source, time }) => {
    const rows = Object.values(CASES).filter(([records]) =>
      records.some(record => (record as { source?: string }).source === source),
    )
    const from = source.split('/scan/')[1] as string
    return {
      version: 'fact/v1',
      kind: 'baseline',
      table: 'Orders',
      recorded: from,
      method: 'scan',
      source,
      from,
      to: from.replace(':00:00', ':10:00'),
      rowTime: time,
      items: rows.length,
      digest: '0'.repeat(64),
    }
  })
}

async function archiveWith(facts: readonly Fact[], records: readonly RecordContent[]): Promise<DuckDbEngine> {
  const root = temporaryFolder()
  await ingestRecords(root, records)
  await keepFacts(root, table, facts)
  return DuckDbEngine.open(root, [table])
}

const usOf = (time: string) => parseInstant(`2026-11-${time}Z`)?.us as number
const ALL_RECORDS = Object.values(CASES).flatMap(([records]) => records)
const confidenceOf = async (engine: DuckDbEngine, order: string) =>
  (await readHistory(engine, table, keyOf(order))).confidence

describe('the verdict about an item', () => {
  let [alone, anchored] = [] as unknown as [DuckDbEngine, DuckDbEngine]
  beforeAll(async () => {
    alone = await archiveWith([], ALL_RECORDS)
    anchored = await archiveWith(factsOf([FIRST, SECOND, THIRD]), ALL_RECORDS)
    began = await archiveBegan(anchored, table)
    for (const order of NAMES) histories.set(order, await readHistory(anchored, table, keyOf(order)))
    return () => {
      alone.close()
      anchored.close()
    }
  })
  let began = 0
  const histories = new Map<string, ItemHistory>()
  const stateOf = (order: string, time: string) =>
    stateAt(histories.get(order) as ItemHistory, { us: usOf(time) }, began)

  it.each(NAMES)('%s: without facts, and with those of complete baselines', async order => {
    const [, expectedAlone, expectedAnchored] = CASES[order] as (typeof CASES)[string]
    expect([await confidenceOf(alone, order), histories.get(order)?.confidence]).toEqual([
      expectedAlone,
      expectedAnchored,
    ])
  })

  it.each(['alone', 'anchored'] as const)('is the same when the whole table is verified, %s', async which => {
    const engine = which === 'alone' ? alone : anchored
    const check = await ContinuityCheck.open(engine, table)
    const verdicts = new Map<string, string>()
    for await (const { itemKey, confidence } of check.verdicts()) verdicts.set(itemKey, confidence)
    const expected = NAMES.map(order => (CASES[order] as (typeof CASES)[string])[which === 'alone' ? 1 : 2])
    const whole = ['UNBROKEN', 'COMPLETE']
    for (const [i, order] of NAMES.entries())
      expect([order, verdicts.get(keyOf(order)) ?? 'nothing']).toEqual([
        order,
        whole.includes(expected[i] as string) ? 'nothing' : expected[i],
      ])
    expect(check.tally.items).toBe(NAMES.length)
    for (const confidence of Object.keys(check.tally.verdicts) as (keyof typeof check.tally.verdicts)[])
      expect([confidence, check.tally.verdicts[confidence]]).toEqual([
        confidence,
        expected.filter(each => each === confidence).length,
      ])
  })

  it.each([
    ['deleted and made again', '20T10:00:00', 'present', 'COMPLETE'],
    ['made while the scan ran', '20T12:00:02', 'never seen', 'COMPLETE'],
    ['made while the scan ran', '20T12:00:06', 'present', 'COMPLETE'],
    ['changed while the scan ran', '20T12:00:03', 'present', 'COMPLETE'],
    ['deleted while the scan ran', '20T12:00:03', 'present', 'COMPLETE'],
    ['a delete that was lost', '20T11:00:00', 'present', 'GAP'],
    ['a delete that was lost', '20T12:00:00', 'deleted', 'COMPLETE'],
    ['a last change that was lost', '20T11:00:00', 'present', 'GAP'],
    ['a last change that was lost', '20T13:00:00', 'present', 'COMPLETE'],
    ['first seen by MODIFY', '20T08:30:00', 'present', 'PRE-ARCHIVE'],
    ['first seen by MODIFY', '20T07:30:00', 'unknown', 'PRE-ARCHIVE'],
    // the baseline since says what it was
    ['first seen by MODIFY', '20T10:00:00', 'present', 'COMPLETE'],
    ['first seen by MODIFY after a baseline that lacks it', '20T09:30:00', 'unknown', 'GAP'],
    ['first seen by MODIFY after a baseline that lacks it', '20T11:30:00', 'present', 'GAP'],
    ['first seen by MODIFY after a baseline that lacks it', '20T13:00:00', 'present', 'COMPLETE'],
    ['time to live', '20T09:30:00', 'never seen', 'COMPLETE'],
    ['time to live', '20T16:30:00', 'deleted', 'UNBROKEN'],
    ['changed since the last baseline', '20T15:30:00', 'present', 'UNBROKEN'],
  ])('%s: at a moment (%s) it is %s, %s', (order, time, state, confidence) => {
    const found = stateOf(order, time)
    expect([found.state.kind, found.until.confidence]).toEqual([state, confidence])
  })

  it.each(['20T07:30:00', '20T09:30:00', '20T11:00:00', '20T12:00:03', '20T13:00:00', '20T16:30:00'])(
    'is, as is the state, the same when the whole table is asked for (%s)',
    async time => {
      const expected = new Map<string, string>()
      for (const order of NAMES) {
        const { state, until } = stateOf(order, time)
        if (state.kind === 'present') expected.set(keyOf(order), `${state.hash} ${until.confidence}`)
        if (state.kind === 'unknown') expected.set(keyOf(order), `unknown ${until.confidence}`)
      }
      const items = new Map<string, string>()
      for await (const { itemKey, state, imageHash, confidence } of itemsAt(anchored, table, { us: usOf(time) }))
        items.set(itemKey, `${state === 'unknown' ? 'unknown' : imageHash} ${confidence}`)
      expect([...items].sort()).toEqual([...expected].sort())
    },
  )

  it('names the change after which a delete is missing, and the baseline that shows it', () => {
    const { findings, changes } = histories.get('a delete that was lost') as ItemHistory
    const { source } = SECOND
    expect(findings).toMatchObject([
      { finding: 'GAP', eventId: changes[0]?.event_id, absence: { source, missing: 'REMOVE' } },
    ])
  })

  it('says that a change came under several eventIDs within a loop of one tick, so that its order is not certain', async () => {
    const order = 'one tick, twice there'
    const twice = [kinesis(order, '1', '2', 'a'), kinesis(order, '2', '1', 'b'), kinesis(order, '1', '2', 'c')]
    const again = [...twice.slice(0, 2), twice[0] as RecordContent]
    const findingsOf = async (records: readonly RecordContent[]) => {
      const engine = await archiveWith([], [change(order, '20T10:00:00', undefined, v('1')), ...records])
      const { findings } = await readHistory(engine, table, keyOf(order))
      engine.close()
      return findings.map(({ finding }) => finding).sort()
    }
    expect(await findingsOf(twice)).toEqual(['DUPLICATE', 'UNRESOLVED-ORDER'])
    // a mere repeat keeps its eventID
    expect(await findingsOf(again)).toEqual(['DUPLICATE'])
  })
})

describe('the facts of an archive', () => {
  const order = 'there and back'
  const all = factsOf([FIRST, SECOND, THIRD])
  const common = { version: 'fact/v1', table: 'Orders', recorded: '2026-11-20T17:00:00.000000Z' } as const
  const gap = (from: string | null, to: string): Fact => ({
    ...common,
    kind: 'gap',
    source: STREAM_ARN,
    shard: 'shardId-1',
    after: null,
    before: null,
    from,
    to,
    reason: 'trimmed',
  })
  const historyWith = async (facts: readonly Fact[], name = order) => {
    const engine = await archiveWith(facts, ALL_RECORDS)
    const history = await readHistory(engine, table, keyOf(name))
    engine.close()
    return history
  }

  it('forbid COMPLETE for a lost stretch that no baselines enclose, and remark it where they do', async () => {
    const inside = await historyWith([...all, gap('2026-11-20T10:00:00.000000Z', '2026-11-20T10:00:30.000000Z')])
    expect([inside.confidence, inside.remarks.length]).toEqual(['COMPLETE', 1])
    const open = await historyWith([...all, gap(null, '2026-11-20T10:00:30.000000Z')])
    expect([open.confidence, open.remarks.length]).toEqual(['UNBROKEN', 1])
    const later = await historyWith([...all, gap('2026-11-20T16:00:00.000000Z', '2026-11-20T17:00:00.000000Z')])
    expect([later.confidence, later.remarks.length]).toEqual(['COMPLETE', 1])
  })

  it('tell that the stream is another', async () => {
    const recorded = '2026-11-20T10:00:30.000000Z'
    const { remarks } = await historyWith([
      ...all,
      { ...common, recorded, kind: 'stream-changed', previous: STREAM_ARN, source: NEXT_STREAM.eventSourceARN },
    ])
    expect(remarks).toEqual([expect.stringContaining(recorded)])
  })

  it('anchor the end by a comparison with the table, for items that did not differ', async () => {
    const compared: Fact = {
      ...common,
      kind: 'reconciliation',
      method: 'scan',
      source: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/scan/later',
      from: common.recorded,
      to: common.recorded,
      items: NAMES.length,
      differing: [{ key: keyOf('there and back'), since: null }],
      unsettled: [],
      digest: '',
    }
    const changed = await historyWith([...all, compared], 'changed since the last baseline')
    expect([changed.confidence, changed.end?.kind]).toEqual(['COMPLETE', 'reconciliation'])
    // what came after the last look is not vouched for
    const early: Fact = { ...compared, from: '2026-11-20T15:00:00.000000Z', to: '2026-11-20T15:00:00.000000Z' }
    const until = await historyWith([...all, early], 'changed since the last baseline')
    expect([until.confidence, until.end, until.completeUntil?.kind]).toEqual(['UNBROKEN', null, 'reconciliation'])
    // an archive that was altered since is not the one that was compared
    const other = await historyWith(
      [...all, { ...compared, digest: 'f'.repeat(64) }],
      'changed since the last baseline',
    )
    expect([other.confidence, other.remarks]).toEqual(['UNBROKEN', [expect.stringContaining('nothing is concluded')]])
    // an incremental export lists what changed in its window, so it says nothing of the items that it leaves out
    const window: Fact = { ...compared, method: 'export', from: all.at(-1)?.recorded ?? '', to: common.recorded }
    const left = await historyWith([...all, window], 'changed since the last baseline')
    expect([left.confidence, left.end?.kind]).toEqual(['UNBROKEN', undefined])
    const differing = await historyWith([...all.slice(0, 1), compared])
    expect([differing.confidence, differing.remarks]).toEqual(['DIFFERS', []])
  })

  it('conclude nothing from a baseline whose rows are not all there', async () => {
    const short = all.map(fact => (fact.kind === 'baseline' ? { ...fact, items: fact.items + 1 } : fact))
    expect((await historyWith(short)).confidence).toBe('UNBROKEN')
    const engine = await archiveWith(short, ALL_RECORDS)
    const check = await ContinuityCheck.open(engine, table)
    expect(check.facts.broken.map(({ items, found }) => items - found)).toEqual([1, 1, 1])
    engine.close()
  })
})
