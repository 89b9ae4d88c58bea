import { nearest } from '../../../config/nearest.js'
import { type ChangeFacets, countFacets } from '../../../queries/list-changes.js'
import { lostStretches, readArchiveFacts } from '../../../queries/verdict/archive-facts.js'
import { archiveBegan } from '../../../queries/verdict/state-at.js'
import { touching } from '../../../queries/verdict/verdict.js'
import type { Instant } from '../../../transform/instant.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { findItemKey } from '../../ask/find-item.js'
import type { Workspace } from '../../ask/workspace.js'
import { CommandError, EXIT } from '../../io.js'
import { grouped } from '../../show/progress.js'
import { showInstant } from '../../show/state.js'
import type { Past } from './order.js'
import { tellsOfLater } from './tells-of-later.js'

/** What one writer changed within a time, which is to be taken back. */
export interface UndoneWork {
  readonly kind: 'undo'
  readonly actor: string
  readonly from: Instant
  readonly to: Instant
  /** The canonical key of the only item that is wanted; undefined for all. */
  readonly itemKey: string | undefined
  /** What else the writer may have changed then, which the archive does not tell. */
  readonly remarks: readonly string[]
  /** True where changes of that time are lost, so that some of the writer's may be among them. */
  readonly isLossy: boolean
}

/** Looks up what a writer changed. Throws `CommandError` where it is nothing, with names that come near. */
export async function findWork(
  workspace: Workspace,
  table: TableConfiguration,
  { actor, from, to }: Extract<Past, { kind: 'undo' }>,
  key: string | undefined,
): Promise<UndoneWork> {
  const { engine } = workspace
  const itemKey = key === undefined ? undefined : await findItemKey(workspace, table, key)
  const period = { fromUs: from.us, toUs: to.us, itemKey }
  const all = await countFacets(engine, table, period)
  // all counts the busiest writers alone
  const isBusy = all.actor.some(({ value }) => value === actor)
  if (!isBusy && (await countFacets(engine, table, { ...period, actor })).changes === 0)
    throw nobody(table, actor, [from, to], all)
  const lost = lostStretches(await readArchiveFacts(engine, table))
  const isLossy = touching(lost, from.us, to.us).length > 0
  const began = await archiveBegan(engine, table)
  const remarks = [
    ...(isLossy
      ? [`records of the stream of that time are lost: what ${actor} changed by them is not in this plan`]
      : []),
    ...(from.us < began
      ? [`the archive begins at ${showInstant({ us: began })}: what ${actor} changed before is not in this plan`]
      : []),
    ...((await tellsOfLater(engine, table, to.us))
      ? []
      : [
          `the archive has no change of the table after that time: what ${actor} changed and has not arrived yet is not in this plan`,
        ]),
    ...namelessRemarks(all, actor),
  ]
  return { kind: 'undo', actor, from, to, itemKey, remarks, isLossy }
}

/** Changes that may be the writer's, for all that anybody knows. */
function namelessRemarks({ kind }: ChangeFacets, actor: string): readonly string[] {
  const count = (of: string) => kind.find(({ value }) => value === of)?.changes ?? 0
  const [deletes, others] = [count('last writer'), count('not recorded')]
  const all = deletes + others
  if (all === 0) return []
  const [names, them] = all === 1 ? ['names', 'it is'] : ['name', 'they are']
  return [
    `${changesText(all)} of that time ${names} nobody, ${grouped(deletes)} of deletes: whether ${them} by ${actor} is not known, and nothing of that is undone`,
  ]
}

function changesText(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'change' : 'changes'}`
}

function nobody(
  { table, actor: path }: TableConfiguration,
  actor: string,
  [from, to]: readonly [Instant, Instant],
  { actor: actors }: ChangeFacets,
): CommandError {
  const names = actors.flatMap(({ value }) => value ?? [])
  const near = nearest(actor, names)
  const hint =
    near.length > 0
      ? `did you mean ${near.join(' or ')}?`
      : names.length > 0
        ? `then wrote: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
        : path === undefined
          ? 'the configuration names no attribute that says who wrote an item'
          : 'no change of that time names anybody'
  const period = `from ${showInstant(from)} to ${showInstant(to)}`
  return new CommandError(`${table} has no change by ${JSON.stringify(actor)} ${period}`, EXIT.findings, hint)
}
