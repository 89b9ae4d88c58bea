import { deliveriesOf } from '../../../queries/engines/literal.js'
import { rowsOf } from '../../../queries/engines/rows.js'
import { anyItemKey } from '../../../queries/known-keys.js'
import { lostStretches, readArchiveFacts } from '../../../queries/verdict/archive-facts.js'
import { archiveBegan } from '../../../queries/verdict/state-at.js'
import type { LiveTable } from '../../../restore/live-table.js'
import type { PastAndPresent } from '../../../restore/make-plan.js'
import { parseItem } from '../../../transform/attribute-value.js'
import { formatInstant } from '../../../transform/instant.js'
import type { AttributePath, TableConfiguration } from '../../../transform/table-configuration.js'
import { sealedItemsOf } from '../../ask/sealed-items.js'
import { findWorkspaceTable, type Workspace } from '../../ask/workspace.js'
import { callAws } from '../../failures.js'
import { CommandError, EXIT, type Io, type Options } from '../../io.js'
import { showInstant } from '../../show/state.js'
import type { Order } from './order.js'
import { openTable } from './perform-plan.js'

/** What an order is about, and the archive that it was found in. */
export interface RestoreQuestion extends PastAndPresent {
  readonly workspace: Workspace
}

/** Opens what an order is about. Throws `CommandError` for a time before the archive, or a table that does not fit. */
export async function openQuestion(
  workspace: Workspace,
  order: Order,
  options: Options,
  io: Io,
): Promise<RestoreQuestion> {
  const table = findWorkspaceTable(workspace, order.table)
  refuseTokens(table)
  const beganUs = await archiveBegan(workspace.engine, table)
  if (order.at.us < beganUs || beganUs === 0)
    throw new CommandError(
      beganUs === 0
        ? `table ${table.table} has no rows in the archive`
        : `--as-of ${showInstant(order.at)} is before the archive of ${table.table} begins, at ${showInstant({ us: beganUs })}`,
      EXIT.unchecked,
      'what the table held then is not known',
    )
  const live = await openLive(order, table, options, io)
  if (live !== undefined && live !== null) await checkKeys(workspace, table, live)
  // beside the archive the table is not read, but what is performed is for one that was seen
  const written = live ?? (live === undefined && order.performs ? await openTable(table.table, options, io) : undefined)
  if (order.destination.kind === 'other' && order.key === undefined) await checkEmpty(live as LiveTable)
  const lost = await readLost(workspace, table)
  const actorAttribute = order.destination.kind === 'table' ? await actorAttributeOf(workspace, table) : null
  const now = order.destination.kind === 'table' && order.destination.against === 'table'
  const late = now && !(await tellsOfLater(workspace, table, order.at.us))
  return {
    workspace,
    engine: workspace.engine,
    table,
    at: order.at,
    beganUs,
    live,
    target: written?.description ?? null,
    options: { ...order.options, late, actorAttribute, sealed: await sealedItemsOf(table, workspace, options, io) },
    lost,
  }
}

/** A token is no key of the table's: it would be written as another item beside the one that is meant. */
function refuseTokens({ table, keyIsPersonal }: TableConfiguration): void {
  if (keyIsPersonal === undefined) return
  throw new CommandError(
    `table ${JSON.stringify(table)} cannot be restored: its rows have tokens in the place of ${keyIsPersonal.join(' and ')}, and nobody can tell the key of a token`,
    EXIT.usage,
    'as-of and diff tell what an item was, for who writes it back by hand',
  )
}

/**
 * Whether the archive has got beyond a moment: by a change, or by a look at the table that found it as the archive
 * has it.
 */
async function tellsOfLater({ engine }: Workspace, table: TableConfiguration, us: number): Promise<boolean> {
  const sql = `
    select event_id
    from ${deliveriesOf(table)}
    where event_date >= ?
      and event_time_us > ?
      and event_name <> 'BASELINE'
    limit 1`
  const answer = await engine.run(sql, [formatInstant(us, 0).slice(0, 10), us])
  if ([...rowsOf(answer)].length > 0) return true
  const { baselines, comparisons, altered } = await readArchiveFacts(engine, table)
  const equal = comparisons.filter(
    comparison => comparison.differing.size + comparison.unsettled.size === 0 && !altered.includes(comparison),
  )
  return [...baselines, ...equal].some(anchor => anchor.us > us)
}

/** The configured attribute that names an item's writer. One of the key names the item, and stays as it is. */
async function actorAttributeOf({ engine }: Workspace, table: TableConfiguration): Promise<AttributePath | null> {
  const any = await anyItemKey(engine, table)
  const isKey = any !== undefined && Object.hasOwn(parseItem(any), table.actor?.[0] ?? '')
  return isKey ? null : (table.actor ?? null)
}

async function readLost({ engine }: Workspace, table: TableConfiguration): Promise<PastAndPresent['lost']> {
  const facts = await readArchiveFacts(engine, table)
  const [unreadable] = facts.unreadable
  if (unreadable !== undefined) throw new CommandError(unreadable, EXIT.unchecked)
  return lostStretches(facts)
}

async function openLive(
  { destination }: Order,
  { table }: TableConfiguration,
  options: Options,
  io: Io,
): Promise<PastAndPresent['live']> {
  if (destination.kind === 'output') return null
  if (destination.kind === 'other') return openTable(destination.name, options, io)
  if (destination.against === 'archive') return undefined
  try {
    return await openTable(table, options, io)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const hint = '--against archive takes the newest states in the archive for "now"'
    throw new CommandError(error.message, error.exit, error.hint === undefined ? hint : `${error.hint}; ${hint}`)
  }
}

/** An item of the archive must have a place in the table. */
async function checkKeys({ engine }: Workspace, table: TableConfiguration, { description }: LiveTable): Promise<void> {
  const any = await anyItemKey(engine, table)
  const names = any === undefined ? [] : Object.keys(parseItem(any))
  if ([...names].sort().join() === [...description.keys].sort().join()) return
  throw new CommandError(
    `table ${JSON.stringify(description.table)} has the keys ${JSON.stringify(description.keys)}, items of ${table.table} have ${JSON.stringify(names)}`,
  )
}

async function checkEmpty(live: LiveTable): Promise<void> {
  const { table } = live.description
  const isEmpty = await callAws(`table ${JSON.stringify(table)} cannot be read`, () => live.isEmpty())
  if (!isEmpty)
    throw new CommandError(
      `table ${JSON.stringify(table)} is not empty, --to fills an empty one`,
      EXIT.usage,
      'a restore into it that was broken off goes on with: itemtrail restore --apply --plan FILE',
    )
}
