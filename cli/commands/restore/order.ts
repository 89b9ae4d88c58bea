import { type PlanOptions, RESTORE_DOUBTS } from '../../../restore/restore-plan.js'
import type { Instant } from '../../../transform/instant.js'
import { instantOf } from '../../ask/instant-argument.js'
import { CommandError, type Options } from '../../io.js'
import { actorName } from './actor-option.js'

/** Where the past goes: back into its table, into another one, or into a folder. */
export type Destination =
  | { readonly kind: 'table'; readonly against: 'table' | 'archive' }
  | { readonly kind: 'other'; readonly name: string }
  | { readonly kind: 'output'; readonly folder: string }

/** What a user asks for. */
export interface Order {
  readonly table: string
  readonly key: string | undefined
  readonly at: Instant
  readonly destination: Destination
  readonly options: Pick<PlanOptions, 'deletes' | 'accepted'>
  readonly planPath: string | undefined
  /** Who restores, where it was said. */
  readonly actor: string | null
  /** True where the plan is not only made. */
  readonly performs: boolean
}

/** What is asked for. Throws `CommandError` for flags that do not go together. */
export function readOrder(table: string, key: string | undefined, options: Options): Order {
  const destination = destinationOf(options)
  const accepted = (options.accept ?? []) as readonly string[]
  const unknown = accepted.find(doubt => !(RESTORE_DOUBTS as readonly string[]).includes(doubt))
  if (unknown !== undefined)
    throw new CommandError(`--accept ${JSON.stringify(unknown)} is no doubt, expected ${RESTORE_DOUBTS.join(', ')}`)
  if (options.delete === true && destination.kind !== 'table')
    throw new CommandError('--delete goes with the table itself, nothing is deleted elsewhere')
  if (options.apply === true && destination.kind === 'output')
    throw new CommandError('--apply writes to a table, --output to a folder: expected one of them')
  if (actorName(options) !== null && destination.kind !== 'table')
    throw new CommandError('--actor goes with the table itself, elsewhere items are written as they were')
  const performs = options.apply === true || destination.kind === 'other'
  return {
    table,
    key,
    at: instantOf(options.asOf as string, '--as-of'),
    destination,
    options: { deletes: options.delete === true, accepted: new Set(accepted) },
    actor: actorName(options),
    planPath: typeof options.plan === 'string' ? options.plan : undefined,
    performs,
  }
}

function destinationOf({ to, output, against }: Options): Destination {
  if (to !== undefined && output !== undefined)
    throw new CommandError('--to fills a table, --output a folder: expected one of them')
  if (against !== 'table' && against !== 'archive')
    throw new CommandError(`--against is ${JSON.stringify(against)}, expected table or archive`)
  if (typeof to === 'string') return { kind: 'other', name: to }
  if (typeof output === 'string') return { kind: 'output', folder: output }
  return { kind: 'table', against }
}
