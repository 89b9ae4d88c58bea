import { archiveFlag } from '../../cli/show/archive-name.js'
import { describeEffect, problemsAt, showRestore } from '../../cli/show/change.js'
import { missingText, shortId } from '../../cli/show/confidence.js'
import { showItemKey } from '../../cli/show/item-key.js'
import { nameState, showInstant } from '../../cli/show/state.js'
import { fingerprintOf } from '../../queries/answers/canonical-answer.js'
import { type AnsweredHistory, readHistory } from '../../queries/answers/read-history.js'
import { differencesOf } from '../../queries/difference.js'
import { textTable } from '../../queries/engines/text-table.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { archiveBegan, historyBetween, stateAt } from '../../queries/verdict/state-at.js'
import type { Step } from '../../queries/verdict/step.js'
import { restoredBy } from '../../restore/restored-by.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { Actor, actorKind } from '../actors.js'
import { AddressError, linkTo, momentIn, periodIn, shellWord } from '../address.js'
import { ChangeBody, changedNames, DifferenceTable, itemOfImage, StateTable } from '../items.js'
import { here, ListTable } from '../layout.js'
import type { PageAsking, Screen } from '../screen.js'
import { judgedItem } from '../sureness.js'
import { itemIn, itemLink, tableIn } from '../tables.js'
import { Time } from '../times.js'

const A_PAGE = 50

/** One item: its changes, what it was at a moment, or what differs between two. */
export async function itemScreen(asking: PageAsking): Promise<Screen> {
  const table = tableIn(asking, asking.path[1])
  const itemKey = await itemIn(asking, table, asking.path[3] ?? '')
  const history = await asking.once(`history ${table.table} ${itemKey}`, () =>
    readHistory(asking.archive.engine, table, itemKey),
  )
  const name = showItemKey(itemKey)
  if (history.changes.length === 0)
    throw new AddressError(
      `${table.table} ${name} was never seen: the archive has no change of it`,
      404,
      'an item that has not changed since the archive began is not in it',
    )
  const [first, second] = [momentIn(asking.search, 'between'), momentIn(asking.search, 'and')]
  if (first !== null && second !== null)
    return compareScreen(asking, table, history, Math.min(first, second), Math.max(first, second))
  const at = momentIn(asking.search, 'at')
  const all = changesIn(history)
  const listed = all.filter(({ change }) => isListed(change, asking)).reverse()
  const shown = asking.waits ? listed : pageOf(listed, asking)
  const then = at === null ? undefined : await stateOf(asking, table, history, at)
  const marked = then === undefined ? asking.search.row : then.last?.event_id
  const selected = shown.find(({ change }) => change.event_id === marked) ?? (at === null ? shown[0] : undefined)
  const { answer } = history
  return {
    question:
      at === null
        ? `What happened to ${table.table} ${name}, newest first?`
        : `What was ${table.table} ${name} at ${asking.clock.text(at)}?`,
    trail: trailOf(table, itemKey),
    command:
      at === null
        ? `itemtrail history ${shellWord(table.table)} ${shellWord(name)}${archiveFlag(asking.root)}`
        : `itemtrail as-of ${shellWord(table.table)} ${shellWord(name)} ${formatInstant(at, 6)}${archiveFlag(asking.root)}`,
    sureness: judgedItem(then === undefined ? history : then.until),
    counts: `${shown.length} of ${all.length.toLocaleString('en')} changes shown; ${history.changes.reduce((sum, { repeats }) => sum + repeats, 0)} repeated deliveries left out`,
    receipt: {
      sha256: fingerprintOf(answer.table).sha256,
      link: linkTo(['receipt', 'item-history'], { table: table.table, item_key: name }),
    },
    data: {
      table: table.table,
      item_key: JSON.parse(itemKey) as object,
      confidence: history.confidence,
      changes: shown.map(({ change, step }) => describe(change, step)),
    },
    rows: answer.table,
    body: asking.waits ? null : (
      <>
        <Moments history={history} asking={asking} />
        <ItemFilter asking={asking} counts={linkTo(['t', table.table, 'changes'], { key: name })} />
        <div class="pair">
          <Changes
            shown={shown}
            selected={selected?.change}
            history={history}
            asking={asking}
            table={table}
            total={listed.length}
          />
          <section class="beside" aria-label="what it was, or what changed">
            {at === null ? null : await Past({ asking, table, history, at })}
            {at !== null || selected === undefined ? null : (
              <Selected selected={selected} history={history} asking={asking} table={table} />
            )}
          </section>
        </div>
      </>
    ),
  }
}

