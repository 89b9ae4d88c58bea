import { describe, expect, it } from 'vitest'
import { journalBillOf } from '../../cost/sealing.js'
import { encodeEntry, type SealEntry, type SealedEntry } from '../../journal/entry.js'
import { grow } from '../../proof/tiles.js'

/** An entry as an archive on S3 gets it. */
const OBJECT: SealedEntry = {
  type: 'object@1',
  key: 'data/Orders/event_date=2026-11-23/itemtrail-archive-1-2026-11-23-10-05-11-0aa9b9a0-38f1-4b0c-9f2e-7a0e54a7c111.parquet',
  bytes: 12_345_678,
  sha256: 'a'.repeat(64),
  table: 'Orders',
  event_date: '2026-11-23',
  rows: 12_345,
  rows_root: 'b'.repeat(64),
  min_us: 1_764_000_000_000_000,
  max_us: 1_764_000_000_000_001,
  version_id: 'x'.repeat(32),
  retain_until: '2033-11-23T10:05:11.000Z',
}
const SEAL: SealEntry = {
  type: 'seal@1',
  time: '2026-11-23T10:05:11.000Z',
  newest: '2026-11-23T10:05:07.000Z',
  previous_size: 123_456,
  sealer: 'itemtrail-archive',
  objects: 123_456,
  rows: 12_345_678_901,
  refused: {},
  partial: true,
}

/** Files and bytes of so many hourly seals by the journal's own code. */
async function grown(seals: number, objects: number): Promise<{ files: number; bytes: number }> {
  const log = new Map<string, Uint8Array>()
  const written = { files: 0, bytes: 0 }
  const entries = [...Array.from({ length: objects }, () => OBJECT), SEAL].map(encodeEntry)
  for (let seal = 0, size = 0; seal < seals; seal++) {
    const growth = await grow(async path => log.get(path), size, entries)
    size = growth.size
    for (const { path, bytes } of growth.files) {
      log.set(path, bytes)
      written.files++
      written.bytes += bytes.length
    }
  }
  return written
}

describe('a month of sealing', () => {
  it.each([0, 9, 100])('makes the files that the journal makes, at %i objects an hour', async perHour => {
    const seals = 730
    const { files, bytes } = await grown(seals, perHour)
    const { month } = journalBillOf(perHour * 24, 1, 2557)
    expect(month.seals).toBe(seals)
    expect(month.objects).toBeCloseTo(perHour * seals, 6)
    expect(month.files / files).toBeCloseTo(1, 1)
    expect(Math.abs(month.bytes / bytes - 1)).toBeLessThan(0.06)
  })

  it('of an empty archive comes to what paper says', () => {
    const { parts, usdAMonth, usdAMonthAtEnd, month } = journalBillOf(0, 1, 365 / 12)
    const usd = (name: string) => parts.find(({ part }) => part === name)?.usd
    expect(usd('KMS, key that signs')).toBe(1)
    // 730 seals of five requests, 730 / 24 checks of one
    expect(usd('KMS, asymmetric requests')).toBeCloseTo(((3650 + 30.4167) / 10_000) * 0.15, 8)
    // files: 2 × 730 + 3 × 730 / 256 = 1,468.55; three more a seal, and a lock of each but two
    expect(usd('S3, writing and locking the journal')).toBeCloseTo(((4 * 730 + 2 * 1468.5547) / 1000) * 0.005, 8)
    expect(usd('alarms of the journal')).toBeCloseTo(0.8, 10)
    expect(usd('metrics of the journal')).toBeCloseTo(3, 10)
    expect(usd('sealer, requests')).toBeCloseTo(0.000146, 10)
    // 730 × (3 s, 17 bundles, two days of 24 seals), and once a day all 12 × 730 / 256 bundles, at 0.03 s
    const [each, whole] = [3 + (17 + 48 / 256) * 0.03, (8760 / 256) * 0.03]
    const sealing = (730 * each + (730 / 24) * whole) * (1769 / 1024) * 0.0000133334
    expect(usd('sealer, running')).toBeCloseTo(sealing, 8)
    // kept for one month
    expect(usdAMonthAtEnd).toBeCloseTo((month.bytes / 1024 ** 3) * 0.023, 12)
    expect(usdAMonth).toBeCloseTo(
      parts.reduce((total, part) => total + part.usd, 0),
      10,
    )
    for (const { source, date } of parts)
      expect([source, date]).toEqual([expect.any(String), expect.stringMatching(/^20\d\d/)])
  })

  it('grows with the objects that it hashes, and with those that it lists', () => {
    const usd = (objectsADay: number, part: string) =>
      journalBillOf(objectsADay, 1024 ** 2, 2557).parts.find(one => one.part === part)?.usd as number
    for (const part of ['sealer, running', 'S3, listing the archive', 'S3, reading journal and objects'])
      expect(usd(10_000, part)).toBeGreaterThan(2 * usd(1000, part))
    expect(usd(10_000, 'KMS, asymmetric requests')).toBe(usd(1000, 'KMS, asymmetric requests'))
  })
})
