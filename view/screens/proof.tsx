import { archiveFlag } from '../../cli/show/archive-name.js'
import type { SealedEntry } from '../../journal/entry.js'
import { KeptLog } from '../../journal/kept-log.js'
import { type VerifiedLog, verifyLog } from '../../journal/verify-log.js'
import { textTable } from '../../queries/engines/text-table.js'
import { sealedOf } from '../../queries/verdict/sealed.js'
import { DiskArchive } from '../../store/folder.js'
import { entriesOf } from '../../store/table-objects.js'
import { endsOf } from '../../transform/ends.js'
import { factMicroseconds } from '../../transform/fact.js'
import { formatDay, formatInstant, readableInstant } from '../../transform/instant.js'
import { DATA_PREFIX, dateOfKey } from '../../transform/layout.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { AddressError, linkTo, periodIn, shellWord } from '../address.js'
import { Later, ListTable } from '../layout.js'
import type { PageAsking, Screen, Sureness } from '../screen.js'
import { surenessOf, tableVerdictIn } from '../sureness.js'
import { factsIn, tableIn } from '../tables.js'

/** What of a table is proven, what is not, and what closes the gaps. */
export async function proofScreen(asking: PageAsking): Promise<Screen> {
  const { root } = asking
  const table = tableIn(asking, asking.path[1])
  if (asking.onAws)
    throw new AddressError('what is sealed is held against the objects of a folder', 400, 'a copy of the bucket is one')
  const { fromUs, toUs } = periodIn(asking.search)
  const period = {
    ...(fromUs !== null && { from: formatInstant(fromUs, 6) }),
    ...(toUs !== null && { to: formatInstant(toUs, 6) }),
  }
  const sealed = await asking.once(`sealed ${table.table}`, () => lookAt(asking, table))
  const days = sealed.days.filter(({ day }) => isDayIn(day, fromUs, toUs))
  const sureness = await surenessOf(asking, table.table, period)
  const anchors = await anchorsOf(asking, table)
  const gaps = gapsOf(sureness, table.table, root)
  const { table: name } = table
  return {
    question: `What of ${name} is proven, and what is not?`,
    trail: [
      [name, linkTo(['t', name])],
      ['proof', linkTo(['proof', name])],
    ],
    command: `itemtrail verify${archiveFlag(root)}${asking.keyFlag}`,
    sureness,
    counts: countsOf(days),
    data: { table: name, log: logData(sealed.log), days, anchors, gaps },
    rows: textTable(
      ['day', 'objects', 'sealed', 'missing', 'altered', 'state'],
      days.map(day => [day.day, ...[day.objects, day.sealed, day.missing, day.altered].map(String), stateOf(day)]),
    ),
    body: (
      <>
        <Log log={sealed.log} isBelieved={asking.identity !== undefined} />
        <h2>Independent looks at the table</h2>
        <Anchors anchors={anchors} days={days} />
        <h2>What is missing</h2>
        <Later name="gaps" asking={asking}>
          {sureness.kind === 'pending' ? undefined : gaps.length === 0 ? (
            <p>nothing is known to be missing in the period</p>
          ) : (
            <Gaps gaps={gaps} />
          )}
        </Later>
        <h2>Day by day</h2>
        <DayList days={days} />
      </>
    ),
  }
}

/** Each day and what of it is sealed; folded where nothing is, which one line says better. */
function DayList({ days }: { readonly days: readonly SealedDay[] }) {
  const objects = days.reduce((sum, day) => sum + day.objects, 0)
  const list = (
    <ListTable
      caption={`${days.length} days; how they were held against the journal stands above; itemtrail verify hashes all of them`}
      columns={[['day'], ['objects', true], ['sealed', true], ['missing', true], ['altered', true], ['state']]}
    >
      {days.map(day => (
        <tr>
          <th scope="row">{day.day}</th>
          <td class="n" data-label="objects">
            {day.objects}
          </td>
          <td class="n" data-label="sealed">
            {day.sealed}
          </td>
          <td class="n" data-label="missing">
            {day.missing}
          </td>
          <td class="n" data-label="altered">
            {day.altered}
          </td>
          <td data-label="state" {...(stateOf(day) !== 'sealed' && { class: 'bad' })}>
            {`${stateOf(day) === 'sealed' ? '✓' : '✗'} ${stateOf(day)}`}
          </td>
        </tr>
      ))}
    </ListTable>
  )
  if (days.length === 0) return <p>there is no object in the period</p>
  if (days.some(({ sealed, missing, altered }) => sealed + missing + altered > 0)) return list
  return (
    <details>
      <summary>{`none of ${objects.toLocaleString('en')} objects, on ${days.length} days, is shown to be sealed`}</summary>
      {list}
    </details>
  )
}

interface SealedDay {
  readonly day: string
  readonly objects: number
  readonly sealed: number
  /** What was sealed and is not there, or is another now. */
  readonly missing: number
  readonly altered: number
}