interface Placed {
  readonly change: HistoryChange
  readonly step: Step<HistoryChange>
}

function changesIn({ steps }: AnsweredHistory): readonly Placed[] {
  return steps.flatMap(step => step.changes.map(change => ({ change, step })))
}

function isListed(change: HistoryChange, { search }: PageAsking): boolean {
  const { fromUs, toUs } = periodIn(search)
  const { attr, actor } = search
  return (
    (fromUs === null || change.event_time_us >= fromUs) &&
    (toUs === null || change.event_time_us < toUs) &&
    (attr === undefined || change.changed?.includes(attr) === true) &&
    (actor === undefined || change.actor === actor)
  )
}

function pageOf(listed: readonly Placed[], { search }: PageAsking): readonly Placed[] {
  const start = search.after === undefined ? 0 : listed.findIndex(({ change }) => change.event_id === search.after) + 1
  return listed.slice(start, start + A_PAGE)
}

function trailOf(table: TableConfiguration, itemKey: string): Screen['trail'] {
  return [
    [table.table, linkTo(['t', table.table])],
    [showItemKey(itemKey), itemLink(table.table, itemKey)],
  ]
}

async function stateOf(asking: PageAsking, table: TableConfiguration, history: AnsweredHistory, us: number) {
  return stateAt(
    history,
    { us },
    await asking.once(`began ${table.table}`, () => archiveBegan(asking.archive.engine, table)),
  )
}

interface InItem {
  readonly asking: PageAsking
  readonly table: TableConfiguration
  readonly history: AnsweredHistory
}

/** Chooses a moment on the item's time, or two to compare. */
function Moments({ history, asking }: Pick<InItem, 'history' | 'asking'>) {
  const times = history.changes.map(({ event_time_us: us }) => us)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const [from, to] = [shortest(first), shortest(last)]
  const at = asking.search.at ?? to
  return (
    <div class="noprint forms">
      <form method="get" action={linkTo(asking.path)}>
        <label>
          at a moment
          <input name="at" value={at} size={20} autocomplete="off" spellcheck={false} />
        </label>
        <label class="script">
          over time
          <input
            type="range"
            data-slider="at"
            min="0"
            max={times.length - 1}
            value={times.length - 1}
            data-times={JSON.stringify(sparse(times).map(shortest))}
          />
        </label>
        <button type="submit">show what it was</button>
      </form>
      <form method="get" action={linkTo(asking.path)}>
        <label>
          between
          <input name="between" value={from} size={20} autocomplete="off" spellcheck={false} />
        </label>
        <label>
          and
          <input name="and" value={to} size={20} autocomplete="off" spellcheck={false} />
        </label>
        <button type="submit">compare</button>
      </form>
    </div>
  )
}

/** An instant with as many digits as it needs. */
function shortest(us: number): string {
  return formatInstant(us, us % 1_000_000 === 0 ? 0 : 6)
}

const MOST_MARKS = 500

/** A slider has marks enough with some hundred. */
function sparse(times: readonly number[]): readonly number[] {
  const sorted = [...times].sort((a, b) => a - b)
  const every = Math.ceil(sorted.length / MOST_MARKS)
  return sorted.filter((_, i) => i % every === 0 || i === sorted.length - 1)
}

