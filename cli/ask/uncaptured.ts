import type { OpenArchive } from '../../library/archive.js'
import type { StackOutputs } from '../../library/stack.js'
import { NoSuchTable, type QueryEngine } from '../../queries/engines/engine.js'
import { deliveriesOf } from '../../queries/engines/literal.js'

/**
 * Those of an archive's tables that its stack does not capture, or no more, and of whose rows Athena therefore has no
 * table: what the archive keeps of them no question of the stack reads. A captured table that Athena lacks is not among
 * them, for that is a fault.
 */
export async function uncapturedTables(
  archive: OpenArchive,
  stack: Pick<StackOutputs, 'captures'> | undefined,
  tables: readonly string[],
): Promise<readonly string[]> {
  const others = stack === undefined ? [] : tables.filter(table => !stack.captures(table))
  const isLeft = await Promise.all(others.map(table => lacks(archive.engine, deliveriesOf(archive.table(table)))))
  return others.filter((_, i) => isLeft[i])
}

async function lacks(engine: QueryEngine, rows: string): Promise<boolean> {
  try {
    await engine.run(`select 1 from ${rows} limit 0`)
    return false
  } catch (error) {
    // whatever else is wrong is told where the table is asked about
    return error instanceof NoSuchTable
  }
}

/** What of them nobody has looked at. */
export function tellUncaptured(tables: readonly string[]): string {
  const them = tables.length === 1 ? 'it' : 'them'
  return `${tables.join(', ')}: the stack does not capture ${them}, and Athena has no table for what the archive keeps of ${them}; a copy of the bucket, asked with --archive, tells of ${them}`
}
