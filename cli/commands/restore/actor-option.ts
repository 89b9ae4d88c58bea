import { type Difference, differencesOf } from '../../../queries/difference.js'
import { withoutActor } from '../../../restore/actor-attribute.js'
import { asWritten, type RestoreActor } from '../../../restore/apply.js'
import { itemOf } from '../../../restore/conditional-write.js'
import type { PlannedChange } from '../../../restore/restore-plan.js'
import type { AttributePath } from '../../../transform/table-configuration.js'
import { CommandError, EXIT, type Options } from '../../io.js'

export const ACTOR_OPTION = [
  '--actor <name>',
  'who restores: written into the attribute that names the writer, and kept in the archive',
] as const

/** Who restores, as it was typed; null where nobody said it. Throws `CommandError` for what is no name. */
export function actorName({ actor }: Options): string | null {
  if (actor === undefined) return null
  if (typeof actor === 'string' && /^[^\p{Cc}]{1,1024}$/u.test(actor)) return actor
  throw new CommandError(`--actor is ${JSON.stringify(actor)}, expected a name of at most 1,024 characters`)
}

/**
 * Whose name goes where. Throws `CommandError` where the table's items name their writer and nobody said who
 * restores.
 */
export function restoreActor(path: AttributePath | null, options: Options): RestoreActor | null {
  const name = actorName(options)
  if (path === null) return null
  if (name !== null) return { path, name }
  throw new CommandError(
    `--actor is missing: ${path.join('.')} says who wrote an item, and it is not the old writer who restores it`,
    EXIT.usage,
    '--actor NAME says who restores',
  )
}

/** What would differ in an item once it is written. The writer's name is left out while nobody said it. */
export function plannedDifferences(
  { now, wanted }: PlannedChange,
  path: AttributePath | null,
  name: string | null,
): readonly Difference[] {
  const [current, past] = [itemOf(now), itemOf(wanted)]
  if (path === null || past === null) return differencesOf(current, past)
  if (name !== null) return differencesOf(current, asWritten(past, { path, name }))
  return differencesOf(current === null ? null : withoutActor(current, path), withoutActor(past, path))
}
