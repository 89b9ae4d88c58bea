import { rootOf } from '../proof/tree.js'
import { weigh } from '../store/file-hash.js'
import { isMissing, type ObjectEntry as Listed, type Objects } from '../store/objects.js'
import { DATA_PREFIX, parsePartition } from '../transform/layout.js'
import type { ArchiveObjects, FoundObject, RowHashes } from './archive-objects.js'
import type { SealedEntry } from './entry.js'

/** How the rows of an object are read; undefined of one that is no Parquet of audit rows. */
export type ReadRowHashes = (key: string) => Promise<RowHashes | undefined>

/** The objects of an archive, in a folder or a bucket. */
export class KeptObjects implements ArchiveObjects {
  constructor(
    private readonly objects: Objects,
    private readonly readRows: ReadRowHashes,
  ) {}

  list(prefix: string): Promise<readonly Listed[]> {
    return this.objects.entries(prefix)
  }

  async describe({ key }: FoundObject, sealed?: Pick<SealedEntry, 'sha256'>): Promise<SealedEntry | undefined> {
    try {
      const whole = await weigh(this.objects.stream(key))
      const bytes = { type: 'object@1', key, ...whole } as const
      if (isAnother(whole, sealed)) return bytes
      return { ...bytes, ...(await describeRows(key, () => this.readRows(key))) }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
}

/** True of bytes that are not those which were sealed. */
export function isAnother(whole: Pick<SealedEntry, 'sha256'>, sealed?: Pick<SealedEntry, 'sha256'>): boolean {
  return sealed !== undefined && whole.sha256 !== sealed.sha256
}

/** What an entry says of the rows of an object; nothing where there are none that can be read. */
export async function describeRows(
  key: string,
  read: () => Promise<RowHashes | undefined>,
): Promise<Partial<SealedEntry>> {
  const partition = partitionOf(key)
  const rows = partition === undefined ? undefined : await read()
  if (partition === undefined || rows === undefined) return {}
  const { hashes, minUs, maxUs } = rows
  return {
    table: partition.table,
    event_date: partition.date,
    rows: hashes.length,
    rows_root: rootOf(hashes).toString('hex'),
    ...(minUs !== undefined && { min_us: minUs }),
    ...(maxUs !== undefined && { max_us: maxUs }),
  }
}

/** What lies where no question reads it is sealed all the same, without rows. */
function partitionOf(key: string) {
  if (!key.startsWith(DATA_PREFIX) || !key.endsWith('.parquet')) return undefined
  try {
    return parsePartition(key)
  } catch {
    return undefined
  }
}
