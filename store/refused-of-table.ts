import { hash } from 'node:crypto'
import { parseRefusedKey, REFUSED_PREFIX } from '../transform/layout.js'
import { DiskArchive } from './folder.js'
import { archiveLedger, Ledger } from './redriven.js'
import { openRefused, readRefused } from './refused-reader.js'

/**
 * Objects under `refused/` that still hold records of a table, each with how many; what was sent again does not count.
 */
export async function refusedOfTable(root: string, table: string): Promise<readonly string[]> {
  const archive = new DiskArchive(root)
  const ledger = Ledger.open(archiveLedger(root), 'archive')
  const found: string[] = []
  for (const key of await archive.list(REFUSED_PREFIX)) {
    if (key.split('/')[2] !== table) continue
    let damaged = false
    let waiting = 0
    for await (const entry of openRefused(archive, key, () => (damaged = true))) if (!ledger.isDone(entry)) waiting++
    if (waiting > 0) found.push(`${key}: ${waiting} ${waiting === 1 ? 'record' : 'records'}`)
    if (damaged) found.push(`${key}: damaged`)
  }
  return found
}

/**
 * How many refused records are of none of these tables, such as those that name no table, and were not sent again: one
 * that was refused twice counts once. What cannot be read is counted where there is no table that counts it.
 */
export async function countRefusedBeside(root: string, tables: readonly string[]): Promise<number> {
  const ledger = Ledger.open(archiveLedger(root), 'archive')
  const records = new Set<string>()
  let damaged = 0
  // an object that names one of the tables by its key is counted, and told where it cannot be read, by that one
  const isBeside = (key: string) => !tables.includes(parseRefusedKey(key)?.table ?? '')
  for await (const kept of readRefused(new DiskArchive(root), () => damaged++, isBeside))
    if (!tables.includes(kept.entry.table) && !ledger.isDone(kept)) records.add(hash('sha256', kept.entry.data))
  return records.size + (tables.length === 0 ? damaged : 0)
}

/**
 * How many refused records of a table arrived at a moment (microseconds since 1970) or later and were not sent again.
 */
export async function countRefused(root: string, table: string, sinceUs: number | null): Promise<number> {
  const archive = new DiskArchive(root)
  const ledger = Ledger.open(archiveLedger(root), 'archive')
  let count = 0
  for (const key of await archive.list(REFUSED_PREFIX)) {
    // an object that cannot be read may hold anything
    for await (const kept of openRefused(archive, key, () => count++)) {
      // a change is older than its arrival, so what came before the period is not of it
      const mayBelong = sinceUs === null || kept.entry.arrival >= sinceUs / 1000
      if (kept.entry.table === table && mayBelong && !ledger.isDone(kept)) count++
    }
  }
  return count
}
