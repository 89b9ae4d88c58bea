import {
  type ChangeFacets,
  countFacets,
  countRepeats,
  type ListedChange,
  type ListPlace,
  listChanges,
} from '../../queries/list-changes.js'
import { formatInstant } from '../../transform/instant.js'
import { AddressError, linkTo, sqlCommand } from '../address.js'
import { Applied } from '../applied.js'
import { here, Later } from '../layout.js'
import { CompareButton, NotListed } from '../picks.js'
import { receiptOfList, receiptOfStatement } from '../receipts.js'
import type { PageAsking, Screen } from '../screen.js'
import { soon, surenessOf } from '../sureness.js'
import { lastChange, tableIn } from '../tables.js'
import { ChangeFacetLinks, QuickFacets } from './change-facets.js'
import { appliedIn, describeFilter, FilterForm, filterIn, narrowed, questionOf, statementOf } from './change-filter.js'
import { Beside, ChangeList, described, fileTableOf } from './change-list.js'

const A_PAGE = 50
/** Rows of a file, which is not read by the page. */
const A_FILE = 100_000

/** The changes of a table, what they can be narrowed by, and what the selected one did. */
export async function changesScreen(asking: PageAsking): Promise<Screen> {
  const { archive, search } = asking
  const table = tableIn(asking, asking.path[1])
  const filter = await filterIn(asking, table)
  const key = JSON.stringify([table.table, filter])
  const after = placeIn(search.after)
  const limit = asking.waits ? A_FILE : A_PAGE
  const listed = await asking.once(`list ${key} ${search.after} ${limit}`, () =>
    listChanges(archive.engine, table, filter, { after, limit: limit + 1 }),
  )
  const shown = listed.slice(0, limit)
  const next = listed.length > limit ? shown.at(-1) : undefined
  const selected = search.row === undefined ? shown[0] : shown.find(({ eventId }) => eventId === search.row)
  const beside = selected === undefined || asking.waits ? null : await Beside({ table, selected, asking })
  await lastChange(asking)
  // what is listed was found in a few days; what takes all of them comes last, one after the other
  const counting = asking.once(`counts ${key}`, async () => ({
    facets: await countFacets(archive.engine, table, filter),
    repeats: await countRepeats(archive.engine, table),
  }))
  const { facets, repeats } = (await soon(asking, table.table, counting)) ?? {}
  const period = Object.fromEntries(
    (['from', 'to'] as const).flatMap(name =>
      filter[`${name}Us`] === null ? [] : [[name, formatInstant(filter[`${name}Us`] as number, 6)]],
    ),
  )
  return {
    question: questionOf(table.table, filter, asking),
    trail: [
      [table.table, linkTo(['t', table.table])],
      ['changes', linkTo(['t', table.table, 'changes'])],
    ],
    command: sqlCommand(statementOf(table, filter), asking.flags),
    sureness: await surenessOf(asking, table.table, period, { after: counting }),
    counts: countsOf(shown.length, facets, repeats),
    isCounting: facets === undefined,
    receipt: await receiptOfList(asking, table, statementOf(table, filter), facets?.changes, receiptLink(asking)),
    isCut: asking.waits && next !== undefined,
    remarks: narrowed(filter)
      ? ['the verdict is about all changes of the period, not only about those that the filters leave']
      : [],
    data: {
      ...describeFilter(filter),
      found: facets?.changes ?? null,
      repeats: repeats ?? null,
      facets: facets ?? null,
      next: next === undefined ? null : placeOf(next),
      changes: shown.map(described),
    },
    rows: fileTableOf(shown),
    body: asking.waits ? null : (
      <>
        <Applied of={appliedIn(filter, asking)} asking={asking} />
        <Later name="facets" asking={asking}>
          {facets === undefined ? undefined : <QuickFacets facets={facets} asking={asking} />}
        </Later>
        <details id="narrow" class="noprint">
          <summary>narrow by period, item, attribute, actor, day or hour</summary>
          <FilterForm asking={asking} />
          <Later name="all-facets" asking={asking}>
            {facets === undefined ? undefined : <ChangeFacetLinks facets={facets} asking={asking} />}
          </Later>
        </details>
        <CompareButton />
        <div class="pair">
          <div>
            <ChangeList table={table} shown={shown} selected={selected} found={facets?.changes} asking={asking} />
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
            {beside}
            {search.row === undefined || selected !== undefined ? null : (
              <NotListed table={table.table} row={search.row} />
            )}
          </section>
        </div>
      </>
    ),
  }
}

function countsOf(shown: number, facets: ChangeFacets | undefined, repeats = 0): string {
  const count = (n: number) => n.toLocaleString('en')
  if (facets === undefined) return `${count(shown)} changes shown; of how many, is being counted`
  const left = `${count(repeats)} repeated ${repeats === 1 ? 'delivery' : 'deliveries'} in the table left out`
  return `${count(shown)} of ${count(facets.changes)} changes shown; ${left}`
}

/** The receipt of all changes that the filter leaves. */
export async function receiptOfChanges(asking: PageAsking): Promise<object> {
  const table = tableIn(asking, asking.path[1])
  const sql = statementOf(table, await filterIn(asking, table))
  return receiptOfStatement(asking, sql, sqlCommand(sql, asking.flags))
}

function receiptLink({ path, search }: PageAsking): string {
  return linkTo([...path, 'receipt'], { ...search, after: undefined, row: undefined, raw: undefined, tz: undefined })
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