function ItemFilter({ asking, counts }: { readonly asking: PageAsking; readonly counts: string }) {
  const { search } = asking
  return (
    <form method="get" action={linkTo(asking.path)} class="noprint" id="narrow">
      {(['from', 'to', 'attr', 'actor'] as const).map(name => (
        <label>
          {name === 'attr' ? 'attribute' : name}
          <input name={name} value={search[name] ?? ''} size={14} autocomplete="off" spellcheck={false} />
        </label>
      ))}
      <button type="submit">narrow</button>
      <a href={counts}>its changes with counts</a>
      <a href={here(asking, { raw: asking.raw ? undefined : 'yes' })} data-raw="">
        {asking.raw ? 'plain' : 'raw DynamoDB JSON'}
      </a>
    </form>
  )
}

interface ChangesOf extends InItem {
  readonly shown: readonly Placed[]
  readonly selected: HistoryChange | undefined
  readonly total: number
}

function Changes({ shown, selected, history, asking, table, total }: ChangesOf) {
  const gaps = new Map(
    history.findings.filter(({ finding }) => finding === 'GAP').map(found => [found.eventId, missingText(found)]),
  )
  const last = shown.at(-1)
  return (
    <div>
      <ListTable
        caption={`${shown.length} of ${total.toLocaleString('en')} changes, newest first`}
        columns={[['time'], ['change'], ['who'], ['what changed'], ['id']]}
      >
        {shown.map(({ change }) => (
          <>
            <tr
              data-row={here(asking, { row: change.event_id, at: undefined })}
              data-open={linkTo(['t', table.table, 'e', change.event_id])}
              data-pick={`${table.table} ${history.itemKey} ${formatInstant(change.event_time_us, 6)}`}
              {...(change === selected && { 'aria-current': 'true' })}
            >
              <td>
                <Time us={change.event_time_us} precision={change.time_precision} clock={asking.clock} />
              </td>
              <td>{change.event_name}</td>
              <td class="any who">
                <Actor change={change} />
              </td>
              <td class="any">{changedNames(change.changed)}</td>
              <td>
                <a href={here(asking, { row: change.event_id, at: undefined })}>
                  <code>{shortId(change.event_id)}</code>
                </a>
              </td>
            </tr>
            {gaps.has(change.event_id) ? (
              <tr class="gap">
                <td colspan={5}>✗ GAP: {gaps.get(change.event_id)}</td>
              </tr>
            ) : null}
          </>
        ))}
      </ListTable>
      <nav class="pages noprint" aria-label="pages">
        {asking.search.after === undefined ? null : (
          <a href={here(asking, { after: undefined, row: undefined })}>newest</a>
        )}
        {last === undefined || shown.length < A_PAGE ? null : (
          <a rel="next" href={here(asking, { after: last.change.event_id, row: undefined })}>
            next {A_PAGE}
          </a>
        )}
      </nav>
    </div>
  )
}

function Selected({ selected: { change, step }, history, asking, table }: InItem & { readonly selected: Placed }) {
  const restored = restoredBy(history).get(change.event_id)
  return (
    <>
      <h2>
        <a href={linkTo(['t', table.table, 'e', change.event_id])}>
          {change.event_name} at {asking.clock.text(change.event_time_us, change.time_precision)}
        </a>
      </h2>
      {restored === undefined ? null : <p class="note">↺ {showRestore(restored)}</p>}
      {problemsAt(change, step, history).map(text => (
        <p class="note bad">{text}</p>
      ))}
      <ChangeBody change={change} show={{ raw: asking.raw }} />
    </>
  )
}

