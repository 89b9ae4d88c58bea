import { describe, expect, it } from 'vitest'
import { type BaselineOrigin, takeBaseline } from '../../capture/baseline.js'
import { ArchiveTarget } from '../../delivery/baseline-to-archive.js'
import { DiskArchive } from '../../store/folder.js'
import { readFacts } from '../../store/kept-facts.js'
import { tableConfiguration } from '../factories.js'
import { EXPORT_ARN } from '../table-export.js'
import { askSql, NOW, temporaryFolder } from './desk.js'

const ORIGIN: BaselineOrigin = { method: 'export', source: EXPORT_ARN, fromUs: Date.UTC(2026, 10, 22, 9) * 1000 }

async function* ordersOf(count: number, failsAfter = Number.POSITIVE_INFINITY) {
  for (let i = 0; i < count; i++) {
    if (i === failsAfter) throw new Error('reading failed')
    yield { text: `{"order_id":{"S":"ORD${i}"}}`, where: `line ${i + 1}` }
  }
}

async function take(root: string, items: ReturnType<typeof ordersOf>, table = tableConfiguration()) {
  const target = await ArchiveTarget.open(new DiskArchive(root), table, () => NOW)
  try {
    return await takeBaseline(items, ORIGIN, table, target, { now: () => NOW })
  } finally {
    target.close()
  }
}

describe('a baseline into an archive on a desk', () => {
  it('has its fact after the last row is durable', async () => {
    const root = temporaryFolder()
    const { fact, items } = await take(root, ordersOf(1000))
    expect([items, fact?.items, fact?.recorded]).toEqual([1000, 1000, new Date(NOW).toISOString().replace('Z', '000Z')])
    expect(await askSql(root, 'select count(*) as rows from orders')).toEqual([{ rows: 1000n }])
    expect(await readFacts(new DiskArchive(root), 'Orders')).toEqual([fact])
  })

  it('has none where the transform refuses items that can be read, and tells some of them by key', async () => {
    const root = temporaryFolder()
    const { fact, refused, examples } = await take(root, ordersOf(1000), tableConfiguration({ since: '2026-11-23' }))
    expect([fact, refused, examples.length]).toEqual([undefined, 1000, 20])
    expect(examples[0]).toEqual({
      item: '{"order_id":{"S":"ORD0"}}',
      reason: expect.stringContaining("before the archive's first day 2026-11-23"),
    })
    expect(await readFacts(new DiskArchive(root), 'Orders')).toEqual([])
  })

  it('has none where reading fails', async () => {
    const root = temporaryFolder()
    await expect(take(root, ordersOf(1000, 500))).rejects.toThrow('reading failed')
    expect(await readFacts(new DiskArchive(root), 'Orders')).toEqual([])
  })
})
