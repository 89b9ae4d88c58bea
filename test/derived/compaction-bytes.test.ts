import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  makeSyntheticArchive,
  SYNTHETIC_BEGIN_US,
  SYNTHETIC_TABLE,
  syntheticKey,
} from '../../bench/synthetic-archive.js'
import { compactTable } from '../../derived/desk-compactor.js'
import { openDesk } from '../../library/open-archive.js'
import { askQuery } from '../../queries/answers/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { formatInstant } from '../../transform/instant.js'
import { temporaryFolder } from '../delivery/desk.js'

const IO = '/proc/self/io'

/** Bytes that this process has read from files so far, whether from the disk or from memory. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync(IO, 'utf8'))?.[1])
}

const QUESTIONS = {
  'the history of an item': ['item-history', { item_key: syntheticKey(42) }],
  'an item as of a moment': [
    'item-as-of',
    { item_key: syntheticKey(42), at: formatInstant(SYNTHETIC_BEGIN_US + 366 * 86_400_000_000, 6) },
  ],
  'the history of a key that is not there': ['item-history', { item_key: syntheticKey(999_999) }],
} as const

/** Opens an archive, asks one question, and says what that read. */
async function cost(
  root: string,
  question: keyof typeof QUESTIONS,
): Promise<{ readonly bytes: number; readonly rows: number }> {
  const [name, parameters] = QUESTIONS[question]
  const before = bytesRead()
  const engine = await openDesk(root)
  const { numRows } = await askQuery(engine, SAVED_QUERIES.get(name) as SavedQuery, SYNTHETIC_TABLE, parameters)
  engine.close()
  return { bytes: bytesRead() - before, rows: numRows }
}

describe.skipIf(!existsSync(IO))('bytes that a question about one item reads', () => {
  const days = { few: 30, many: 120 }
  const roots = { few: temporaryFolder(), many: temporaryFolder() }
  const costs = new Map<string, { readonly bytes: number; readonly rows: number }>()
  beforeAll(async () => {
    for (const span of ['few', 'many'] as const) {
      // as many objects and rows in either, spread over more days
      const objectsPerDay = 120 / days[span]
      await makeSyntheticArchive(roots[span], { items: 60, versions: 120, days: days[span], objectsPerDay })
      const names = Object.keys(QUESTIONS) as (keyof typeof QUESTIONS)[]
      for (const name of names) costs.set(`${span} before ${name}`, await cost(roots[span], name))
      await compactTable(roots[span], SYNTHETIC_TABLE.table)
      for (const name of names) costs.set(`${span} after ${name}`, await cost(roots[span], name))
    }
  }, 120_000)

  it.each(Object.keys(QUESTIONS))('%s: at most a twentieth after compaction, however many days there are', question => {
    const of = (name: string) => costs.get(`${name} ${question}`) as { readonly bytes: number; readonly rows: number }
    expect(of('few after').rows).toBe(of('few before').rows)
    expect(of('few after').bytes).toBeLessThanOrEqual(of('few before').bytes / 20)
    expect(of('many after').bytes).toBeLessThanOrEqual(of('many before').bytes / 20)
    expect(of('many after').bytes).toBeLessThanOrEqual(of('few after').bytes * 1.05)
  })
})
