/** That the suites run; what they find says nothing at this size. */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { measureEvidence } from '../../bench/evidence.js'
import { measureItemQueries } from '../../bench/item-queries.js'
import { measurePage } from '../../bench/page.js'
import { measureSize } from '../../bench/size.js'
import { makeSyntheticArchive } from '../../bench/synthetic-archive.js'
import { measureTableAsOf } from '../../bench/table-as-of.js'
import { RowCheck } from '../../queries/verdict/verify-rows.js'
import { askSql, temporaryFolder } from '../delivery/desk.js'

const silent = () => {}
const COUNTS = existsSync('/proc/self/io')

describe('suites over synthetic archives', () => {
  it.skipIf(!COUNTS)(
    'measure questions about one item',
    async () => {
      const size = { items: 20, versions: 3, days: [2], objectsPerDay: 1, rounds: 1 }
      const { findings, leftOut } = await measureItemQueries(size, silent)
      expect([findings.length, leftOut]).toEqual([2 * 3 + 1, []])
      expect(findings.map(({ figure }) => figure).join(' ')).not.toMatch(/NaN|Infinity|undefined/)
    },
    60_000,
  )

  it.skipIf(!COUNTS)(
    'measure the state of a whole table',
    async () => {
      const size = { items: 20, daysPerChange: 1, days: [2], objectsPerDay: 1, checkpointBytes: 1, rounds: 1 }
      const { findings } = await measureTableAsOf(size, silent)
      expect(findings.length).toBe(2)
      expect(findings.map(({ figure }) => figure).join(' ')).not.toMatch(/NaN|Infinity|undefined/)
    },
    60_000,
  )

  it('measure the page', async () => {
    const { findings } = await measurePage({ items: 20, versions: 3, days: 40, objectsPerDay: 1, rounds: 1 }, silent)
    expect(findings.map(({ figure }) => figure).join(' ')).toMatch(/^\d.* s .*gzip \d+\.\d KB/)
    expect(findings.at(-1)?.reached).toBe(true)
  }, 60_000)

  it('measure sealing, verifying and proving', async () => {
    const size = { items: 30, versions: 3, days: 2, objectsPerDay: 1, smallObjects: 3, rounds: 1 }
    const { findings } = await measureEvidence(size, silent)
    expect(findings.length).toBe(6)
    expect(findings.map(({ figure }) => figure).join(' ')).not.toMatch(/NaN|Infinity|undefined/)
  }, 120_000)

  it('measure sizes', async () => {
    const { findings } = await measureSize({ items: 20, versions: 3, days: 2, objectsPerDay: 1 }, silent)
    expect(findings.map(({ figure }) => figure).join(' ')).toMatch(/^\d.* kB, \d/)
  }, 60_000)

  it('make rows whose changes link, with the hashes that the transform would give them', async () => {
    const root = temporaryFolder()
    await makeSyntheticArchive(root, { items: 20, versions: 4, days: 3, objectsPerDay: 2 })
    const [row] = await askSql(
      root,
      `select cast(count(*) as varchar) as n, cast(count_if(new_hash <> lower(to_hex(sha256(to_utf8(new_image))))) as varchar) as wrong,
         cast(count_if(previous is distinct from old_hash) as varchar) as unlinked
       from (select *, lag(new_hash) over (partition by item_key order by sequence) as previous from orders)`,
    )
    expect(row).toEqual({ n: '80', wrong: '0', unlinked: '0' })
    const check = new RowCheck(root, 'Orders')
    for await (const finding of check.findings()) expect(finding).toBeUndefined()
    expect(check.tally.rows).toBe(80)
  })
})
