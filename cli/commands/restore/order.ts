import { recordedActor } from '../../../queries/bind.js'
import { type PlanOptions, RESTORE_DOUBTS } from '../../../restore/restore-plan.js'
import type { Instant } from '../../../transform/instant.js'
import { instantOf } from '../../ask/instant-argument.js'
import { CommandError, EXIT, type Options } from '../../io.js'
import { actorName } from './actor-option.js'

/** Where the past goes: back into its table, into another one, or into a folder. */
export type Destination =
  | { readonly kind: 'table'; readonly against: 'table' | 'archive' }
  | { readonly kind: 'other'; readonly name: string }
  | { readonly kind: 'output'; readonly folder: string }

/**
 * Which past is wanted: that of a moment, that of an item just before an event, or the present without what one writer
 * changed within a time.
 */
export type Past =
  | { readonly kind: 'moment'; readonly at: Instant }
  | { readonly kind: 'before'; readonly event: string }
  | { readonly kind: 'undo'; readonly actor: string; readonly from: Instant; readonly to: Instant }

/** What a user asks for. */
export interface Order {
  /** Undefined where an event names it. */
  readonly table: string | undefined
  readonly key: string | undefined
  readonly past: Past
  readonly destination: Destination
  readonly options: Pick<PlanOptions, 'deletes' | 'accepted'>
  readonly planPath: string | undefined
  /** Who restores, where it was said. */
  readonly actor: string | null
  /** True where the plan is not only made. */
  readonly performs: boolean
}

/** What is asked for. Throws `CommandError` for flags that do not go together. */
export function readOrder(table: string | undefined, key: string | undefined, options: Options): Order {
  const past = readPast(options)
  const destination = destinationOf(options, past)
  if (past.kind === 'before' && key !== undefined)
    throw new CommandError(`--before names the item by its event, found the key ${JSON.stringify(key)}, too`)
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
    past,
    destination,
    options: { deletes: options.delete === true, accepted: new Set(accepted) },
    actor: actorName(options),
    planPath: typeof options.plan === 'string' ? options.plan : undefined,
    performs,
  }
}

/** True where the flags ask for a plan that is to be made. */
export function asksForPast({ asOf, before, undo, from }: Options): boolean {
  return [asOf, before, undo, from].some(flag => flag !== undefined)
}

function readPast({ asOf, before, undo, from, to }: Options): Past {
  const given = [asOf, before, undo].filter(flag => flag !== undefined)
  if (given.length > 1) throw new CommandError('--as-of, --before and --undo each name a past, expected one of them')
  if (from !== undefined && undo === undefined)
    throw new CommandError(
      '--from is of --undo NAME, which says whose changes are taken back',
      EXIT.usage,
      '--actor is who restores; a state of a moment is --as-of',
    )
  if (typeof before === 'string') return { kind: 'before', event: before }
  if (typeof undo !== 'string') return { kind: 'moment', at: instantOf(asOf as string, '--as-of') }
  if (typeof from !== 'string')
    throw new CommandError(`--from is missing: since when changes of ${JSON.stringify(undo)} are taken back`)
  const period = { from: instantOf(from, '--from'), to: instantOf(typeof to === 'string' ? to : 'now', '--to') }
  if (period.from.us >= period.to.us) throw new CommandError(`--from ${from} is not before --to ${to ?? 'now'}`)
  return { kind: 'undo', actor: recordedActor(undo), ...period }
}

function destinationOf({ to, output, against }: Options, { kind }: Past): Destination {
  if (kind === 'undo' && output !== undefined)
    throw new CommandError('--undo changes the table that is there, and --output writes a folder: expected one of them')
  if (to !== undefined && output !== undefined)
    throw new CommandError('--to fills a table, --output a folder: expected one of them')
  if (against !== 'table' && against !== 'archive')
    throw new CommandError(`--against is ${JSON.stringify(against)}, expected table or archive`)
  if (typeof to === 'string' && kind !== 'undo') return { kind: 'other', name: to }
  if (typeof output === 'string') return { kind: 'output', folder: output }
  return { kind: 'table', against }
}
