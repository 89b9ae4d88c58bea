import { showValue } from '../../cli/show/item.js'
import { showItemKey } from '../../cli/show/item-key.js'
import { CONTRADICTING } from '../../cli/show/state.js'
import type { TableItem } from '../../library/archive-answers.js'
import { textTable } from '../../queries/engines/text-table.js'
import { MOMENT_FORMS, parseMoment } from '../../queries/moment.js'
import { isDoubtful } from '../../queries/verdict/findings.js'
import { type AttributeValue, canonicalImage, type Item } from '../../transform/attribute-value.js'
import { formatInstant, readableInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { AddressError, linkTo, shellWord, startIn } from '../address.js'
import { Applied } from '../applied.js'
import { here, ListTable } from '../layout.js'
import { Chip } from '../paper/parts.js'
import { receiptOfTableAsOf } from '../receipts.js'
import type { PageAsking, Screen, Sureness } from '../screen.js'
import { seenItems } from '../sealed.js'
import { surenessOf } from '../sureness.js'
import { beganOf, itemLink, tableIn } from '../tables.js'

const A_PAGE = 50
const OURS = new Set(['tz', 'raw', 'after', 'w', 'ask'])

/** True for a name in an address that is no attribute to look for. */
export function isOurs(name: string): boolean {
  return OURS.has(name)
}

/** What a table held at a moment, doubtful items first. */
export async function asOfScreen(asking: PageAsking): Promise<Screen> {
  const table = tableIn(asking, asking.path[1])
  const us = parseMoment(asking.path[3] ?? '', asking.now.getTime() * 1000)?.us
  if (us === undefined)
    throw new AddressError(
      `instant ${JSON.stringify(asking.path[3])} is none, expected ISO 8601 with a zone such as 2026-11-19T12:00:00Z, ${MOMENT_FORMS}`,
    )
  const at = formatInstant(us, 6)
  const filters = Object.entries(asking.search).filter(([name]) => !isOurs(name)) as [string, string][]
  const { doubtful, certain, total } = await asking.once(`as of ${table.table} ${at} ${JSON.stringify(filters)}`, () =>
    itemsOf(asking, table, at, filters),
  )
  const found = [...doubtful, ...certain]
  const start = startIn(asking.search)
  const stored = asking.waits ? found : found.slice(start, start + A_PAGE)
  const shown = await seenItems(asking, table, stored)
  const { table: name } = table
  const sureness = await surenessOf(asking, name, { at }, { query: 'table-as-of' })
  return {
    question: `What did ${name} hold at ${asking.clock.text(us)}${filters.map(([attribute, value]) => `, ${attribute} being ${value}`).join('')}?`,
    trail: [
      [name, linkTo(['t', name])],
      ['as of', linkTo(['t', name, 'as-of', asking.path[3] as string])],
    ],
    command: `itemtrail as-of ${shellWord(name)} ${at}${asking.flags}`,
    sureness,
    receipt: await receiptOfTableAsOf(asking, table, at, total),
    remarks:
      filters.length === 0
        ? []
        : [`the command, the receipt and how sure this is are of all ${count(total)} items, not of the filtered ones`],
    counts: `${shown.length} of ${count(found.length)} items shown, of ${count(total)} in the table then; ${count(doubtful.length)} doubtful`,
    data: { table: name, at, items: shown.map(described) },
    whyNoFile: await whyNoFile(asking, table, us),
    rows: textTable(
      ['item_key', 'state', 'confidence', 'item'],
      shown.map(({ key, state, confidence, item }) => [
        canonicalImage(key),
        state,
        confidence,
        item === null ? null : canonicalImage(item),
      ]),
    ),
    body: asking.waits ? null : (
      <>
        <p class="past">
          <strong>this is the past: {asking.clock.text(us)}</strong>
        </p>
        <Applied of={filters} asking={asking} />
        <Narrow table={name} filter={filters[0]} asking={asking} />
        <List shown={shown} at={at} table={table} found={found.length} sureness={sureness} />
        <nav class="pages noprint" aria-label="pages">
          {start === 0 ? null : <a href={here(asking, { after: undefined })}>first</a>}
          {start + A_PAGE >= found.length ? null : (
            <a rel="next" href={here(asking, { after: String(start + A_PAGE) })}>
              next {A_PAGE}
            </a>
          )}
        </nav>
      </>
    ),
  }
}

type Filter = readonly [attribute: string, value: string]

/** Another moment, or other items of it. */
function Narrow({
  table,
  filter: [attribute, value] = ['', ''],
  asking,
}: {
  readonly table: string
  readonly filter: Filter | undefined
  readonly asking: PageAsking
}) {
  const fields = [
    ['at', 'at', asking.path[3] ?? '', 28],
    ['attribute', 'items whose attribute', attribute, 14],
    ['value', 'is', value, 14],
  ] as const
  return (
    <form method="get" action="/go" class="noprint" id="narrow">
      <input type="hidden" name="table" value={table} />
      {fields.map(([name, label, text, size]) => (
        <label>
          {label}
          <input name={name} value={text} size={size} autocomplete="off" spellcheck={false} />
        </label>
      ))}
      <button type="submit">show</button>
    </form>
  )
}

/** A file of what a table held before anything is known of it would be empty, as one of an empty table is. */
async function whyNoFile(asking: PageAsking, table: TableConfiguration, us: number) {
  const beganUs = asking.waits ? await beganOf(asking, table) : us
  if (us >= beganUs) return undefined
  return `the archive begins later, at ${readableInstant(beganUs)}: what the table held before is not known`
}

/** Items of a page's answer that are kept; a larger table is asked by the command line. */
const MOST_ITEMS = 200_000

async function itemsOf(
  { archive }: PageAsking,
  table: TableConfiguration,
  at: string,
  filters: readonly (readonly [string, string])[],
) {
  const doubtful: TableItem[] = []
  const certain: TableItem[] = []
  let total = 0
  for await (const one of archive.tableAsOf(table.table, at)) {
    total++
    if (total > MOST_ITEMS)
      throw new AddressError(
        `table ${table.table} held more than ${MOST_ITEMS} items then, which are too many for a page`,
        400,
        `itemtrail as-of ${table.table} ${at} --format ndjson has them all`,
      )
    if (!filters.every(([name, value]) => isOf(one, name, value))) continue
    if (isDoubtful(one.confidence) || one.unresolved || one.state === 'unknown') doubtful.push(one)
    else certain.push(one)
  }
  return { doubtful, certain, total }
}

/** A text is compared as it is, another value as it is shown. What an unknown item was cannot be told, so it stays. */
function isOf({ item }: TableItem, name: string, value: string): boolean {
  if (item === null) return true
  const found = item[name]
  return found !== undefined && ('S' in found ? found.S === value : showValue(found) === value)
}

function List({
  shown,
  at,
  table,
  found,
  sureness,
}: {
  readonly shown: readonly TableItem[]
  readonly at: string
  readonly table: TableConfiguration
  readonly found: number
  readonly sureness: Sureness
}) {
  const ofAll = sureness.kind === 'judged' ? sureness.word : undefined
  const firsts = table.columns.map(({ path: [name] }) => String(name))
  return (
    <ListTable
      caption={`${shown.length} of ${count(found)} items, doubtful ones first`}
      columns={[['item'], ['how sure'], ['what it was']]}
    >
      {shown.map(({ key, confidence, state, item, unresolved }) => {
        const itemKey = canonicalImage(key)
        const link = itemLink(table.table, itemKey, { at })
        return (
          <tr data-row={link} data-open={link}>
            <th scope="row" class="any">
              <a href={link}>{showItemKey(itemKey)}</a>
            </th>
            <td data-label="how sure">
              {confidence === ofAll ? <span class="dim">{confidence}</span> : <Chip word={confidence} />}
            </td>
            <td class="any">
              {item === null ? <span class="dim">{state}</span> : shortly(item, key, firsts)}
              {unresolved ? <small class="bad"> ⚠ {CONTRADICTING}</small> : null}
            </td>
          </tr>
        )
      })}
    </ListTable>
  )
}

const MOST_CHARACTERS = 160

/** What an item was in a line: configured columns first, for somebody chose them; its key stands before the line. */
function shortly(item: Item, key: Item, firsts: readonly string[]): string {
  const names = [...new Set([...firsts, ...Object.keys(item)])].filter(name => !Object.hasOwn(key, name))
  const text = names
    .flatMap(name => (Object.hasOwn(item, name) ? [[name, item[name] as AttributeValue] as const] : []))
    .map(
      ([name, value]) =>
        `${name}: ${'S' in value ? value.S.slice(0, MOST_CHARACTERS) : showValue(value).slice(0, MOST_CHARACTERS)}`,
    )
    .join(', ')
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

function count(n: number): string {
  return n.toLocaleString('en')
}

function described({ key, state, item, confidence, imageHash, unresolved }: TableItem): object {
  return { item_key: key, state, confidence, item, image_hash: imageHash, unresolved }
}
