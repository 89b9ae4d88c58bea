import { problemsAt, showRestore } from '../../cli/show/change.js'
import { missingText, shortId } from '../../cli/show/confidence.js'
import { describeState, nameState } from '../../cli/show/state.js'
import type { HistoryChange } from '../../queries/verdict/item-change.js'
import { restoredBy } from '../../restore/restored-by.js'
import { endsOf } from '../../transform/ends.js'
import { formatInstant } from '../../transform/instant.js'
import { Actor } from '../actors.js'
import { linkTo, momentIn } from '../address.js'
import { ChangeBody, changedNames, itemOfImage, StateTable } from '../items.js'
import { here, ListTable } from '../layout.js'
import { PickButton, Ways } from '../picks.js'
import { Time } from '../times.js'
import { type InItem, type Placed, stateOf } from './item-history.js'

/** Changes of an item that are shown at once. */
export const A_PAGE = 50

/** Chooses a moment on the item's time, or two to compare. */
export function Moments({ history, asking }: Pick<InItem, 'history' | 'asking'>) {
  const times = history.changes.map(({ event_time_us: us }) => us)
  const [first, last] = endsOf(times)
  const [from, to] = [shortest(first), shortest(last)]
  const at = asking.search.at ?? to
  const marks = sparse(times)
  const found = marks.findLastIndex(us => us <= (momentIn(asking.search, 'at') ?? last))
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
            max={marks.length - 1}
            value={Math.max(0, found)}
            data-times={JSON.stringify(marks.map(shortest))}
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

interface ChangesOf extends InItem {
  readonly shown: readonly Placed[]
  readonly selected: HistoryChange | undefined
  readonly total: number
}

/** The changes of an item, a row each, a gap between the two that it lies between. */
export function Changes({ shown, selected, history, asking, table, total }: ChangesOf) {
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
        {shown.map(({ change, step }) => (
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
              <td class="any">
                {changedNames(change.changed)}
                {problemsAt(change, step, history)
                  .filter(text => !text.startsWith('GAP'))
                  .map(text => (
                    <small class="bad"> ⚠ {text}</small>
                  ))}
              </td>
              <td class="t">
                <a href={here(asking, { row: change.event_id, at: undefined })}>
                  <code>{shortId(change.event_id)}</code>
                </a>
                <PickButton what={`${change.event_name} at ${asking.clock.text(change.event_time_us)}`} />
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

/** What the selected change did. */
export function Selected({
  selected: { change, step },
  history,
  asking,
  table,
}: InItem & { readonly selected: Placed }) {
  const restored = restoredBy(history).get(change.event_id)
  return (
    <>
      <h2>
        <a href={linkTo(['t', table.table, 'e', change.event_id])}>
          {change.event_name} at {asking.clock.text(change.event_time_us, change.time_precision)}
        </a>
      </h2>
      <Ways asking={asking} />
      {restored === undefined ? null : <p class="note">↺ {showRestore(restored)}</p>}
      {problemsAt(change, step, history).map(text => (
        <p class="note bad">{text}</p>
      ))}
      <ChangeBody change={change} show={{ raw: asking.raw, whole: asking.search.w === 'all' }} />
    </>
  )
}

/** What the item was at a moment, in the words of `as-of`: a banner says that this is the past. */
export async function Past({ asking, table, history, at }: InItem & { readonly at: number }) {
  const found = await stateOf(asking, table, history, at)
  const { state, last } = found
  return (
    <>
      <p class="past">
        <strong>this is the past: {asking.clock.text(at)}</strong>
      </p>
      <p>
        {describeState(found, { us: at })}
        {last === undefined ? null : (
          <>
            {'; '}
            <a href={linkTo(['t', table.table, 'e', last.event_id])}>the change that led here</a>
          </>
        )}
      </p>
      <Ways asking={asking} isRawOnly />
      {state.kind === 'present' ? (
        <StateTable item={itemOfImage(state.image) ?? {}} caption="the item then" show={{ raw: asking.raw }} />
      ) : (
        <p class="note">{nameState(state)}</p>
      )}
    </>
  )
}
