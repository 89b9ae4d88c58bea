import { showItemKey } from '../../cli/show/item-key.js'
import { TIME_TO_LIVE } from '../../queries/bind.js'
import { quoted } from '../../queries/engines/literal.js'
import { ACTOR_KINDS, type ChangeFilter } from '../../queries/list-changes.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { tableIdentifier } from '../../transform/table-names.js'
import { linkTo, periodIn, wordIn } from '../address.js'
import type { PageAsking } from '../screen.js'
import { itemIn } from '../tables.js'
import { DAYS, weekHourIn } from './change-facets.js'

const EVENTS = ['INSERT', 'MODIFY', 'REMOVE'] as const

/** What an address narrows changes by. */
export async function filterIn(asking: PageAsking, table: TableConfiguration): Promise<ChangeFilter> {
  const { search } = asking
  const { fromUs, toUs } = periodIn(search)
  const actor = search.actor === TIME_TO_LIVE.printed ? TIME_TO_LIVE.recorded : search.actor
  return {
    fromUs,
    toUs,
    actor,
    kind: wordIn(search, 'kind', ACTOR_KINDS),
    event: wordIn(search, 'event', EVENTS),
    attribute: search.attr,
    itemKey: search.key === undefined ? undefined : await itemIn(asking, table, search.key),
    weekHour: weekHourIn(search.hour),
  }
}

/** True where more than a period narrows. */
export function narrowed({ fromUs: _, toUs: __, ...filters }: ChangeFilter): boolean {
  return Object.values(filters).some(value => value !== undefined)
}

/** What a filter leaves, asked in words. */
export function questionOf(table: string, filter: ChangeFilter, { clock }: PageAsking): string {
  const { fromUs, toUs, actor, kind, event, attribute, itemKey, weekHour } = filter
  const verb =
    event === 'INSERT'
      ? 'was inserted'
      : event === 'REMOVE'
        ? 'was removed'
        : event === 'MODIFY'
          ? 'was modified'
          : 'changed'
  return `${[
    `What ${verb}`,
    attribute === undefined ? '' : `at ${attribute}`,
    itemKey === undefined ? `in ${table}` : `in ${table} ${showItemKey(itemKey)}`,
    actor === undefined ? '' : `by ${actor === TIME_TO_LIVE.recorded ? TIME_TO_LIVE.printed : actor}`,
    kind === undefined ? '' : `with an actor that is ${kind}`,
    fromUs === null ? '' : `from ${clock.text(fromUs)}`,
    toUs === null ? '' : `before ${clock.text(toUs)}`,
    weekHour === undefined
      ? ''
      : `on ${DAYS[Math.floor(weekHour / 24)]}s from ${String(weekHour % 24).padStart(2, '0')}:00 UTC`,
  ]
    .filter(text => text !== '')
    .join(' ')}?`
}

/** The changes that a filter leaves, as a statement of one's own asks for them. */
export function statementOf(table: TableConfiguration, filter: ChangeFilter): string {
  const { fromUs, toUs, actor, kind, event, attribute, itemKey, weekHour } = filter
  const kinds = {
    service: `actor = ${quoted(TIME_TO_LIVE.recorded)}`,
    recorded: `actor <> ${quoted(TIME_TO_LIVE.recorded)}`,
    'last writer': "actor is null and event_name = 'REMOVE' and last_writer is not null",
    'not recorded': "actor is null and (event_name <> 'REMOVE' or last_writer is null)",
  } as const
  const conditions = [
    "event_name <> 'BASELINE'",
    ...(fromUs === null ? [] : [`event_time_us >= ${microsecondsIn(fromUs)}`]),
    ...(toUs === null ? [] : [`event_time_us < ${microsecondsIn(toUs)}`]),
    ...(actor === undefined ? [] : [`actor = ${quoted(actor)}`]),
    ...(kind === undefined ? [] : [kinds[kind]]),
    ...(event === undefined ? [] : [`event_name = ${quoted(event)}`]),
    ...(attribute === undefined ? [] : [`array_position(changed, ${quoted(attribute)}) > 0`]),
    ...(itemKey === undefined ? [] : [`item_key = ${quoted(itemKey)}`]),
    ...(weekHour === undefined
      ? []
      : [`mod(cast(floor(event_time_us / 3600000000e0) as bigint) + 96, 168) = ${weekHour}`]),
  ]
  return `select event_time, event_name, item_key, changed, actor, event_id from ${tableIdentifier(table)} where ${conditions.join(' and ')} order by event_time_us desc, event_id`
}

/** A number of microseconds is exact, and nobody reads it: its time stands beside it. */
function microsecondsIn(us: number): string {
  return `${us} /* ${formatInstant(us, us % 1_000_000 === 0 ? 0 : 6)} */`
}

/** A filter as data. */
export function describeFilter({ fromUs, toUs, ...filter }: ChangeFilter): object {
  const text = (us: number | null) => (us === null ? null : formatInstant(us, 6))
  return { from: text(fromUs), to: text(toUs), filter }
}

/** The names in an address that narrow, each with its value as people read it. */
export function appliedIn(filter: ChangeFilter, { search }: PageAsking): readonly (readonly [string, string])[] {
  const names = ['from', 'to', 'actor', 'kind', 'event', 'attr', 'key', 'hour'] as const
  const { itemKey } = filter
  const shown = (name: string, text: string) => (name === 'key' && itemKey !== undefined ? showItemKey(itemKey) : text)
  return names.flatMap(name => (search[name] === undefined ? [] : [[name, shown(name, search[name])] as const]))
}

/** A field for each thing that changes can be narrowed by. */
export function FilterForm({ asking }: { readonly asking: PageAsking }) {
  const { search } = asking
  const fields = [
    ['from', 'from', 'a day or an instant'],
    ['to', 'to (not included)', 'a day or an instant'],
    ['key', 'item', 'a key'],
    ['attr', 'attribute', ''],
    ['actor', 'actor', ''],
  ] as const
  const kept = (['kind', 'event', 'hour', 'tz'] as const).filter(name => search[name] !== undefined)
  return (
    <form method="get" action={linkTo(asking.path)} class="noprint" id="narrow">
      {fields.map(([name, label, hint]) => (
        <label>
          {label}
          <input name={name} value={search[name] ?? ''} placeholder={hint} autocomplete="off" spellcheck={false} />
        </label>
      ))}
      {kept.map(name => (
        <input type="hidden" name={name} value={search[name]} />
      ))}
      <button type="submit">narrow</button>
    </form>
  )
}