/** What the item was at a moment: a banner says that this is the past. */
async function Past({ asking, table, history, at }: InItem & { readonly at: number }) {
  const found = await stateOf(asking, table, history, at)
  const { state, last, next } = found
  const lead =
    last === undefined ? null : (
      <a href={linkTo(['t', table.table, 'e', last.event_id])}>
        {last.event_name} {showInstant({ us: last.event_time_us })}
      </a>
    )
  return (
    <>
      <p class="past">
        this is the past: {asking.clock.text(at)}
        {lead === null ? '' : ', after '}
        {lead}
        {next === undefined
          ? '; nothing changed since'
          : `; until ${next.event_name} ${showInstant({ us: next.event_time_us })}`}
      </p>
      {state.kind === 'present' ? (
        <StateTable item={itemOfImage(state.image) ?? {}} caption="the item then" show={{ raw: asking.raw }} />
      ) : (
        <p class="note">{nameState(state)}</p>
      )}
    </>
  )
}

async function compareScreen(
  asking: PageAsking,
  table: TableConfiguration,
  history: AnsweredHistory,
  fromUs: number,
  toUs: number,
): Promise<Screen> {
  const [before, after] = [await stateOf(asking, table, history, fromUs), await stateOf(asking, table, history, toUs)]
  const itemOf = ({ state }: typeof before) => (state.kind === 'present' ? itemOfImage(state.image) : null)
  const isKnown = before.state.kind !== 'unknown' && after.state.kind !== 'unknown'
  const differences = isKnown ? differencesOf(itemOf(before), itemOf(after)) : undefined
  const name = showItemKey(history.itemKey)
  const [from, to] = [formatInstant(fromUs, 6), formatInstant(toUs, 6)]
  const side = (title: string, found: typeof before) => {
    const item = itemOf(found)
    return (
      <section aria-label={title}>
        <h2>{title}</h2>
        {item === null ? (
          <p class="note">{nameState(found.state)}</p>
        ) : (
          <StateTable item={item} caption={`the item at ${title}`} show={{ raw: asking.raw }} />
        )}
      </section>
    )
  }
  return {
    question: `What differs in ${table.table} ${name} between ${asking.clock.text(fromUs)} and ${asking.clock.text(toUs)}?`,
    trail: trailOf(table, history.itemKey),
    command: `itemtrail diff ${shellWord(table.table)} ${shellWord(name)} --from ${from} --to ${to}${archiveFlag(asking.root)}`,
    sureness: judgedItem(historyBetween(history, [fromUs, before], [toUs, after])),
    counts: differences === undefined ? 'one of the two states is not known' : `${differences.length} differences`,
    data: {
      table: table.table,
      item_key: JSON.parse(history.itemKey) as object,
      from,
      to,
      from_state: nameState(before.state),
      to_state: nameState(after.state),
      differences: differences ?? null,
    },
    rows: textTable(
      ['kind', 'path', 'before', 'after'],
      (differences ?? []).map(({ kind, path, before: old, after: now }) => [
        kind,
        JSON.stringify(path),
        json(old),
        json(now),
      ]),
    ),
    body: (
      <>
        {differences === undefined ? (
          <p class="note">one of the two states is not known, so nothing can be compared</p>
        ) : (
          <DifferenceTable differences={differences} caption="what differs" />
        )}
        {asking.search.w === 'changed' ? (
          <a class="noprint" href={here(asking, { w: undefined })} data-w="">
            both states, too
          </a>
        ) : (
          <>
            <a class="noprint" href={here(asking, { w: 'changed' })} data-w="">
              only what changed
            </a>
            <div class="work">
              <div class="sides">
                {side(asking.clock.text(fromUs), before)}
                {side(asking.clock.text(toUs), after)}
              </div>
            </div>
          </>
        )}
      </>
    ),
  }
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

/** A change as the command line's JSON has it. */
export function describe(change: HistoryChange, step: Step<HistoryChange>): object {
  return {
    event_id: change.event_id,
    event_name: change.event_name,
    event_time: formatInstant(change.event_time_us, 6),
    time_precision: change.time_precision,
    actor: change.actor,
    actor_source: change.actor_source,
    actor_kind: actorKind(change),
    last_writer: change.last_writer,
    ...describeEffect(change, step),
  }
}
