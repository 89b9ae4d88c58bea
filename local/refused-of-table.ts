import { DiskArchive } from './archive.js'
import { archiveLedger, Ledger } from './redriven.js'
import { REFUSED_PREFIX } from './refused-objects.js'
import { openRefused } from './refused-reader.js'

/** Objects under `refused/` that still hold records of a table, each with how many; what was sent again does not count. */
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
