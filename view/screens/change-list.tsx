import { problemsOf } from '../../cli/show/change.js'
import { shortId } from '../../cli/show/confidence.js'
import { showItemKey } from '../../cli/show/item-key.js'
import { readChange } from '../../queries/answers/read-history.js'
import { textTable } from '../../queries/engines/text-table.js'
import type { ListedChange } from '../../queries/list-changes.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { Actor } from '../actors.js'
import { linkTo } from '../address.js'
import { ChangeBody, changedNames } from '../items.js'
import { here, ListTable } from '../layout.js'
import { PickButton, Ways } from '../picks.js'
import type { PageAsking } from '../screen.js'
import { seenChange } from '../sealed.js'
import { itemLink } from '../tables.js'
import { Time } from '../times.js'

/** A listed change as data. */
export function described(change: ListedChange): object {
  return {
    event_id: change.eventId,
    event_name: change.eventName,
    event_time: formatInstant(change.timeUs, 6),
    time_precision: change.precision,
    item_key: JSON.parse(change.itemKey) as object,
    changed: change.changed,
    actor: change.actor,
    actor_source: change.actorSource,
    last_writer: change.lastWriter,
    actor_kind: change.kind,
  }
}

/** Listed changes as a file of rows has them. */
export function fileTableOf(shown: readonly ListedChange[]) {
  return textTable(
    ['event_time', 'event_name', 'item_key', 'changed', 'actor', 'actor_kind', 'event_id'],
    shown.map(change => [
      formatInstant(change.timeUs, 6),
      change.eventName,
      change.itemKey,
      change.changed === null ? null : JSON.stringify(change.changed),
      change.actor,
      change.kind,
      change.eventId,
    ]),
  )
}

interface ListOf {
  readonly table: TableConfiguration
  readonly shown: readonly ListedChange[]
  readonly selected: ListedChange | undefined
  /** How many there are; undefined where they are still being counted. */
  readonly found: number | undefined
  readonly asking: PageAsking
}

/** Listed changes, a row each, the selected one marked. */
export function ChangeList({ table, shown, selected, found, asking }: ListOf) {
  if (shown.length === 0)
    return <p class="note">no change is found; a filter taken back, or another period, finds more</p>
  const of = found === undefined ? '' : ` of ${found.toLocaleString('en')}`
  const caption = `${shown.length}${of} changes, newest first`
  const columns = [['time'], ['change'], ['item'], ['what changed'], ['who'], ['id']] as const
  return (
    <ListTable caption={caption} columns={columns}>
      {shown.map(change => (
        <tr
          data-row={here(asking, { row: change.eventId })}
          data-open={linkTo(['t', table.table, 'e', change.eventId])}
          data-pick={`${table.table} ${change.itemKey} ${formatInstant(change.timeUs, 6)}`}
          {...(change === selected && { 'aria-current': 'true' })}
        >
          <td>
            <Time us={change.timeUs} precision={change.precision} clock={asking.clock} />
          </td>
          <td>{change.eventName}</td>
          <td class={showItemKey(change.itemKey).length > 28 ? 'any' : 't'}>
            <a href={itemLink(table.table, change.itemKey)}>{showItemKey(change.itemKey)}</a>
          </td>
          <td class="any">{changedNames(change.changed)}</td>
          <td class="any who">
            <Actor
              change={{
                actor: change.actor,
                actor_source: change.actorSource,
                last_writer: change.lastWriter,
                event_name: change.eventName as 'MODIFY',
              }}
            />
          </td>
          <td class="t">
            <a href={here(asking, { row: change.eventId })}>
              <code>{shortId(change.eventId)}</code>
            </a>
            <PickButton what={`${change.eventName} of ${showItemKey(change.itemKey)}`} />
          </td>
        </tr>
      ))}
    </ListTable>
  )
}

/** What the selected change did. */
export async function Beside({
  table,
  selected,
  asking,
}: {
  readonly table: TableConfiguration
  readonly selected: ListedChange
  readonly asking: PageAsking
}) {
  const { itemKey, eventId, timeUs: us } = selected
  const stored = await asking.once(`change ${table.table} ${eventId}`, () =>
    readChange(asking.archive.engine, table, itemKey, { eventId, us }),
  )
  const change = stored && (await seenChange(asking, table, stored))
  return (
    <>
      <h2>
        <a href={linkTo(['t', table.table, 'e', selected.eventId])}>
          {selected.eventName} of {showItemKey(selected.itemKey)} at{' '}
          {asking.clock.text(selected.timeUs, selected.precision)}
        </a>
      </h2>
      <Ways asking={asking} />
      {change === undefined ? (
        <p class="note">its item's history does not have it at this time</p>
      ) : (
        <>
          {problemsOf(change).map(text => (
            <p class="note bad">{text}</p>
          ))}
          <ChangeBody change={change} show={{ raw: asking.raw, whole: asking.search.w === 'all' }} />
        </>
      )}
    </>
  )
}