const NONE_OF_A_DAY = { objects: 0, sealed: 0, missing: 0, altered: 0 }

function stateOf({ objects, sealed, missing, altered }: SealedDay): string {
  if (altered > 0) return missing > 0 ? 'altered, and a sealed object is missing' : 'altered'
  if (missing > 0) return 'a sealed object is missing'
  return sealed === objects ? 'sealed' : sealed === 0 ? 'not sealed' : 'sealed in part'
}

function countsOf(days: readonly SealedDay[]): string {
  const sum = (name: keyof typeof NONE_OF_A_DAY) => days.reduce((sum, day) => sum + day[name], 0)
  const [missing, altered] = [sum('missing'), sum('altered')]
  const lacking = [...(missing === 0 ? [] : [`${missing} missing`]), ...(altered === 0 ? [] : [`${altered} altered`])]
  return [`${sum('sealed')} of ${sum('objects') + missing} objects sealed and as they were`, ...lacking]
    .join(', ')
    .concat(`, on ${days.length} days`)
}

/** The journal verified, and the objects of each day held against its entries, as the verdict holds them. */
async function lookAt({ root, identity, archive: { engine } }: PageAsking, table: TableConfiguration) {
  const archive = new DiskArchive(root)
  const entries = new Map<string, SealedEntry>()
  const store = new KeptLog(archive)
  const isThere = (await store.list('next/')).length > 0
  const log =
    identity === undefined || !isThere
      ? undefined
      : await verifyLog(store, identity, {
          onEntry: (_, entry) => {
            if (entry.type === 'object@1' && !entries.has(entry.key)) entries.set(entry.key, entry)
          },
        })
  const days = new Map<string, Omit<SealedDay, 'day'>>()
  const findings = (await sealedOf(engine, table))?.findings ?? []
  const altered = new Set(findings.filter(({ kind }) => kind === 'altered').map(({ key }) => key))
  const isSound = log !== undefined && log.findings.length === 0
  for (const { key, bytes } of await entriesOf(archive, table.table)) {
    const day = dateOfKey(key)
    if (day === '') continue
    const found = days.get(day) ?? NONE_OF_A_DAY
    const isSealed = isSound && entries.get(key)?.bytes === bytes && !altered.has(key)
    days.set(day, { ...found, objects: found.objects + 1, sealed: found.sealed + (isSealed ? 1 : 0) })
  }
  for (const { key, kind } of findings.filter(({ key }) => key.startsWith(DATA_PREFIX))) {
    const found = days.get(dateOfKey(key)) ?? NONE_OF_A_DAY
    days.set(dateOfKey(key), { ...found, [kind]: found[kind] + 1 })
  }
  const sorted = [...days]
    .map(([day, counts]): SealedDay => ({ day, ...counts }))
    .sort((a, b) => (a.day < b.day ? -1 : 1))
  return { log, days: sorted }
}

function isDayIn(day: string, fromUs: number | null, toUs: number | null): boolean {
  return (fromUs === null || day >= formatDay(fromUs / 1000)) && (toUs === null || day <= formatDay((toUs - 1) / 1000))
}

function Log({ log, isBelieved }: { readonly log: VerifiedLog | undefined; readonly isBelieved: boolean }) {
  if (!isBelieved)
    return (
      <p class="note">
        nobody says whose key is believed, so nothing counts as proven: itemtrail view --key FILE says it
      </p>
    )
  if (log === undefined)
    return (
      <p class="note bad">nothing is sealed: who can write the archive can change all of it; itemtrail seal seals it</p>
    )
  const last = log.seals.at(-1)
  return (
    <>
      <p class={log.findings.length === 0 ? 'note' : 'note bad'}>
        {log.findings.length === 0
          ? `✓ the journal is whole: ${log.entries} entries in ${log.claims} sealings, each signature, entry and tile verified${last === undefined ? '' : `; last sealed at ${last.time.replace('T', ' ')}`}`
          : `✗ the journal is not to be believed: ${log.findings.length} findings`}
      </p>
      {log.findings.map(({ key, message }) => (
        <p class="note bad">
          {key} {message}
        </p>
      ))}
    </>
  )
}

function logData(log: VerifiedLog | undefined): object | null {
  return log === undefined
    ? null
    : {
        size: log.head.size,
        sealings: log.claims,
        entries: log.entries,
        findings: log.findings,
        last: log.seals.at(-1)?.time ?? null,
      }
}

interface AnchorShown {
  readonly kind: 'baseline' | 'comparison'
  readonly at: string
  readonly result: string
}

async function anchorsOf(asking: PageAsking, { table }: TableConfiguration): Promise<readonly AnchorShown[]> {
  return (await factsIn(asking, table)).flatMap((fact): readonly AnchorShown[] => {
    if (fact.kind === 'baseline') return [{ kind: 'baseline', at: fact.from, result: `saw ${fact.items} items` }]
    if (fact.kind !== 'reconciliation') return []
    const n = fact.differing.length
    return [
      { kind: 'comparison', at: fact.from, result: n === 0 ? `all ${fact.items} items equal` : `${n} items differ` },
    ]
  })
}

