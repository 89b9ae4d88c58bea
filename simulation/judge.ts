/** What must be true of a world when it has come to rest. Each finding is a sentence. */

import { groupBy } from '../delivery/redrive.js'
import { parsePartition } from '../transform/layout.js'
import { alarmsOf, spansOf } from './alarms.js'
import { type Contents, factsIn, linesOf, rowsOf } from './contents.js'
import { wrongAlarms, wrongRefusals } from './judge-alarms.js'
import { wrongBaselines } from './judge-baselines.js'
import { wrongCalls } from './judge-calls.js'
import { wrongHistories } from './judge-histories.js'
import { wrongJournalAlarms } from './judge-journal.js'
import { wrongLastLook } from './judge-last-look.js'
import { wrongLocks } from './judge-locks.js'
import { untold } from './judge-losses.js'
import { type Erasable, erasableIn, factsAbout, openedRows, sealingOf, wrongPersons } from './judge-persons.js'
import { wrongReconciliation } from './judge-reconciliations.js'
import { wrongColumns } from './judge-rows.js'
import { type Archived, type Identity, identityOf, isAs, named, type Row } from './judge-versions.js'
import { LIMITS } from './limits.js'
import type { Version } from './table.js'
import type { Remains } from './world.js'

/** What a world ended with. */
export interface Judgement {
  /** What is not as it must be; empty where all is well. */
  readonly problems: readonly string[]
  readonly versions: number
  readonly archived: number
  readonly kept: number
  /** Neither archived nor kept, and told by an alarm. */
  readonly lost: number
  readonly alarms: readonly string[]
}

/** Holds what is left of a world against what truly happened in it. */
export function judge(remains: Remains): Judgement {
  const { world, table, scenario } = remains
  const { versions } = table
  const identity = identityOf(scenario)
  const spans = spansOf(world.metrics, scenario)
  const fired = alarmsOf(spans)
  const stored = remains.rows.flatMap(rowsOfDay)
  const facts = factsIn(remains.facts)
  const { persons } = remains
  const erasable = erasableIn(persons === undefined ? [] : remains.configurations)
  const truth = new Map(versions.map(version => [identity.ofVersion(version), version]))
  const versionOf = (row: Row) => truth.get(identity.ofRow(row))
  const rows = persons === undefined ? stored : openedRows(persons, stored, versionOf, facts)
  const isBaseline = ({ event_name }: Row) => event_name === 'BASELINE'
  const archived: Archived = groupBy(
    rows.filter(row => !isBaseline(row)),
    identity.ofRow,
  )
  const asStored = persons === undefined ? archived : groupBy(stored, identity.ofRow)
  const looked = { versions, archived, identity, facts, baselines: rows.filter(isBaseline) }
  const isArchived = (version: Version) => archived.has(identity.ofVersion(version))
  const kept = keptIn(remains, identity)
  const missing = versions.filter(version => !isArchived(version) && !kept.has(identity.ofVersion(version)))
  const problems = [
    ...untold(remains, missing, identity, facts, spans),
    ...wrongRows(truth, archived, identity, erasable),
    ...(scenario.isRedeployed === true ? wrongColumns(stored, remains.configurations, remains.deployedMs) : []),
    ...wrongHistories(versions, asStored, identity, persons && factsAbout(erasable, facts)),
    ...wrongAlarms(remains, fired, spans),
    ...wrongRefusals(remains),
    ...notSentAgain(remains, truth, archived, kept),
    ...(remains.locked === undefined ? [] : wrongLocks(remains.locked, spans)),
    ...(remains.sealed === undefined ? [] : wrongJournalAlarms(remains.sealed, fired, world.metrics, scenario)),
    ...wrongBaselines(looked.baselines, facts, versions),
    ...(remains.lastLook === undefined ? [] : wrongLastLook(remains.lastLook, looked)),
    ...remains.reconciliations.flatMap(found => wrongReconciliation(found, looked)),
    ...(persons === undefined ? [] : wrongPersons(persons, erasable, facts)),
    ...remains.findings,
    // what is done too often is often wrong otherwise, which tells more
    ...wrongCalls(remains),
  ]
  return {
    problems,
    versions: versions.length,
    archived: versions.filter(isArchived).length,
    kept: kept.size,
    lost: missing.length,
    alarms: [...fired.keys()],
  }
}

/** The rows of an object; one of another day than its rows would hide them behind its prefix. */
function rowsOfDay([key, bytes]: Contents[number]): readonly Row[] {
  const { date } = parsePartition(key)
  const rows = rowsOf(bytes)
  const elsewhere = rows.find(row => !row.event_time.startsWith(date))
  if (elsewhere !== undefined) throw new Error(`row ${elsewhere.event_id} lies in ${key}, expected its own day`)
  return rows
}

/** The versions of all records that are kept somewhere because they went no further, with the bytes of each. */
type KeptElsewhere = ReadonlyMap<string, number>

function keptIn({ refused, givenUp }: Remains, { inText }: Identity): KeptElsewhere {
  const documents = refused
    .flatMap(([, bytes]) => linesOf(bytes))
    .flatMap(line => linesOf(Buffer.from((JSON.parse(line) as { rawData: string }).rawData, 'base64')))
  const batches = givenUp.flatMap(([, bytes]) => recordsOf(Buffer.from(bytes).toString()))
  return new Map(
    [...documents, ...batches].flatMap(text => inText(text).map(id => [id, Buffer.byteLength(text)] as const)),
  )
}

/** The records of a batch that Lambda gave up. */
function recordsOf(text: string): readonly string[] {
  const { payload } = JSON.parse(text) as { readonly payload: string }
  return (JSON.parse(payload) as { readonly Records: readonly object[] }).Records.map(record => JSON.stringify(record))
}

/** Once somebody has sent again what was refused, it is archived, but for what is too large for that. */
function notSentAgain(
  { scenario }: Remains,
  truth: ReadonlyMap<string, Version>,
  archived: Archived,
  kept: KeptElsewhere,
): readonly string[] {
  if (!scenario.isOperated) return []
  const small = [...kept].filter(([, bytes]) => bytes <= LIMITS.recordBytes)
  const left = small.map(([id]) => id).filter(id => !archived.has(id))
  return left.map(id => `version ${namedBy(id, truth)} was refused, sent again and is not archived`)
}

/** A problem is one line, and what Kinesis has of a change is several. */
function namedBy(id: string, truth: ReadonlyMap<string, Version>): string {
  const version = truth.get(id)
  return version === undefined ? id.replaceAll('\n', ' ') : named(version)
}

/** Each row is a version that the table had, with both images, and one version has one id. */
function wrongRows(
  truth: ReadonlyMap<string, Version>,
  archived: Archived,
  identity: Identity,
  erasable: Erasable,
): readonly string[] {
  return [...archived].flatMap(([id, rows]) => {
    const version = truth.get(id)
    if (version === undefined)
      return [`row ${rows[0]?.event_id} is of no version that the table had: ${namedBy(id, truth)}`]
    const ids = new Set(rows.map(({ event_id }) => event_id))
    const sealings = new Set(rows.map(row => sealingOf(erasable, row)))
    const isWrong = rows.some(row => !isAs(row, version, identity))
    return [
      ...(ids.size > sealings.size ? [`version ${named(version)} is counted ${ids.size} times`] : []),
      ...(isWrong ? [`version ${named(version)} is archived with other images than it had`] : []),
    ]
  })
}
