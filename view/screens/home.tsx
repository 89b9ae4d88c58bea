import { archiveFlag } from '../../cli/show/archive-name.js'
import { readEntries } from '../../journal/entries.js'
import { openHead } from '../../journal/head.js'
import { JournalError } from '../../journal/journal-error.js'
import { KeptLog } from '../../journal/kept-log.js'
import { CHECKPOINT } from '../../journal/log-store.js'
import { UnreadableTable } from '../../queries/engines/engine.js'
import { deliveriesOf } from '../../queries/engines/literal.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { textTable } from '../../queries/engines/text-table.js'
import { ageOf } from '../../queries/moment.js'
import { NOT_SHOWN } from '../../queries/verdict/table-verdict.js'
import { DiskArchive } from '../../store/folder.js'
import { countRefusedBeside } from '../../store/refused-of-table.js'
import { factMicroseconds } from '../../transform/fact.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { linkTo } from '../address.js'
import { ItemForm } from '../item-form.js'
import { ListTable, SureChips } from '../layout.js'
import { Chip } from '../paper/parts.js'
import type { PageAsking, Screen, Sureness } from '../screen.js'
import { surenessOf, tableVerdictIn, verdictWords } from '../sureness.js'
import { factsIn, lastChangeOf } from '../tables.js'
import { Time } from '../times.js'
import { unreadOfTable } from '../unread.js'

/** What the archive holds, and how it is. */
export async function homeScreen(asking: PageAsking): Promise<Screen> {
  const { archive, root } = asking
  const [tables, sealed, refused] = await Promise.all([
    Promise.all(archive.tables().map(name => lookAt(asking, archive.table(name)))),
    sealOf(asking),
    asking.onAws ? 0 : countRefusedBeside(root, archive.tables()),
  ])
  return {
    question: 'What does the archive hold, and how is it?',
    trail: [],
    command: asking.onAws ? undefined : `itemtrail status${archiveFlag(root)}`,
    counts: `${tables.length} ${tables.length === 1 ? 'table' : 'tables'}`,
    data: { tables: tables.map(describe), sealed: sealed ?? null, refused_of_no_table: asking.onAws ? null : refused },
    rows: textTable(
      ['table', 'last_change', 'lag_seconds', 'how_sure', 'refused', 'gaps', 'compared'],
      [
        ...tables.map(rowOf),
        // what was refused of no table has a row of its own
        ...(refused === 0 ? [] : [['', null, null, 'GAP', String(refused), null, null]]),
      ],
    ),
    body:
      tables.length === 0 ? (
        <>
          <RefusedBeside count={refused} root={root} />
          <p class="note">the archive has no table yet: itemtrail ingest, or tail, brings changes into it</p>
        </>
      ) : (
        <>
          <RefusedBeside count={refused} root={root} />
          <ListTable
            caption="tables"
            columns={[
              ['table'],
              ['last change'],
              ['lag'],
              ['how sure'],
              ['open gaps', true],
              ['refused', true],
              ['compared with the table'],
            ]}
          >
            {tables.map(found => (
              <Row found={found} asking={asking} />
            ))}
          </ListTable>
          <p class="dim">{NOT_SHOWN}</p>
          <Sealed sealed={sealed} asking={asking} />
          <ItemForm tables={archive.tables()} id="narrow" />
          {asking.allowsSql ? (
            <p>
              <a href="/sql">SQL over the archive</a>, one query that reads
            </p>
          ) : null}
          <p>
            <a href="/check">check a receipt or a proof</a> that somebody handed you
          </p>
        </>
      ),
  }
}

/** What was refused and no table counts. */
function RefusedBeside({ count, root }: { readonly count: number; readonly root: string }) {
  if (count === 0) return null
  return (
    <p class="note bad">
      {`${count} refused ${count === 1 ? 'record names' : 'records name'} no table of the archive and may belong to any; what was refused, and why: itemtrail status${archiveFlag(root)}`}
    </p>
  )
}

