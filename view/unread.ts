import { unbelievedOf, unreadOf } from '../queries/verdict/unread.js'
import { DiskArchive } from '../store/folder.js'
import type { PageAsking } from './screen.js'

/** What of the archive a screen does not rest on, because it is not read, in the words of the command line. */
export async function unreadBy(asking: PageAsking): Promise<readonly string[]> {
  const { archive, onAws, root, path } = asking
  const tables = archive.tables()
  const found = await unreadOf(archive.engine, { asked: tablesOf(asking), tables })
  const isOverview = path.length === 0 && !onAws
  return isOverview ? [...found, ...(await unbelievedOf(new DiskArchive(root), tables))] : found
}

/** The same of one table. */
export function unreadOfTable({ archive }: PageAsking, table: string): Promise<readonly string[]> {
  return unreadOf(archive.engine, { asked: [table], tables: [table] })
}

/** The table that an address names; none where it names none, so that any may be meant. */
function tablesOf({ archive, path, search }: PageAsking): readonly string[] {
  const [first, second] = path
  const name =
    first === 't' || first === 'proof' ? second : first === 'q' || first === 'sample' ? search.table : undefined
  const table = name === undefined ? undefined : archive.findTable(name)
  return table === undefined ? [] : [table.table]
}
