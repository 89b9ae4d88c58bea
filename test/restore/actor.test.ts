import { describe, expect, it } from 'vitest'
import { readFact } from '../../config/fact-file.js'
import { NO_FACTS } from '../../queries/verdict/archive-facts.js'
import { foldHistory } from '../../queries/verdict/fold-history.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { itemWithActor, withoutActor } from '../../restore/actor-attribute.js'
import { restoredBy } from '../../restore/restored-by.js'
import { factInstant, type RestoreFact, writeFact } from '../../transform/fact.js'
import { parseInstant } from '../../transform/instant.js'

describe('the name of who wrote an item', () => {
  const item = { id: { S: 'a' }, meta: { M: { by: { S: 'alice' }, at: { N: '1' } } }, by: { N: '7' } } as const

  it('is set where its path leads through maps, and nowhere else', () => {
    expect(itemWithActor(item, ['by'], 'carol')).toEqual({ ...item, by: { S: 'carol' } })
    expect(itemWithActor(item, ['meta', 'by'], 'carol')).toEqual({
      ...item,
      meta: { M: { by: { S: 'carol' }, at: { N: '1' } } },
    })
    for (const path of [
      ['none', 'by'],
      ['by', 'by'],
      ['meta', 'at', 'by'],
    ])
      expect(itemWithActor(item, path, 'x')).toEqual(item)
    expect(Object.entries(itemWithActor(item, ['__proto__'], 'x'))).toContainEqual(['__proto__', { S: 'x' }])
  })

  it('is all that is taken out', () => {
    expect(withoutActor(item, ['meta', 'by'])).toEqual({ ...item, meta: { M: { at: { N: '1' } } } })
    expect(withoutActor(itemWithActor(item, ['meta', 'by'], 'x'), ['meta', 'by'])).toEqual(
      withoutActor(item, ['meta', 'by']),
    )
    expect(withoutActor(item, ['none', 'by'])).toEqual(item)
  })
})

describe('the restore of a change', () => {
  const ITEM = '{"id":{"S":"a"}}'
  const at = (minute: number) => `2026-11-22T10:0${minute}:00.000000Z`
  const change = (minute: number, hash: string | null, more: Partial<HistoryChange> = {}): HistoryChange =>
    ({
      event_id: `${minute}`,
      event_name: hash === null ? 'REMOVE' : 'MODIFY',
      event_time_us: parseInstant(at(minute))?.us,
      time_precision: 's',
      source: 'stream',
      sequence: String(minute),
      old_hash: 'x',
      new_hash: hash,
      repeats: 0,
      conflict: false,
      altered: [],
      ...more,
    }) as unknown as HistoryChange
  const fact = (written: RestoreFact['written'], from = 4, to = 5): RestoreFact => ({
    version: 'fact/v1',
    kind: 'restore',
    table: 'Orders',
    recorded: factInstant(0),
    plan: 'a'.repeat(64),
    pastOf: 'Orders',
    asOf: at(0),
    actor: 'carol',
    from: at(from),
    to: at(to),
    items: 1,
    written,
  })
  const of = (changes: readonly HistoryChange[], ...restores: readonly RestoreFact[]) =>
    Object.fromEntries(
      [...restoredBy(foldHistory(ITEM, changes, { ...NO_FACTS, restores }))].map(([id, { certain }]) => [id, certain]),
    )
  const changes = [change(1, 'good'), change(2, 'bad'), change(4, 'good'), change(8, 'good')]

  it('is certain where its fact lists the state that only this change enters within its time', () => {
    expect(of(changes, fact([{ itemKey: ITEM, hash: 'good' }]))).toEqual({ 4: true })
    expect(of([change(1, 'good'), change(4, null)], fact([{ itemKey: ITEM, hash: null }]))).toEqual({ 4: true })
    expect(of(changes, fact([{ itemKey: ITEM, hash: 'bad' }]))).toEqual({})
    expect(of(changes, fact([{ itemKey: '{"id":{"S":"b"}}', hash: 'good' }]))).toEqual({})
  })

  it('is none where two changes would do, or where the fact lists nothing', () => {
    expect(of([...changes, change(5, 'good')], fact([{ itemKey: ITEM, hash: 'good' }]))).toEqual({ 4: false, 5: false })
    expect(of(changes, fact(null))).toEqual({ 4: false })
    expect(of(changes, fact(null), fact([{ itemKey: ITEM, hash: 'good' }]))).toEqual({ 4: true })
    expect(of(changes, fact([{ itemKey: ITEM, hash: 'good' }]), fact(null))).toEqual({ 4: true })
  })

  it('is read from its fact as it was written', () => {
    const one = fact([{ itemKey: ITEM, hash: null }])
    expect(readFact(writeFact(one), 'key')).toEqual(one)
    for (const written of [[null], [{ itemKey: 7 }], 'all'])
      expect(() => readFact(writeFact({ ...one, written } as unknown as RestoreFact), 'key')).toThrow('written')
  })
})
