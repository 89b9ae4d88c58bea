import { showItemKey } from '../../cli/show/item-key.js'
import { describeState, nameState, remarksOn } from '../../cli/show/state.js'
import type { AnsweredHistory } from '../../queries/answers/read-history.js'
import { differencesOf } from '../../queries/difference.js'
import { textTable } from '../../queries/engines/text-table.js'
import { historyBetween } from '../../queries/verdict/state-at.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { shellWord } from '../address.js'
import { DifferenceTable, itemOfImage, StateTable } from '../items.js'
import { here } from '../layout.js'
import { FactList } from '../paper/parts.js'
import { Ways } from '../picks.js'
import { receiptOfItem } from '../receipts.js'
import type { PageAsking, Screen } from '../screen.js'
import { judgedItem } from '../sureness.js'
import { stateOf, trailOf } from './item-history.js'

/** What differs in an item between two moments, and the item at each. */
export async function compareScreen(
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
  const differs = new Set(
    (differences ?? []).map(({ path: [first] }) => (first !== undefined && 'name' in first ? first.name : '')),
  )
  const name = showItemKey(history.itemKey)
  const [from, to] = [formatInstant(fromUs, 6), formatInstant(toUs, 6)]
  const led = (us: number, found: typeof before) =>
    [describeState(found, { us }), ...remarksOn(history, found, { us })].join('; ')
  const side = (title: string, found: typeof before) => {
    const item = itemOf(found)
    return (
      <section aria-label={title}>
        {item === null ? (
          <>
            <p class="dim">{title}</p>
            <p class="note">{nameState(found.state)}</p>
          </>
        ) : (
          <StateTable item={item} caption={title} show={{ raw: asking.raw, differs }} />
        )}
      </section>
    )
  }
  return {
    question: `What differs in ${table.table} ${name} between ${asking.clock.text(fromUs)} and ${asking.clock.text(toUs)}?`,
    trail: trailOf(table, history.itemKey),
    command: `itemtrail diff ${shellWord(table.table)} ${shellWord(name)} --from ${from} --to ${to}${asking.flags}`,
    sureness: judgedItem(historyBetween(history, [fromUs, before], [toUs, after]), table.table, asking.root),
    receipt: await receiptOfItem(asking, table, history, toUs),
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
        <FactList
          of={{ [asking.clock.text(fromUs)]: led(fromUs, before), [asking.clock.text(toUs)]: led(toUs, after) }}
          rows
        />
        {differences === undefined ? (
          <p class="note">one of the two states is not known, so nothing can be compared</p>
        ) : (
          <DifferenceTable differences={differences} caption="what differs" />
        )}
        {asking.search.w === 'changed' ? (
          <p class="quick noprint">
            <a href={here(asking, { w: undefined })} data-w="">
              both states, too
            </a>
          </p>
        ) : (
          <>
            <p class="quick noprint">
              <a href={here(asking, { w: 'changed' })} data-w="">
                only what changed
              </a>
            </p>
            <Ways asking={asking} isRawOnly />
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
