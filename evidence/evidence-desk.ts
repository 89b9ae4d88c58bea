import type { JournalIdentity } from '../journal/head.js'
import { KeptLog } from '../journal/kept-log.js'
import { rowHashesAt } from '../journal/row-hashes.js'
import { openDuckDb } from '../queries/engines/duckdb-instance.js'
import { DiskArchive } from '../store/folder.js'
import { listTable } from '../store/table-objects.js'
import { configurationId, type TableConfiguration } from '../transform/table-configuration.js'
import type { RowSource } from './found-rows.js'
import { Prover } from './prover.js'

/** An archive in a folder, open for proofs while `withDesk` runs. */
export interface EvidenceDesk {
  readonly prover: Prover
  /** Where the rows of a table are looked for. */
  rowsOf(table: TableConfiguration): Promise<RowSource>
}

/** Opens the archive in a folder for proofs under the newest checkpoint of its journal, and closes it. */
export async function withDesk<T>(
  root: string,
  identity: JournalIdentity,
  use: (desk: EvidenceDesk) => Promise<T>,
): Promise<T> {
  const instance = await openDuckDb(':memory:', { memory_limit: '1GB' })
  const connection = await instance.connect()
  const archive = new DiskArchive(root)
  const readLeaves = async (key: string) => (await rowHashesAt(instance, archive.pathOf(key)))?.hashes
  const rowsOf = async (table: TableConfiguration) => ({
    connection,
    root,
    table: table.table,
    keys: (await listTable(archive, table.table)).objects,
    configId: configurationId(table),
  })
  try {
    return await use({ prover: await Prover.open(new KeptLog(archive), identity, readLeaves), rowsOf })
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
