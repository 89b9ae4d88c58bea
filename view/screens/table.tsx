import { SAVED_QUERIES } from '../../queries/catalog.js'
import { textTable } from '../../queries/engines/text-table.js'
import { countDays, countRepeats } from '../../queries/list-changes.js'
import { DATA_PREFIX, dateOfKey } from '../../transform/layout.js'
import { linkTo, shellWord } from '../address.js'
import { ItemForm } from '../item-form.js'
import { Later, ListTable } from '../layout.js'
import type { PageAsking, Screen, Sureness } from '../screen.js'
import { soon, surenessOf, tableVerdictIn } from '../sureness.js'
import { lastChange, tableIn } from '../tables.js'
import { unreadOfTable } from '../unread.js'
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
  const unread = await unreadOfTable(asking, name)
  const doubts = doubtsOf(sureness, unread)
  const days = counted?.days ?? []
  const strip = withEmptyDays(days, doubts).map(day => ({ ...day, doubt: doubts.get(day.day)?.word ?? day.doubt }))
  const count = (n: number) => n.toLocaleString('en')
  const changes = days.reduce((sum, day) => sum + day.changes, 0)
  return {
    question: `What happened in ${name}, day by day?`,
    trail: [[name, linkTo(['t', name])]],
    command: `itemtrail query activity-by-day ${shellWord(name)}${asking.flags}`,
    sureness,
    unread,
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
              <Strip
                table={name}
                days={strip}
                isJudged={sureness.kind === 'judged'}
                undated={undatedOf(sureness, unread)}
              />
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
function withEmptyDays(days: readonly Day[], doubts: ReadonlyMap<string, Doubt>): readonly Day[] {
  // of a day at either end all may be gone
  const gone = [...doubts].filter(([, { ofObject }]) => ofObject).map(([day]) => day)
  const all = [...days.map(({ day }) => day), ...gone].sort()
  const [first, last] = [all[0], all.at(-1)]
  if (first === undefined || last === undefined) return []
  const known = new Map(days.map(day => [day.day, day]))
  const [begin, end] = [Date.parse(first), Date.parse(last)]
  const count = (end - begin) / DAY_MS + 1
  if (count > MOST_DAYS) return days
  return Array.from({ length: count }, (_, i) => {
    const day = new Date(begin + i * DAY_MS).toISOString().slice(0, 10)
    return known.get(day) ?? { day, changes: 0, deletes: 0, doubt: 'no object' }
  })
}

/** Why a day is doubtful. */
interface Doubt {
  readonly word: string
  /** True where an object of the day itself is not read, missing or another. */
  readonly ofObject: boolean
}

/** The days on which something is known to be missing or another, by the verdict, or is not read: the worst last. */
function doubtsOf(sureness: Sureness, unread: readonly string[]): ReadonlyMap<string, Doubt> {
  const verdict = tableVerdictIn(sureness)
  const doubts = new Map<string, Doubt>()
  const mark = (fromUs: number | null, toUs: number, word: string) => {
    const end = Math.floor(toUs / 1000)
    for (
      let ms = Math.floor((fromUs ?? toUs) / 1000 / DAY_MS) * DAY_MS, n = 0;
      ms <= end && n < MOST_DAYS;
      ms += DAY_MS, n++
    )
      doubts.set(new Date(ms).toISOString().slice(0, 10), { word, ofObject: false })
  }
  for (const { sinceUs, untilUs } of verdict?.missing ?? []) mark(sinceUs, untilUs, 'gap')
  for (const { fromUs, toUs } of verdict?.lost ?? []) mark(fromUs, toUs, 'lost')
  for (const { us } of verdict?.newStreams ?? []) mark(us, us, 'new stream')
  const ofObjects = (keys: readonly string[], word: string) => {
    for (const day of keys.map(dateOfKey)) if (day !== '') doubts.set(day, { word, ofObject: true })
  }
  ofObjects(unread, 'not all read')
  const sealed = (verdict?.sealed?.findings ?? []).filter(({ key }) => key.startsWith(DATA_PREFIX))
  for (const kind of ['missing', 'altered'] as const) {
    const keys = sealed.filter(finding => finding.kind === kind).map(({ key }) => key)
    ofObjects(keys, kind === 'missing' ? 'a sealed object is missing' : 'altered')
  }
  return doubts
}

/** What is doubtful and stands on no day. */
function undatedOf(sureness: Sureness, unread: readonly string[]): readonly string[] {
  const verdict = tableVerdictIn(sureness)
  const altered = verdict?.altered ?? 0
  const beside = (verdict?.sealed?.findings ?? []).filter(({ key }) => dateOfKey(key) === '').length
  const notRead = unread.filter(text => dateOfKey(text) === '').length
  return [
    ...(altered === 0 ? [] : [`${altered} rows are not what their hashes say`]),
    ...(beside === 0 ? [] : [`${beside} sealed files beside the rows are not as they were`]),
    ...(notRead === 0 ? [] : [`${notRead} things beside the days are not read`]),
  ]
}

function Forms({ table }: { readonly table: string }) {
  return (
    <div class="noprint forms">
      <ItemForm tables={[table]} id="narrow" />
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
