import { describeConfidence } from '../../cli/show/confidence.js'
import { showItemKey } from '../../cli/show/item-key.js'
import { describeState, nameState, remarksOn } from '../../cli/show/state.js'
import { type ChangeTest, changedAt, madeBy, narrowTable } from '../../queries/answers/narrow-history.js'
import { type AnsweredHistory, readHistory } from '../../queries/answers/read-history.js'
import { textTable } from '../../queries/engines/text-table.js'
import { similarItemKeys } from '../../queries/known-keys.js'
import type { StateAt } from '../../queries/verdict/state-at.js'
import { canonicalImage } from '../../transform/attribute-value.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { AddressError, linkTo, momentIn, periodIn, shellWord } from '../address.js'
import { itemOfImage } from '../items.js'
import { CompareButton, NotListed } from '../picks.js'
import { receiptOfItem } from '../receipts.js'
import type { PageAsking, Screen } from '../screen.js'
import { seenHistory } from '../sealed.js'
import { judgedItem } from '../sureness.js'
import { itemIn, tableIn } from '../tables.js'
import { compareScreen } from './compare.js'
import { changesIn, describe, type Placed, stateOf, trailOf } from './item-history.js'
import { A_PAGE, Changes, Moments, Past, Selected } from './item-parts.js'

/** One item: its changes, what it was at a moment, or what differs between two. */
export async function itemScreen(asking: PageAsking): Promise<Screen> {
  const table = tableIn(asking, asking.path[1])
  const itemKey = await itemIn(asking, table, asking.path[3] ?? '')
  const stored = await asking.once(`history ${table.table} ${itemKey}`, () =>
    readHistory(asking.archive.engine, table, itemKey),
  )
  const history = await seenHistory(asking, table, stored)
  const name = showItemKey(itemKey)
  if (history.changes.length === 0) throw await neverSeen(asking, table, history)
  const [first, second] = [momentIn(asking.search, 'between'), momentIn(asking.search, 'and')]
  if (first !== null && second !== null)
    return compareScreen(asking, table, history, Math.min(first, second), Math.max(first, second))
  const at = momentIn(asking.search, 'at')
  const all = changesIn(history)
  const { tests, words, flags } = narrowingIn(asking)
  const listed = all.filter(({ change }) => tests.every(test => test(change))).reverse()
  const shown = asking.waits ? listed : pageOf(listed, asking)
  const then = at === null ? undefined : await stateOf(asking, table, history, at)
  const marked = then === undefined ? asking.search.row : then.last?.event_id
  const selected =
    marked === undefined && at === null ? shown[0] : shown.find(({ change }) => change.event_id === marked)
  const { answer } = history
  return {
    question:
      at === null
        ? `What happened to ${table.table} ${name}${words.map(word => `, ${word}`).join('')}, newest first?`
        : `What was ${table.table} ${name} at ${asking.clock.text(at)}?`,
    trail: trailOf(table, itemKey),
    command:
      at === null
        ? `itemtrail history ${shellWord(table.table)} ${shellWord(name)}${flags}${asking.flags}`
        : `itemtrail as-of ${shellWord(table.table)} ${shellWord(name)} ${formatInstant(at, 6)}${asking.flags}`,
    sureness: judgedItem(then === undefined ? history : then.until, table.table, asking.root),
    remarks: [
      ...(words.length === 0
        ? []
        : [
            `${listed.length} of ${all.length} changes are listed: ${words.join(', ')}; how sure this is and the receipt are of all of them`,
          ]),
      ...(then === undefined ? [] : remarksOn(history, then, { us: at as number })),
    ],
    counts: `${shown.length} of ${all.length.toLocaleString('en')} changes shown; ${history.changes.reduce((sum, { repeats }) => sum + repeats, 0).toLocaleString('en')} repeated deliveries left out`,
    receipt: await receiptOfItem(asking, table, history, at ?? undefined),
    data: {
      table: table.table,
      item_key: JSON.parse(itemKey) as object,
      confidence: (then?.until ?? history).confidence,
      ...(then !== undefined && {
        at: formatInstant(at as number, 6),
        state: nameState(then.state),
        told: describeState(then, { us: at as number }),
        item: then.state.kind === 'present' ? itemOfImage(then.state.image) : null,
      }),
      changes: shown.map(({ change, step }) => describe(change, step)),
    },
    rows:
      then === undefined
        ? narrowTable(answer.table, new Set(listed.map(({ change }) => change)))
        : stateRow(itemKey, at as number, then),
    body: asking.waits ? null : (
      <>
        <Moments history={history} asking={asking} />
        <ItemFilter asking={asking} counts={linkTo(['t', table.table, 'changes'], { key: name })} />
        <CompareButton />
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
            {at !== null || marked === undefined || selected !== undefined ? null : (
              <NotListed table={table.table} row={marked} />
            )}
          </section>
        </div>
      </>
    ),
  }
}