interface Found {
  readonly table: string
  readonly problem: string | undefined
  readonly lastUs: number | null
  /** Of the changes of the last day, the longest time from being made to being received. */
  readonly lagUs: number | null
  readonly sureness: Sureness | undefined
  /** What of the table is not read. */
  readonly unread: readonly string[]
  readonly compared: { readonly us: number; readonly differing: number } | undefined
}

async function lookAt(asking: PageAsking, table: TableConfiguration): Promise<Found> {
  const about = {
    table: table.table,
    problem: undefined,
    lastUs: null,
    lagUs: null,
    sureness: undefined,
    unread: await unreadOfTable(asking, table.table),
    compared: undefined,
  }
  try {
    const lastUs = await lastChangeOf(asking, table)
    const lagUs =
      lastUs === null ? null : await asking.once(`lag of ${table.table}`, () => lagOf(asking, table, lastUs))
    // a table that cannot be read says so here
    if (lastUs === null) await asking.archive.engine.run(`select 1 from ${deliveriesOf(table)} limit 0`)
    const sureness = await surenessOf(asking, table.table, {})
    return { ...about, lastUs, lagUs, sureness, compared: await comparedOf(asking, table) }
  } catch (error) {
    if (error instanceof UnreadableTable) return { ...about, problem: error.message }
    throw error
  }
}

async function lagOf({ archive }: PageAsking, table: TableConfiguration, lastUs: number): Promise<number | null> {
  const sql = `select max(to_unixtime(arrived_at) * 1000000 - event_time_us) as lag from ${deliveriesOf(table)}
where event_date = ? and event_name <> 'BASELINE' and time_precision <> 'arrival'`
  const [row] = [...rowsOf(await archive.engine.run(sql, [formatInstant(lastUs, 0).slice(0, 10)]))]
  return row?.lag == null ? null : Math.max(0, Number(row.lag))
}

async function comparedOf(asking: PageAsking, { table }: TableConfiguration): Promise<Found['compared']> {
  const last = (await factsIn(asking, table)).filter(fact => fact.kind === 'reconciliation').at(-1)
  return last && { us: factMicroseconds(last.from), differing: last.differing.length }
}

function rowOf({ table, problem, lastUs, lagUs, sureness, unread, compared }: Found): readonly (string | null)[] {
  const of = tableVerdictIn(sureness)
  const number = (n: number | null | undefined) => (n == null ? null : String(n))
  return [
    table,
    instant(lastUs),
    number(lagUs === null ? null : lagUs / 1e6),
    problem !== undefined || unread.length > 0 ? 'UNCHECKED' : verdictWords(sureness).join(' ') || null,
    number(of?.refused),
    number(of?.gaps),
    instant(compared?.us ?? null),
  ]
}

function Row({ found, asking }: { readonly found: Found; readonly asking: PageAsking }) {
  const { table, problem, lastUs, lagUs, sureness, unread, compared } = found
  const verdict = tableVerdictIn(sureness)
  const name = (
    <th scope="row">
      <a href={linkTo(['t', table])}>{table}</a>
    </th>
  )
  if (problem !== undefined)
    return (
      <tr>
        {name}
        <td colspan={6} class="bad any">
          cannot be read: {problem}
        </td>
      </tr>
    )
  return (
    <tr data-later={`table ${table}`} data-row={linkTo(['t', table])} data-open={linkTo(['t', table])}>
      {name}
      <td data-label="last change">
        {lastUs === null ? (
          <span class="dim">none yet</span>
        ) : (
          <>
            <Time us={lastUs} clock={asking.clock} /> <small>{ageOf(lastUs, asking.now.getTime() * 1000)} ago</small>
          </>
        )}
      </td>
      <td data-label="lag">{lagUs === null ? <span class="dim">not known</span> : durationOf(lagUs)}</td>
      <td data-label="how sure">
        {unread.length > 0 ? <Chip word="UNCHECKED" /> : null}{' '}
        {sureness?.kind === 'judged' ? (
          <SureChips sureness={sureness} />
        ) : (
          <span data-pending="">
            being found out, <a href="/">look again</a>
          </span>
        )}
      </td>
      <td class="n" data-label="open gaps">
        {verdict === undefined ? '?' : verdict.gaps + verdict.lost.length + verdict.newStreams.length}
      </td>
      <td class="n" data-label="refused">
        {verdict?.refused ?? <span class="dim">?</span>}
      </td>
      <td data-label="compared with the table">
        {compared === undefined ? (
          <span class="dim">never</span>
        ) : (
          <>
            <Time us={compared.us} clock={asking.clock} />{' '}
            {compared.differing === 0 ? 'equal' : <span class="bad">{compared.differing} differ</span>}
          </>
        )}
      </td>
    </tr>
  )
}

