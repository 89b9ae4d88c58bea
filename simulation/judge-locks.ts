/** What must be true of the locks of an archive: each version is locked for its time, or an alarm tells that it is not. */

import type { RetentionRule } from '../functions/lock-objects.js'
import { EVIDENCE_PREFIXES, isPartialTile } from '../transform/layout.js'
import { type Fired, lastOf } from './alarms.js'
import type { SimulatedBucket, StoredVersion } from './bucket.js'
import type { LockEvents } from './lock-events.js'

const DAY_MS = 86_400_000
const SECOND_MS = 1000
const MINUTE_MS = 60_000

/** Alarms that say that a version has no lock, and will get none by itself. */
const TOLD = ['object-unlocked', 'lock-event-lost']

/** An archive whose objects are locked. */
export interface LockedArchive {
  readonly bucket: SimulatedBucket
  readonly rule: RetentionRule
  readonly events: LockEvents
}

/** Each a sentence. */
export function wrongLocks({ bucket, rule, events }: LockedArchive, fired: Fired): readonly string[] {
  const toldUntil = lastOf(fired, TOLD)
  const evidence = [...bucket.objects].filter(([key]) => EVIDENCE_PREFIXES.some(prefix => key.startsWith(prefix)))
  const wrong = evidence.flatMap(([key, versions]) =>
    versions.flatMap(version => {
      const problem = isPartialTile(key) ? asLeftAlone(version) : asLocked(version, rule, toldUntil)
      return problem === undefined ? [] : [`object ${key} version ${version.versionId} ${problem}`]
    }),
  )
  const silent = events.failed.length > 0 && !fired.has('object-unlocked')
  return [...wrong, ...(silent ? ['alarm object-unlocked should fire'] : [])]
}

function asLeftAlone({ retention }: StoredVersion): string | undefined {
  return retention === undefined ? undefined : 'is locked, expected none of a partial tile'
}

function asLocked({ retention, modifiedMs }: StoredVersion, rule: RetentionRule, toldUntil: number) {
  if (retention === undefined)
    return Math.floor(modifiedMs / MINUTE_MS) <= toldUntil ? undefined : 'is not locked, and no alarm tells'
  const untilMs = Math.floor(modifiedMs / SECOND_MS) * SECOND_MS + rule.days * DAY_MS
  if (retention.mode !== rule.mode) return `is locked in mode ${retention.mode}, expected ${rule.mode}`
  if (retention.untilMs !== untilMs) return `is locked until ${retention.untilMs}, expected ${untilMs}`
  return undefined
}
