/** What must be true of the locks of an archive: each version is locked for its time, or an alarm tells that it is not. */

import type { RetentionRule } from '../functions/lock-objects.js'
import { EVIDENCE_PREFIXES, isPartialTile } from '../transform/layout.js'
import { isOn, type Spans } from './alarms.js'
import type { SimulatedBucket, StoredVersion } from './bucket.js'
import type { LockEvents, Unlocked } from './lock-events.js'
import { MINUTE_MS, SECOND_MS } from './times.js'

const DAY_MS = 86_400_000

/** The alarm that says that a version has no lock, and will get none by itself, by who gave it up. */
const TOLD: { readonly [by in Unlocked['by']]: string } = { sqs: 'object-unlocked', eventbridge: 'lock-event-lost' }

/** An archive whose objects are locked. */
export interface LockedArchive {
  readonly bucket: SimulatedBucket
  readonly rule: RetentionRule
  readonly events: LockEvents
}

/** Each a sentence. */
export function wrongLocks({ bucket, rule, events }: LockedArchive, spans: Spans): readonly string[] {
  // each is counted as it happens
  const isTold = ({ by, atMs }: Unlocked) => isOn(spans, [TOLD[by]], atMs, atMs + 2 * MINUTE_MS)
  const told = new Set(events.unlocked.filter(isTold).map(({ event }) => versionIn(event)))
  const evidence = [...bucket.objects].filter(([key]) => EVIDENCE_PREFIXES.some(prefix => key.startsWith(prefix)))
  const wrong = evidence.flatMap(([key, versions]) =>
    versions.flatMap(version => {
      const isToldOf = told.has(`${key} ${version.versionId}`)
      const problem = isPartialTile(key) ? asLeftAlone(version) : asLocked(version, rule, isToldOf)
      return problem === undefined ? [] : [`object ${key} version ${version.versionId} ${problem}`]
    }),
  )
  const silent = new Set(events.unlocked.filter(given => !isTold(given)).map(({ by }) => TOLD[by]))
  return [...wrong, ...[...silent].map(name => `alarm ${name} should fire`)]
}

function versionIn(event: string): string {
  const { object } = (JSON.parse(event) as { detail: { object: { key: string; 'version-id': string } } }).detail
  return `${object.key} ${object['version-id']}`
}

function asLeftAlone({ retention }: StoredVersion): string | undefined {
  return retention === undefined ? undefined : 'is locked, expected none of a partial tile'
}

function asLocked({ retention, modifiedMs }: StoredVersion, rule: RetentionRule, isToldOf: boolean) {
  if (retention === undefined) return isToldOf ? undefined : 'is not locked, and no alarm tells'
  const untilMs = Math.floor(modifiedMs / SECOND_MS) * SECOND_MS + rule.days * DAY_MS
  if (retention.mode !== rule.mode) return `is locked in mode ${retention.mode}, expected ${rule.mode}`
  if (retention.untilMs !== untilMs) return `is locked until ${retention.untilMs}, expected ${untilMs}`
  return undefined
}