function durationOf(us: number): string {
  const seconds = us / 1_000_000
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

interface Seal {
  readonly size: number
  /** True where a key that is believed signed it. */
  readonly isVerified: boolean
  readonly problem: string | undefined
  readonly time: string | null
  readonly stamps: number
}

/** Where the journal ends; undefined where nothing is sealed, or nobody can look. */
async function sealOf(asking: PageAsking): Promise<Seal | undefined> {
  if (asking.onAws) return undefined
  const log = new KeptLog(new DiskArchive(asking.root))
  const bytes = await log.read(CHECKPOINT)
  if (bytes === undefined) return undefined
  const size = Number(Buffer.from(bytes).toString('utf8').split('\n')[1] ?? 0)
  const stamps = (await log.list('timestamps/')).length
  const about = { size, stamps, time: null, isVerified: false, problem: undefined }
  if (asking.identity === undefined) return about
  try {
    const head = openHead(bytes, CHECKPOINT, asking.identity)
    return { ...about, size: head.size, isVerified: true, time: await lastSealTime(log, head.size) }
  } catch (error) {
    if (error instanceof JournalError) return { ...about, problem: error.message }
    throw error
  }
}

/** Each sealing ends with an entry that says when it was. */
async function lastSealTime(log: KeptLog, size: number): Promise<string | null> {
  let time: string | null = null
  for await (const { entry } of readEntries(path => log.read(path), { from: Math.max(0, size - 1), to: size, size }))
    if (entry?.type === 'seal@1') time = entry.time
  return time
}

function Sealed({ sealed, asking }: { readonly sealed: Seal | undefined; readonly asking: PageAsking }) {
  if (asking.onAws) return null
  if (sealed === undefined)
    return (
      <p class="note">nothing is sealed: who can write the archive can change all of it; itemtrail seal seals it</p>
    )
  const { size, isVerified, problem, time, stamps } = sealed
  const by = isVerified
    ? 'signed by the key that is believed'
    : 'nobody says whose key is believed, so its signature was not checked: --key says it'
  return (
    <p class={problem === undefined ? 'note' : 'note bad'}>
      {problem ??
        `sealed up to entry ${size}${time === null ? '' : `, last at ${time.replace('T', ' ')}`}; ${by}; ${stamps === 0 ? 'no time stamp by an authority' : `${stamps} time stamps by an authority`}`}
    </p>
  )
}

function instant(us: number | null): string | null {
  return us === null ? null : formatInstant(us, 6)
}

function describe({ table, problem, lastUs, lagUs, sureness, unread, compared }: Found): object {
  const verdict = tableVerdictIn(sureness)
  return {
    table,
    problem: problem ?? null,
    last_change: instant(lastUs),
    lag_seconds: lagUs === null ? null : lagUs / 1_000_000,
    confidence: verdict?.confidence ?? null,
    unread,
    changes: verdict?.changes ?? null,
    items: verdict?.items ?? null,
    gaps: verdict?.gaps ?? null,
    lost_stretches: verdict?.lost.length ?? null,
    refused: verdict?.refused ?? null,
    compared: compared === undefined ? null : { at: instant(compared.us), differing: compared.differing },
  }
}