/** How sure it is that there was none, and what may have been meant: a key is mistyped sooner than an item is lost. */
async function neverSeen(
  { archive: { engine }, onAws }: PageAsking,
  table: TableConfiguration,
  history: AnsweredHistory,
): Promise<AddressError> {
  const { itemKey } = history
  // on AWS it would be another scan of all keys, which nobody asked for
  const similar = (onAws ? [] : await similarItemKeys(engine, table, itemKey)).map(showItemKey)
  return new AddressError(
    `${table.table} ${showItemKey(itemKey)} was never seen: the archive has no change of it`,
    404,
    [describeConfidence(history), ...(similar.length === 0 ? [] : [`did you mean ${similar.join(' or ')}?`])].join(
      '; ',
    ),
  )
}

/** What it was at a moment, as a file of items has it. */
function stateRow(itemKey: string, at: number, { state, until }: StateAt) {
  const item = state.kind === 'present' ? itemOfImage(state.image) : null
  return textTable(
    ['item_key', 'as_of', 'state', 'confidence', 'item'],
    [[itemKey, formatInstant(at, 6), nameState(state), until.confidence, item === null ? null : canonicalImage(item)]],
  )
}

/** What of a history is listed, as `itemtrail history` narrows it: in words, and as flags. */
interface NarrowedTo {
  readonly tests: readonly ChangeTest[]
  readonly words: readonly string[]
  readonly flags: string
}

function narrowingIn({ search, clock }: PageAsking): NarrowedTo {
  const { fromUs, toUs } = periodIn(search)
  const { attr, actor } = search
  const parts: { test: ChangeTest; word: string; flag: string }[] = []
  const add = (test: ChangeTest, word: string, name: string, value: string) =>
    parts.push({ test, word, flag: ` --${name} ${shellWord(value)}` })
  if (fromUs !== null)
    add(change => change.event_time_us >= fromUs, `from ${clock.text(fromUs)}`, 'from', formatInstant(fromUs, 6))
  if (toUs !== null)
    add(change => change.event_time_us < toUs, `before ${clock.text(toUs)}`, 'to', formatInstant(toUs, 6))
  if (attr !== undefined) add(changedAt(attr), `changing ${attr}`, 'attribute', attr)
  if (actor !== undefined) add(madeBy(actor), `by ${actor}`, 'actor', actor)
  return {
    tests: parts.map(({ test }) => test),
    words: parts.map(({ word }) => word),
    flags: parts.map(({ flag }) => flag).join(''),
  }
}

function pageOf(listed: readonly Placed[], { search }: PageAsking): readonly Placed[] {
  const { after } = search
  const place = listed.findIndex(({ change }) => change.event_id === after)
  if (after !== undefined && place === -1)
    throw new AddressError(`after is ${JSON.stringify(after)}, expected what a page links to`)
  return listed.slice(place + 1, place + 1 + A_PAGE)
}

function ItemFilter({ asking, counts }: { readonly asking: PageAsking; readonly counts: string }) {
  const { search } = asking
  const names = ['from', 'to', 'attr', 'actor'] as const
  return (
    <details id="narrow" class="noprint" open={names.some(name => search[name] !== undefined)}>
      <summary>narrow by period, attribute or actor</summary>
      <form method="get" action={linkTo(asking.path)}>
        {names.map(name => (
          <label>
            {name === 'attr' ? 'attribute' : name}
            <input name={name} value={search[name] ?? ''} size={14} autocomplete="off" spellcheck={false} />
          </label>
        ))}
        <button type="submit">narrow</button>
        <a href={counts}>its changes with counts</a>
      </form>
    </details>
  )
}