/** Anchors on the axis of the table's days, and as a list. */
function Anchors({ anchors, days }: { readonly anchors: readonly AnchorShown[]; readonly days: readonly SealedDay[] }) {
  if (anchors.length === 0)
    return (
      <p class="note">
        there is none: no item is COMPLETE; itemtrail baseline and itemtrail reconcile look at the table itself
      </p>
    )
  const times = [...anchors.map(({ at }) => factMicroseconds(at) / 1000), ...days.map(({ day }) => Date.parse(day))]
  const [first, last] = endsOf(times)
  const x = (ms: number) => `${(1 + ((ms - first) / Math.max(1, last - first)) * 98).toFixed(3)}%`
  return (
    <>
      <svg class="strip" width="100%" height="44" role="img" aria-labelledby="anchors-title">
        <title id="anchors-title">{`${anchors.length} independent looks at the table between ${formatDay(first)} and ${formatDay(last)}`}</title>
        <line class="axis" x1="1%" x2="99%" y1="18" y2="18" />
        {anchors.map(({ at, kind }) => (
          <svg aria-hidden="true" x={x(factMicroseconds(at) / 1000)} overflow="visible">
            <path class="c" d={kind === 'baseline' ? 'M0 8l7 14h-14z' : 'M0 10l8 8l-8 8l-8-8z'} />
          </svg>
        ))}
        <text x="1%" y="40">
          {formatDay(first)}
        </text>
        <text x="99%" y="40" text-anchor="end">
          {formatDay(last)}
        </text>
      </svg>
      <ul>
        {anchors.map(({ kind, at, result }) => (
          <li>
            {kind === 'baseline' ? '▲' : '◆'} {kind} at {at.replace('T', ' ')}: {result}
          </li>
        ))}
      </ul>
    </>
  )
}

interface Gap {
  readonly what: string
  readonly command: string
}

/** What the verdict knows to be missing, each with the command that closes it, or says more. */
function gapsOf(sureness: Sureness, table: string, root: string): readonly Gap[] {
  const verdict = tableVerdictIn(sureness)
  if (verdict === undefined) return []
  const [name, archive] = [shellWord(table), archiveFlag(root)]
  const { missing, lost, newStreams, refused, altered, unchecked, emptyDays, sealed } = verdict
  return [
    ...(sealed?.findings ?? []).map(({ kind, key }) => ({
      what: kind === 'missing' ? `${key}, which was sealed` : `what ${key} was when it was sealed: it is another now`,
      command: `itemtrail verify objects --key KEY${archive}`,
    })),
    ...missing.map(({ sinceUs, untilUs }) => ({
      what: `changes ${sinceUs === null ? '' : `made from ${readableInstant(sinceUs)} `}to ${readableInstant(untilUs)}`,
      command: `itemtrail verify continuity ${name}${sinceUs === null ? '' : ` --from ${formatInstant(sinceUs, 6)}`} --to ${formatInstant(untilUs + 1, 6)}${archive}`,
    })),
    ...lost.map(({ fact }) => ({
      what: `records of the stream to ${fact.to}: ${fact.reason}`,
      command: `itemtrail baseline ${name} --scan${archive}`,
    })),
    ...newStreams.map(({ fact }) => ({
      what: `what changed before the stream was made anew by ${fact.recorded}`,
      command: `itemtrail baseline ${name} --scan${archive}`,
    })),
    ...(refused === null || refused === 0
      ? []
      : [{ what: `${refused} refused records`, command: `itemtrail redrive${archive}` }]),
    ...(altered === null || altered === 0
      ? []
      : [
          { what: `${altered} rows are not what their hashes say`, command: `itemtrail verify rows ${name}${archive}` },
        ]),
    ...(unchecked === null || unchecked === 0
      ? []
      : [
          {
            what: `${unchecked} rows of versions that this itemtrail does not know`,
            command: `itemtrail verify rows ${name}${archive}`,
          },
        ]),
    ...(emptyDays.length === 0
      ? []
      : [
          {
            what: `days without any object: ${emptyDays.slice(0, 20).join(', ')}`,
            command: `itemtrail verify objects --key KEY${archive}`,
          },
        ]),
  ]
}

function Gaps({ gaps }: { readonly gaps: readonly Gap[] }) {
  return (
    <ListTable caption={`${gaps.length} known`} columns={[['what'], ['what closes it, or says more']]}>
      {gaps.map(({ what, command }) => (
        <tr>
          <th scope="row" class="any">
            ✗ {what}
          </th>
          <td class="any">
            <code>{command}</code>{' '}
            <button type="button" class="script noprint" data-copy={command}>
              copy
            </button>
          </td>
        </tr>
      ))}
    </ListTable>
  )
}
