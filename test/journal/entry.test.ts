import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEntry, encodeEntry, type SealedEntry } from '../../journal/entry.js'

const HASH = 'ab'.repeat(32)
const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 }))
const count = fc.oneof(fc.nat(), fc.maxSafeNat())
const entries: fc.Arbitrary<SealedEntry> = fc.record(
  {
    type: fc.constant('object@1' as const),
    key: text,
    bytes: count,
    sha256: fc.constant(HASH),
    table: text,
    event_date: fc.constantFrom('2026-11-29', '1970-01-01'),
    rows: count,
    rows_root: fc.constant(HASH),
    min_us: fc.oneof(count, fc.integer()),
    max_us: count,
    version_id: text,
    retain_until: fc.constantFrom('2033-11-29T12:00:00.000Z', '2033-11-29T12:00:00Z'),
  },
  { requiredKeys: ['type', 'key', 'bytes', 'sha256'] },
)

const PLAIN: SealedEntry = {
  type: 'object@1',
  key: 'data/Orders/event_date=2026-11-29/a.parquet',
  bytes: 100,
  sha256: HASH,
  table: 'Orders',
  event_date: '2026-11-29',
  rows: 2,
  rows_root: HASH,
  min_us: 1,
  max_us: 2,
  version_id: 'v1',
  retain_until: '2033-11-29T12:00:00.000Z',
}

describe('an entry of an object', () => {
  it('is read as it was written, whatever is in it', () => {
    fc.assert(
      fc.property(entries, entry => {
        fc.pre(JSON.stringify(entry).isWellFormed() && Object.values(entry).every(value => `${value}`.isWellFormed()))
        expect(decodeEntry(encodeEntry(entry), 'entry')).toEqual(entry)
      }),
      { numRuns: 300 },
    )
  })

  it('is in its one form or refused, whichever byte is another', () => {
    const bytes = encodeEntry(PLAIN)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.constantFrom(0, 1, 2), (at, byte, gone) => {
        const changed = Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at + gone)])
        let read: ReturnType<typeof decodeEntry>
        try {
          read = decodeEntry(changed, 'entry')
        } catch {
          return
        }
        if (read !== undefined) expect(encodeEntry(read)).toEqual(changed)
      }),
      { numRuns: 2000 },
    )
  })

  it('has fields that can be, by the short way as by the long one', () => {
    const values: readonly (readonly [keyof SealedEntry, unknown])[] = [
      ['key', ''],
      ['bytes', -1],
      ['bytes', 1.5],
      ['bytes', 2 ** 60],
      ['rows', '2'],
      ['sha256', HASH.toUpperCase()],
      ['rows_root', HASH.slice(1)],
      ['event_date', '2026-02-30'],
      ['event_date', '2026-11-29T00'],
      ['retain_until', '2033-11-29'],
      ['retain_until', '2033-13-29T12:00:00Z'],
      ['table', ''],
    ]
    for (const [field, value] of values) {
      // as whoever does not know the rules would write it
      const names = Object.keys(PLAIN).sort()
      const bytes = Buffer.from(JSON.stringify({ ...PLAIN, [field]: value }, names))
      expect(() => decodeEntry(bytes, 'entry'), `${field} ${value}`).toThrow(`entry: ${field} is`)
    }
    const more = Buffer.from(encodeEntry(PLAIN).toString().replace('}', ',"x":1}'))
    expect(() => decodeEntry(more, 'entry')).toThrow('entry:')
  })
})
