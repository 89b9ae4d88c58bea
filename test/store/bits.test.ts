/**
 * Bits turned at random, in an archive's objects and in its compacted copy: noticed, or the answer is the right one.
 */

import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readConfiguration } from '../../config/configuration.js'
import { compactTable } from '../../derived/desk-compactor.js'
import { openArchive } from '../../library/open-archive.js'
import { readHistory } from '../../queries/answers/read-history.js'
import { isDoubtful } from '../../queries/verdict/findings.js'
import type { ItemHistory } from '../../queries/verdict/fold-history.js'
import { readHistories } from '../../queries/verdict/histories.js'
import { type StoredRow, StoredRows, storedFiles } from '../../queries/verdict/stored-rows.js'
import { itemsAt } from '../../queries/verdict/table-at.js'
import { RowCheck } from '../../queries/verdict/verify-rows.js'
import { DiskArchive } from '../../store/folder.js'
import { bucketOf } from '../../transform/derived.js'
import { ROW_VERSIONS } from '../../transform/row-versions.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { ORDERS, ORDERS_CONFIG, run } from '../cli/command-line.js'
import { temporaryFolder } from '../delivery/desk.js'
import { Dice } from '../queries/clean-history.js'
import { parquetUnder } from './altering.js'

/** `ITEMTRAIL_BITS=500 npx vitest run test/store/bits.test.ts` turns so many in each. */
const BITS = Number(process.env.ITEMTRAIL_BITS ?? 12)
const SEED = Number(process.env.ITEMTRAIL_SEED ?? 21)

