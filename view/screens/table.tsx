import { archiveFlag } from '../../cli/show/archive-name.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import { textTable } from '../../queries/engines/text-table.js'
import { countDays, countRepeats } from '../../queries/list-changes.js'
import type { TableVerdict } from '../../queries/verdict/table-verdict.js'
import { linkTo, shellWord } from '../address.js'
import { Later, ListTable } from '../layout.js'
import type { PageAsking, Screen, Sureness } from '../screen.js'
import { soon, surenessOf } from '../sureness.js'
import { lastChange, tableIn } from '../tables.js'
import { type Day, dayAfter, Strip } from './strip.js'

/** A table: its days, and what can be asked of it. */
export async function tableScreen(asking: PageAsking): Promise<Screen> {
  const table = tableIn(asking, asking.path[1])
  const { table: name } = table
  const { engine } = asking.archive
  await lastChange(asking)
  const counting = asking.once(`days of ${name}`, async () => ({
    days: await countDays(engine, table),
    repeats: await countRepeats(engine, table),
  }))
  const counted = await soon(asking, name, counting)
  const sureness = await surenessOf(asking, name, {}, { after: counting })
  const doubts = doubtsOf(sureness)
  const days = counted?.days ?? []
  const strip = withEmptyDays(days).map(day => ({ ...day, doubt: day.doubt ?? doubts.get(day.day) }))
  const count = (n: number) => n.toLocaleString('en')
  const changes = days.reduce((sum, day) => sum + day.changes, 0)
  return {
    question: `What happened in ${name}, day by day?`,
    trail: [[name, linkTo(['t', name])]],
    command: `itemtrail query activity-by-day ${shellWord(name)}${archiveFlag(asking.root)}`,
    sureness,
    counts:
      counted === undefined
        ? 'the changes are being counted'
        : `${count(days.length)} days with changes, ${count(changes)} changes; ${count(counted.repeats)} repeats left out`,
    isCounting: counted === undefined,
    data: {
      table: name,
      days: strip.map(({ day, changes, deletes, doubt }) => ({ day, changes, deletes, doubt: doubt ?? null })),
    },
    rows: textTable(
      ['day', 'changes', 'deletes', 'doubt'],
      strip.map(({ day, changes, deletes, doubt }) => [day, String(changes), String(deletes), doubt ?? null]),
    ),
    body: (
      <>
        <Later name="days" asking={asking}>
          {counted === undefined ? undefined : (
            <>
              <Strip table={name} days={strip} isJudged={sureness.kind === 'judged'} />
              {strip.length === 0 ? null : <Days table={name} days={strip} />}
            </>
          )}
        </Later>
        <p>
          <a href={linkTo(['t', name, 'changes'])}>all changes</a>, newest first ·{' '}
          <a href={linkTo(['proof', name])}>what is proven</a> ·{' '}
          <a href={linkTo(['sample'], { table: name })}>draw a sample</a>
        </p>
        <Forms table={name} />
        <h2>Questions</h2>
        <ul class="list">
          {[...SAVED_QUERIES.values()].map(({ name: query, question }) => (
            <li>
              <a href={linkTo(['q', query], { table: name, form: 'yes' })}>{question}</a>
            </li>
          ))}
        </ul>
      </>
    ),
  }
}

const DAY_MS = 86_400_000
/** More empty days than this between two are told as the list of days does, not drawn. */
const MOST_DAYS = 3660

/** A day between two others without any change may be one whose objects are gone. */
function withEmptyDays(days: readonly Day[]): readonly Day[] {
  const [first, last] = [days[0], days.at(-1)]
  if (first === undefined || last === undefined) return []
  const known = new Map(days.map(day => [day.day, day]))
  const [begin, end] = [Date.parse(first.day), Date.parse(last.day)]
  const count = (end - begin) / DAY_MS + 1
  if (count > MOST_DAYS) return days
  return Array.from({ length: count }, (_, i) => {
    const day = new Date(begin + i * DAY_MS).toISOString().slice(0, 10)
    return known.get(day) ?? { day, changes: 0, deletes: 0, doubt: 'no object' }
  })
}

/** The days on which something is known to be missing, by the verdict. */
function doubtsOf(sureness: Sureness): ReadonlyMap<string, string> {
  const verdict: TableVerdict | undefined = sureness.kind === 'judged' ? sureness.verdict?.tables[0] : undefined
  const doubts = new Map<string, string>()
  if (verdict === undefined) return doubts
  const mark = (fromUs: number | null, toUs: number, word: string) => {
    const end = Math.floor(toUs / 1000)
    for (
      let ms = Math.floor((fromUs ?? toUs) / 1000 / DAY_MS) * DAY_MS, n = 0;
      ms <= end && n < MOST_DAYS;
      ms += DAY_MS, n++
    )
      doubts.set(new Date(ms).toISOString().slice(0, 10), word)
  }
  for (const { sinceUs, untilUs } of verdict.missing) mark(sinceUs, untilUs, 'gap')
  for (const { fromUs, toUs } of verdict.lost) mark(fromUs, toUs, 'lost')
  for (const { us } of verdict.newStreams) mark(us, us, 'new stream')
  return doubts
}

function Forms({ table }: { readonly table: string }) {
  return (
    <div class="noprint forms">
      <form method="get" action="/go">
        <input type="hidden" name="table" value={table} />
        <label>
          one item
          <input name="key" placeholder="its key" required autocomplete="off" spellcheck={false} />
        </label>
        <button type="submit">show its history</button>
      </form>
      <form method="get" action="/go">
        <input type="hidden" name="table" value={table} />
        <label>
          the table at a moment
          <input name="at" placeholder="2026-11-19T12:00:00Z" required autocomplete="off" spellcheck={false} />
        </label>
        <button type="submit">show what it held</button>
      </form>
    </div>
  )
}

function Days({ table, days }: { readonly table: string; readonly days: readonly Day[] }) {
  return (
    <details>
      <summary>the same as a table</summary>
      <ListTable caption={`${days.length} days`} columns={[['day'], ['changes', true], ['deletes', true], ['doubt']]}>
        {[...days].reverse().map(({ day, changes, deletes, doubt }) => (
          <tr>
            <th scope="row">
              <a href={linkTo(['t', table, 'changes'], { from: day, to: dayAfter(day) })}>{day}</a>
            </th>
            <td class="n" data-label="changes">
              {changes.toLocaleString('en')}
            </td>
            <td class="n" data-label="deletes">
              {deletes.toLocaleString('en')}
            </td>
            <td data-label="doubt">{doubt ?? ''}</td>
          </tr>
        ))}
      </ListTable>
    </details>
  )
}
