import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Disagreement, windowOf } from '../../restore/reconcile.js'
import { judgeItem, judgeLive } from '../../restore/reconciliation.js'

const state = (v: string) => {
  const image = `{"id":{"S":"a"},"v":{"S":"${v}"}}`
  return { image, hash: hash('sha256', image), configId: 'c' }
}

const FROM = Date.UTC(2026, 10, 22, 10, 0, 7) * 1000 + 250_000

const disagreement = (fields: Partial<Disagreement>): Disagreement => ({
  itemKey: '{"id":{"S":"a"}}',
  isUnknown: false,
  archived: state('1'),
  told: state('2'),
  lastChangeUs: FROM - 60_000_000,
  ...fields,
})

describe('a disagreement', () => {
  it('with something at rest is a difference, or an item that one side lacks', () => {
    expect(judgeItem(disagreement({}))).toMatchObject({ kind: 'different', differences: [{ kind: 'changed' }] })
    expect(judgeItem(disagreement({ archived: null })).kind).toBe('missing-in-archive')
    expect(judgeItem(disagreement({ told: null })).kind).toBe('missing-in-table')
    expect(judgeItem(disagreement({ archived: null, isUnknown: true }))).toMatchObject({
      kind: 'unknown',
      differences: [],
    })
  })

  it('with a live table is none where a second look agrees with the archive', () => {
    expect(judgeLive(disagreement({}), state('1'), FROM)).toBeUndefined()
    expect(judgeLive(disagreement({ archived: null }), null, FROM)).toBeUndefined()
  })

  it('with a live table is not judged where the item moves between the looks', () => {
    expect(judgeLive(disagreement({}), state('3'), FROM)?.kind).toBe('changed-meanwhile')
    expect(judgeLive(disagreement({ told: null }), state('3'), FROM)?.kind).toBe('changed-meanwhile')
    expect(judgeLive(disagreement({}), null, FROM)?.kind).toBe('changed-meanwhile')
  })

  it('with a live table is not judged where the archive has a change of the second in which the scan began, or later', () => {
    const second = FROM - 250_000
    expect(judgeLive(disagreement({ lastChangeUs: second }), state('2'), FROM)?.kind).toBe('changed-meanwhile')
    expect(judgeLive(disagreement({ lastChangeUs: second - 1 }), state('2'), FROM)?.kind).toBe('different')
    expect(judgeLive(disagreement({ lastChangeUs: null, archived: null }), state('2'), FROM)?.kind).toBe(
      'missing-in-archive',
    )
  })

  it('with a live table stays unknown where the archive has no image', () => {
    expect(judgeLive(disagreement({ isUnknown: true, archived: null }), null, FROM)?.kind).toBe('unknown')
  })
})

describe('the moment of an export', () => {
  const second = Date.UTC(2026, 10, 22, 10) * 1000

  it('leaves the second open in which it was taken', () => {
    const open = { atUs: second - 1, openFromUs: second, openUntilUs: second + 1_000_000 }
    expect(windowOf(second, false)).toEqual(open)
    expect(windowOf(second + 250_000, false)).toEqual(open)
    expect(windowOf(second + 250_000, true)).toEqual(open)
  })

  it('leaves nothing open at the end of a window in whole seconds', () => {
    expect(windowOf(second, true)).toEqual({ atUs: second - 1, openFromUs: second, openUntilUs: second })
  })
})