describe(`bits that turned (seed ${SEED})`, () => {
  const root = temporaryFolder()
  let table: TableConfiguration
  beforeAll(async () => {
    const whole = temporaryFolder()
    await run(['ingest', ORDERS, '--archive', whole, '--config', ORDERS_CONFIG])
    cpSync(whole, root, { recursive: true, filter: path => !/event_date=2026-(09|10|11-0|11-1[0-7])/.test(path) })
    table = readConfiguration(ORDERS_CONFIG).tables.get('Orders') as TableConfiguration
  })

  /** Turns one bit of one of some files, and turns it back. */
  async function withBit<T>(files: readonly string[], dice: Dice, look: (path: string) => Promise<T>): Promise<T> {
    const path = files[dice.roll(files.length)] as string
    const good = readFileSync(path)
    const bad = Buffer.from(good)
    const at = dice.roll(statSync(path).size)
    bad[at] = (bad[at] as number) ^ (1 << dice.roll(8))
    writeFileSync(path, bad)
    try {
      return await look(path)
    } finally {
      writeFileSync(path, good)
    }
  }

  it('in an object are found by `verify rows`, but for what it says it cannot derive', async () => {
    const dice = new Dice(SEED)
    const before = await contentOf(root)
    const counts = { noticed: 0, harmless: 0 }
    for (let i = 0; i < BITS; i++)
      await withBit(parquetUnder(join(root, 'data')), dice, async path => {
        const found = await first(new RowCheck(root, 'Orders').findings())
        if (found !== undefined) counts.noticed++
        else {
          counts.harmless++
          expect({ path, bit: i, rows: await contentOf(root) }).toEqual({ path, bit: i, rows: before })
        }
      })
    if (BITS > 12) console.log(`objects: ${JSON.stringify(counts)}`)
    expect(counts.noticed).toBeGreaterThan(0)
  }, 3_600_000)

  it('in an object change no history without a word', async () => {
    const dice = new Dice(SEED + 1)
    const keys = [...new Set((await contentOf(root)).map(({ item_key }) => String(item_key)))]
    const before = await historiesOf(root, keys)
    const counts = { noticed: 0, right: 0, lost: 0 }
    for (let i = 0; i < BITS; i++)
      await withBit(parquetUnder(join(root, 'data')), dice, async path => {
        const after = await historiesOf(root, keys)
        if (after === undefined) counts.noticed++
        else
          for (const [key, history] of after) {
            if (history === before?.get(key)) counts.right++
            else if (history === 'doubtful') counts.noticed++
            else {
              // a row that is of another item by now is missing here, and only `verify rows` sees it if it was the last
              counts.lost++
              const found = await first(new RowCheck(root, 'Orders').findings())
              if (found === undefined) expect({ path, key, history }).toEqual({ path, key, history: before?.get(key) })
            }
          }
      })
    if (BITS > 12) console.log(`histories: ${JSON.stringify(counts)}`)
  }, 3_600_000)

  it('in the copy are noticed where it is read, and the archive answers', async () => {
    const dice = new Dice(SEED + 2)
    const copied = temporaryFolder()
    cpSync(root, copied, { recursive: true })
    const keys = [...new Set((await contentOf(copied)).map(({ item_key }) => String(item_key)))]
    await compactTable(copied, 'Orders', { configuration: table, checkpointBytes: 20 })
    let noticed = 0
    for (let i = 0; i < BITS; i++)
      await withBit(parquetUnder(join(copied, 'derived')), dice, async path => {
        const bucket = /bucket=([0-9a-f]+)/.exec(path)?.[1]
        const asked = keys.filter(key => bucketOf(key, bucket?.length ?? 1) === bucket).slice(0, 2)
        const [right, answer] = [await answersOf(root, asked), await answersOf(copied, asked)]
        if (answer.remarks.length > 0) noticed++
        expect({ path, bit: i, told: answer.told }).toEqual({ path, bit: i, told: right.told })
      })
    if (BITS > 12) console.log(`copy: ${JSON.stringify({ noticed, unused: BITS - noticed })}`)
  }, 3_600_000)

  /** What each item's history tells; undefined where the archive cannot be read. */
  async function historiesOf(archive: string, keys: readonly string[]) {
    try {
      await using opened = await openArchive(archive, { tables: [table] })
      const histories = await readHistories(opened.engine, table, keys)
      return new Map([...histories].map(([key, history]) => [key, tell(history)]))
    } catch {
      return undefined
    }
  }

  /** The histories of some items, or where none are asked for what the table held; and what was remarked. */
  async function answersOf(archive: string, keys: readonly string[]) {
    await using opened = await openArchive(archive, { tables: [table] })
    const { engine } = opened
    const told: unknown[] = []
    for (const key of keys) told.push((await readHistory(engine, table, key)).changes)
    const at = { us: Date.UTC(2026, 10, 20, 12) * 1000 }
    if (keys.length === 0) for await (const item of itemsAt(engine, table, at)) told.push(item)
    return { told, remarks: engine.remarks?.() ?? [] }
  }
})

/** What nothing in an archive tells of a row. */
const UNDERIVED = new Set([...ROW_VERSIONS.values()].flatMap(version => version.underived))

function tell({ confidence, changes }: ItemHistory): string {
  // some of these items are older than what is left of the archive
  const told = (name: string, value: unknown) => (UNDERIVED.has(name) ? undefined : value)
  return isDoubtful(confidence) && confidence !== 'PRE-ARCHIVE'
    ? 'doubtful'
    : JSON.stringify([confidence, changes], told)
}

async function first<T>(found: AsyncGenerator<T>): Promise<T | undefined> {
  for await (const one of found) return one
  return undefined
}

/** What an archive's rows hold, but for what nothing in them tells. */
async function contentOf(root: string): Promise<readonly StoredRow[]> {
  const archive = new DiskArchive(root)
  const reader = await StoredRows.open(archive)
  const rows: StoredRow[] = []
  for (const file of await storedFiles(archive, 'Orders'))
    for await (const some of reader.rowsOf(file)) rows.push(...some)
  reader.close()
  // a column that is null in every row of an object may as well not be there
  const isTold = ([name, value]: [string, unknown]) => !UNDERIVED.has(name) && value !== null
  return rows.map(row => Object.fromEntries(Object.entries(row).filter(isTold)))
}
