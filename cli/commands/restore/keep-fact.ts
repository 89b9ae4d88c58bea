import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '../../../restore/plan-reader.js'
import type { PlanTarget } from '../../../restore/plan-schema.js'
import type { ProgressFile } from '../../../restore/progress-file.js'
import { DiskArchive } from '../../../store/folder.js'
import { keepFact } from '../../../store/kept-facts.js'
import { FACT_VERSION, factInstant, type RestoreFact } from '../../../transform/fact.js'
import { parseInstant } from '../../../transform/instant.js'
import { tablePrefix } from '../../../transform/layout.js'
import type { Io } from '../../io.js'
import { printable } from '../../show/text.js'

/** Items up to which a fact lists each. */
const MAX_LISTED = 10_000

/**
 * Keeps in the archive of the table that a plan was performed, if it has written anything, or says why not. False
 * where that failed: what was written to the table stands all the same.
 */
export async function keepRestoreFact(
  plan: Plan,
  progress: ProgressFile,
  actor: string | null,
  root: string,
  io: Io,
): Promise<boolean> {
  const { table } = plan.header.target as PlanTarget
  if (progress.began === undefined) return true
  if (!existsSync(join(root, tablePrefix(table)))) {
    // a table that was filled from another's past has no archive, for most
    if (table === plan.header.table)
      io.err(
        `no fact of this restore is kept: archive ${printable(root)} has no table ${table}, --archive names another\n`,
      )
    return true
  }
  const fact = factOf(plan, progress, actor, progress.began)
  try {
    io.err(`kept in the archive: ${await keepFact(new DiskArchive(root), fact)}\n`)
    return true
  } catch (error) {
    io.err(`the fact of this restore could not be kept in ${printable(root)}: ${printable((error as Error).message)}\n`)
    return false
  }
}

function factOf(plan: Plan, { written }: ProgressFile, actor: string | null, began: string): RestoreFact {
  const now = factInstant(Date.now() * 1000)
  const { header, sha256 } = plan
  const { before, undo } = header
  return {
    version: FACT_VERSION,
    kind: 'restore',
    table: (header.target as PlanTarget).table,
    recorded: now,
    plan: sha256,
    pastOf: header.table,
    asOf: header.as_of,
    ...(before !== undefined && { before }),
    ...(undo !== undefined && { undone: { actor: undo.actor, from: undo.from, to: undo.to } }),
    actor,
    from: factInstant(parseInstant(began)?.us as number),
    to: now,
    items: written.size,
    written: written.size > MAX_LISTED ? null : [...written].map(([itemKey, hash]) => ({ itemKey, hash })),
  }
}
