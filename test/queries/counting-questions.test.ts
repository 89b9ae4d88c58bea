import { describe, expect, it } from 'vitest'
import { archiveOf, change, keyOf, STORY } from './story.js'

const [A, B, C] = ['A', 'B', 'C'].map(keyOf)

describe('questions that count', () => {
  const { ask } = archiveOf(STORY)

  it('activity-by-day counts each change once', async () => {
    const columns = ['day', 'changes', 'inserts', 'modifies', 'removes', 'items', 'actors']
    expect(await ask('activity-by-day', {}, columns)).toEqual([
      ['2026-11-20', 4n, 2n, 2n, 0n, 2n, 2n],
      ['2026-11-21', 5n, 2n, 1n, 2n, 3n, 3n],
    ])
    expect(await ask('activity-by-day', { from: '2026-11-20T12:00:00Z', to: '2026-11-21T00:00:00Z' }, columns)).toEqual(
      [['2026-11-20', 1n, 0n, 1n, 0n, 1n, 1n]],
    )
  })

  it('volume-by-hour counts changes and bytes', async () => {
    const columns = ['hour', 'changes', 'inserts', 'modifies', 'removes', 'recorded_bytes']
    const rows = await ask('volume-by-hour', {}, [...columns, 'image_characters'])
    expect(rows.map(row => row.slice(0, -1))).toEqual([
      ['2026-11-20T10:00:00.000Z', 2n, 1n, 1n, 0n, 118n],
      ['2026-11-20T11:00:00.000Z', 1n, 1n, 0n, 0n, 59n],
      ['2026-11-20T12:00:00.000Z', 1n, 0n, 1n, 0n, 59n],
      ['2026-11-21T00:00:00.000Z', 2n, 0n, 1n, 1n, 118n],
      ['2026-11-21T08:00:00.000Z', 1n, 0n, 0n, 1n, 59n],
      ['2026-11-21T09:00:00.000Z', 1n, 1n, 0n, 0n, 59n],
      ['2026-11-21T10:00:00.000Z', 1n, 1n, 0n, 0n, 59n],
    ])
    expect(rows[6]?.at(-1)).toBe(BigInt('{"order_id":{"S":"C"},"status":{"N":"7"},"total":{"S":"n/a"}}'.length))
  })

  it('hot-items ranks items by their changes, and stops where asked', async () => {
    const columns = ['place', 'item_key', 'changes', 'actors']
    expect(await ask('hot-items', {}, columns)).toEqual([
      [1n, A, 6n, 4n],
      [2n, B, 2n, 2n],
      [3n, C, 1n, 0n],
    ])
    expect(await ask('hot-items', { limit: '1' }, columns)).toEqual([[1n, A, 6n, 4n]])
    // of equal counts the key decides
    expect(await ask('hot-items', { from: '2026-11-20T11:00:00Z', to: '2026-11-20T13:00:00Z' }, columns)).toEqual([
      [1n, A, 1n, 1n],
      [2n, B, 1n, 1n],
    ])
  })

  it('attribute-catalogue lists attributes with their types', async () => {
    const columns = ['attribute', 'attribute_type', 'changes', 'items', 'first_time', 'last_time']
    expect(await ask('attribute-catalogue', {}, columns)).toEqual([
      ['note', 'NULL', 1n, 1n, '2026-11-21T00:00:00.000Z', '2026-11-21T00:00:00.000Z'],
      ['order_id', 'S', 7n, 3n, '2026-11-20T10:00:00.000Z', '2026-11-21T10:00:00.000Z'],
      ['status', 'N', 1n, 1n, '2026-11-21T10:00:00.000Z', '2026-11-21T10:00:00.000Z'],
      ['status', 'S', 6n, 2n, '2026-11-20T10:00:00.000Z', '2026-11-21T09:00:00.000Z'],
      ['total', 'N', 4n, 1n, '2026-11-20T10:00:00.000Z', '2026-11-21T00:00:00.000Z'],
      ['total', 'S', 1n, 1n, '2026-11-21T10:00:00.000Z', '2026-11-21T10:00:00.000Z'],
      ['updated_by', 'S', 6n, 2n, '2026-11-20T10:00:00.000Z', '2026-11-21T09:00:00.000Z'],
    ])
  })

  it('misfits tells which values did not fit their column', async () => {
    const columns = ['flat_column', 'found_type', 'changes', 'items', 'first_time', 'example']
    expect(await ask('misfits', {}, columns)).toEqual([
      ['new_status', 'N', 1n, 1n, '2026-11-21T10:00:00.000Z', '{"N":"7"}'],
      ['new_total', 'S', 1n, 1n, '2026-11-21T10:00:00.000Z', '{"S":"n/a"}'],
    ])
  })

  it('mass-changes finds bursts within a minute, attribute by attribute', async () => {
    const columns = ['minute', 'event_name', 'attribute', 'changes', 'items', 'actors']
    expect(await ask('mass-changes', { at_least: '1', to: '2026-11-20T11:30:00Z' }, columns)).toEqual([
      ['2026-11-20T10:00:00.000Z', 'INSERT', null, 1n, 1n, ['alice']],
      ['2026-11-20T10:00:00.000Z', 'MODIFY', 'total', 1n, 1n, ['bob']],
      ['2026-11-20T10:00:00.000Z', 'MODIFY', 'updated_by', 1n, 1n, ['bob']],
      ['2026-11-20T11:00:00.000Z', 'INSERT', null, 1n, 1n, ['alice']],
    ])
    expect(await ask('mass-changes', {}, columns)).toEqual([])
  })
})

describe('a catalogue of attributes with odd names', () => {
  const first = { 'a b': { S: '"S"' }, ' ': { M: { S: { N: '1' } } }, '"q"\\': { L: [] }, ü: { SS: ['x'] } }
  const then = { ...first, 'a b': { BOOL: true }, N: { NULL: true } }
  const { ask } = archiveOf([
    change('A', '20T10:00:00', undefined, first),
    change('A', '20T11:00:00', first, then),
    // delivered twice, and counted once
    change('B', '20T12:00:00', undefined, then, { eventID: 'twice', SequenceNumber: '5000' }),
    change('B', '20T12:00:00', undefined, then, { eventID: 'twice', SequenceNumber: '5000' }),
  ])

  it('has each name as it is, with each of its types', async () => {
    expect(await ask('attribute-catalogue', {}, ['attribute', 'attribute_type', 'changes', 'items'])).toEqual([
      [' ', 'M', 3n, 2n],
      ['"q"\\', 'L', 3n, 2n],
      ['N', 'NULL', 2n, 2n],
      ['a b', 'BOOL', 2n, 2n],
      ['a b', 'S', 1n, 1n],
      ['order_id', 'S', 3n, 2n],
      ['ü', 'SS', 3n, 2n],
    ])
  })
})
