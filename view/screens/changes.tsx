import { archiveFlag } from '../../cli/show/archive-name.js'
import { shortId } from '../../cli/show/confidence.js'
import { showItemKey } from '../../cli/show/item-key.js'
import { readHistory } from '../../queries/answers/read-history.js'
import { TIME_TO_LIVE } from '../../queries/bind.js'
import { quoted } from '../../queries/engines/literal.js'
import { textTable } from '../../queries/engines/text-table.js'
import {
  ACTOR_KINDS,
  type ChangeFacets,
  type ChangeFilter,
  countFacets,
  countRepeats,
  type ListedChange,
  type ListPlace,
  listChanges,
} from '../../queries/list-changes.js'
import { formatInstant, readableInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { tableIdentifier } from '../../transform/table-names.js'
import { Actor } from '../actors.js'
import { AddressError, linkTo, periodIn, shellWord, wordIn } from '../address.js'
import { ChangeBody, changedNames } from '../items.js'
import { here, ListTable } from '../layout.js'
import type { PageAsking, Screen } from '../screen.js'
import { surenessOf } from '../sureness.js'
import { itemIn, itemLink, tableIn } from '../tables.js'
import { Time } from '../times.js'
import { ChangeFacetLinks, DAYS, weekHourIn } from './change-facets.js'

const A_PAGE = 50
/** Rows of a file, which is not read by the page. */
const A_FILE = 100_000
const EVENTS = ['INSERT', 'MODIFY', 'REMOVE'] as const

/** The changes of a table, what they can be narrowed by, and what the selected one did. */
export async function changesScreen(asking: PageAsking): Promise<Screen> {
  const { archive, search } = asking
  const table = tableIn(asking, asking.path[1])
  const filter = await filterIn(asking, table)
  const key = JSON.stringify([table.table, filter])
  const facets = await asking.once(`facets ${key}`, () => countFacets(archive.engine, table, filter))
  const after = placeIn(search.after)
  const limit = asking.waits ? A_FILE : A_PAGE
  const listed = await asking.once(`list ${key} ${search.after} ${limit}`, () =>
    listChanges(archive.engine, table, filter, { after, limit: limit + 1 }),
  )
  const shown = listed.slice(0, limit)
  const next = listed.length > limit ? shown.at(-1) : undefined
  const selected = shown.find(({ eventId }) => eventId === search.row) ?? shown[0]
  const repeats = await countRepeats(archive.engine, table)
  const period = Object.fromEntries(
    (['from', 'to'] as const).flatMap(name =>
      filter[`${name}Us`] === null ? [] : [[name, formatInstant(filter[`${name}Us`] as number, 6)]],
    ),
  )
  const count = (n: number) => n.toLocaleString('en')
  return {
    question: questionOf(table.table, filter, asking),
    trail: [
      [table.table, linkTo(['t', table.table])],
      ['changes', linkTo(['t', table.table, 'changes'])],
    ],
    command: commandOf(table, filter, asking.root),
    sureness: await surenessOf(asking, table.table, period),
    counts: `${count(shown.length)} of ${count(facets.changes)} changes shown; ${count(repeats)} repeated ${repeats === 1 ? 'delivery' : 'deliveries'} in the table left out`,
    remarks: narrowed(filter)
      ? ['the verdict is about all changes of the period, not only about those that the filters leave']
      : [],
    data: {
      ...describeFilter(filter),
      found: facets.changes,
      repeats,
      facets,
      next: next === undefined ? null : placeOf(next),
      changes: shown.map(described),
    },
    rows: tableOf(shown),
    body: asking.waits ? null : (
      <>
        <Applied filter={filter} asking={asking} />
        <FilterForm asking={asking} />
        <ChangeFacetLinks facets={facets} asking={asking} />
        <div class="pair">
          <div>
            <List table={table} shown={shown} selected={selected} facets={facets} asking={asking} />
            <nav class="pages noprint" aria-label="pages">
              {search.after === undefined ? null : (
                <a href={here(asking, { after: undefined, row: undefined })}>newest</a>
              )}
              {next === undefined ? null : (
                <a rel="next" href={here(asking, { after: placeOf(next), row: undefined })}>
                  next {A_PAGE}
                </a>
              )}
            </nav>
          </div>
          <section class="beside" aria-label="the selected change">
            {selected === undefined ? null : await Beside({ table, selected, asking })}
          </section>
        </div>
      </>
    ),
  }
}

async function filterIn(asking: PageAsking, table: TableConfiguration): Promise<ChangeFilter> {
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

function placeIn(text: string | undefined): ListPlace | undefined {
  if (text === undefined) return undefined
  const [, us, eventId] = /^(\d{1,17})\.([0-9a-f]{1,64})$/.exec(text) ?? []
  if (us === undefined || eventId === undefined)
    throw new AddressError(`after is ${JSON.stringify(text)}, expected what a page links to`)
  return { us: Number(us), eventId }
}

function placeOf({ timeUs, eventId }: ListedChange): string {
  return `${timeUs}.${eventId}`
}

function narrowed({ fromUs: _, toUs: __, ...filters }: ChangeFilter): boolean {
  return Object.values(filters).some(value => value !== undefined)
}

function questionOf(table: string, filter: ChangeFilter, { clock }: PageAsking): string {
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
    toUs === null ? '' : `to ${clock.text(toUs)}`,
    weekHour === undefined
      ? ''
      : `on ${DAYS[Math.floor(weekHour / 24)]}s from ${String(weekHour % 24).padStart(2, '0')}:00 UTC`,
  ]
    .filter(text => text !== '')
    .join(' ')}?`
}

function commandOf(table: TableConfiguration, filter: ChangeFilter, root: string): string {
  const { fromUs, toUs, actor, kind, event, attribute, itemKey, weekHour } = filter
  const kinds = {
    service: `actor = ${quoted(TIME_TO_LIVE.recorded)}`,
    recorded: `actor <> ${quoted(TIME_TO_LIVE.recorded)}`,
    'last writer': "actor is null and event_name = 'REMOVE' and last_writer is not null",
    'not recorded': "actor is null and (event_name <> 'REMOVE' or last_writer is null)",
  } as const
  const conditions = [
    "event_name <> 'BASELINE'",
    ...(fromUs === null ? [] : [`event_time_us >= ${fromUs}`]),
    ...(toUs === null ? [] : [`event_time_us < ${toUs}`]),
    ...(actor === undefined ? [] : [`actor = ${quoted(actor)}`]),
    ...(kind === undefined ? [] : [kinds[kind]]),
    ...(event === undefined ? [] : [`event_name = ${quoted(event)}`]),
    ...(attribute === undefined ? [] : [`array_position(changed, ${quoted(attribute)}) > 0`]),
    ...(itemKey === undefined ? [] : [`item_key = ${quoted(itemKey)}`]),
    ...(weekHour === undefined
      ? []
      : [`mod(cast(floor(event_time_us / 3600000000e0) as bigint) + 96, 168) = ${weekHour}`]),
  ]
  const sql = `select event_time, event_name, item_key, changed, actor, event_id from ${tableIdentifier(table)} where ${conditions.join(' and ')} order by event_time_us desc, event_id`
  return `itemtrail sql ${shellWord(sql)}${archiveFlag(root)}`
}

function describeFilter({ fromUs, toUs, ...filter }: ChangeFilter): object {
  const text = (us: number | null) => (us === null ? null : formatInstant(us, 6))
  return { from: text(fromUs), to: text(toUs), filter }
}

function described(change: ListedChange): object {
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

function tableOf(shown: readonly ListedChange[]) {
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

/** What is narrowed by, each with the link that takes it back. */
function Applied({ filter, asking }: { readonly filter: ChangeFilter; readonly asking: PageAsking }) {
  const names = ['from', 'to', 'actor', 'kind', 'event', 'attr', 'key', 'hour'] as const
  const set = names.filter(name => asking.search[name] !== undefined)
  if (set.length === 0) return null
  return (
    <ul class="applied noprint" aria-label="narrowed by">
      {set.map(name => (
        <li>
          <a href={here(asking, { [name]: undefined, after: undefined, row: undefined })}>
            {name} {name === 'key' && filter.itemKey !== undefined ? showItemKey(filter.itemKey) : asking.search[name]}{' '}
            <span aria-hidden="true">×</span>
            <span class="skip">take back</span>
          </a>
        </li>
      ))}
    </ul>
  )
}

function FilterForm({ asking }: { readonly asking: PageAsking }) {
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

interface ListOf {
  readonly table: TableConfiguration
  readonly shown: readonly ListedChange[]
  readonly selected: ListedChange | undefined
  readonly facets: ChangeFacets
  readonly asking: PageAsking
}

function List({ table, shown, selected, facets, asking }: ListOf) {
  if (shown.length === 0)
    return <p class="note">no change is found; a filter taken back, or another period, finds more</p>
  const caption = `${shown.length} of ${facets.changes.toLocaleString('en')} changes, newest first`
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
          <td>
            <a href={here(asking, { row: change.eventId })}>
              <code>{shortId(change.eventId)}</code>
            </a>
          </td>
        </tr>
      ))}
    </ListTable>
  )
}

async function Beside({
  table,
  selected,
  asking,
}: {
  readonly table: TableConfiguration
  readonly selected: ListedChange
  readonly asking: PageAsking
}) {
  const history = await asking.once(`history ${table.table} ${selected.itemKey}`, () =>
    readHistory(asking.archive.engine, table, selected.itemKey),
  )
  const change = history.changes.find(({ event_id: id }) => id === selected.eventId)
  return (
    <>
      <h2>
        <a href={linkTo(['t', table.table, 'e', selected.eventId])}>
          {selected.eventName} of {showItemKey(selected.itemKey)} at {readableInstant(selected.timeUs)}
        </a>
      </h2>
      <a class="noprint" href={here(asking, { raw: asking.raw ? undefined : 'yes' })} data-raw="">
        {asking.raw ? 'plain' : 'raw DynamoDB JSON'}
      </a>
      {change === undefined ? (
        <p class="note">its item's history does not have it</p>
      ) : (
        <ChangeBody change={change} show={{ raw: asking.raw }} />
      )}
    </>
  )
}
