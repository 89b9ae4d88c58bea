/** What must be true of the alarms of a journal: each goes off for what truly is so, and for nothing else. */
import { CHECKPOINT } from '../journal/log-store.js'
import { LOG_PREFIX, SEALED_PREFIXES } from '../transform/layout.js'
import type { Fired } from './alarms.js'
import type { SimulatedBucket } from './bucket.js'
import type { SimulatedKey } from './journal.js'
import type { Metrics } from './metrics.js'
import type { Scenario } from './scenario.js'
import { DAY_MS, endOf, HOUR_MS, MINUTE_MS, START_MS } from './times.js'

const CHECKPOINT_KEY = `${LOG_PREFIX}${CHECKPOINT}`

const HOUR = 60
const DAY = 24 * HOUR

/** An archive that is sealed, and the key that signs. */
export interface SealedArchive {
  readonly bucket: SimulatedBucket
  readonly key: SimulatedKey
}

/** Nobody alters a world's objects, adds one past the sealing, or seals another history; no world lasts for a turn. */
const NEVER = ['journal-forked', 'object-altered', 'object-unlisted', 'turn-late']

/** Each a sentence. */
export function wrongJournalAlarms(
  { bucket, key }: SealedArchive,
  fired: Fired,
  metrics: Metrics,
  scenario: Scenario,
): readonly string[] {
  const seals = metrics.minutesOf('world sealings done')
  const checks = metrics.minutesOf('world checks done')
  return [
    ...NEVER.filter(name => fired.has(name) && !(name === 'journal-forked' && isUnsealed(bucket))).map(
      name => `alarm ${name} fires for nothing`,
    ),
    ...['seal-late', 'key-closing'].flatMap(name => needless(name, fired, seals, HOUR)),
    ...needless('journal-unchecked', fired, checks, DAY),
    ...sealedLate(bucket, fired, endOf(scenario)),
    ...misused(key, fired),
  ]
}

/** Of an archive that nobody could seal in its first day the check says that its journal may be gone. */
function isUnsealed(bucket: SimulatedBucket): boolean {
  const [first] = bucket.objects.get(CHECKPOINT_KEY) ?? []
  return (first?.modifiedMs ?? Number.POSITIVE_INFINITY) > START_MS + DAY_MS
}

/** It says that nothing was done in two periods that follow each other; something was. */
function needless(name: string, fired: Fired, done: ReadonlyMap<number, unknown>, length: number): readonly string[] {
  const periods = new Set([...done.keys()].map(minute => Math.floor(minute / length)))
  const wrong = (fired.get(name) ?? []).some(minute => {
    const period = Math.floor(minute / length)
    return periods.has(period) || periods.has(period - 1)
  })
  return wrong ? [`alarm ${name} fires for nothing`] : []
}

/** So long after an object was written its sealing is late, however the hours lie. */
const LATE_MS = 4 * HOUR_MS

/** An object that no checkpoint is younger than for hours is told of. */
function sealedLate(bucket: SimulatedBucket, fired: Fired, endMs: number): readonly string[] {
  const moves = (bucket.objects.get(CHECKPOINT_KEY) ?? []).map(({ modifiedMs }) => modifiedMs)
  const told = (fired.get('seal-late') ?? []).map(minute => (minute + 1) * MINUTE_MS)
  const written = [...bucket.objects].filter(([key]) => SEALED_PREFIXES.some(prefix => key.startsWith(prefix)))
  const late = written.find(([, [first]]) => {
    const atMs = first?.modifiedMs ?? endMs
    // what comes after the last sealing of all hours waits until the world has come to rest
    if (atMs > endMs - HOUR_MS) return false
    const movedMs = moves.find(ms => ms > atMs) ?? endMs
    return movedMs - atMs > LATE_MS && !told.some(ms => ms >= atMs && ms <= movedMs + HOUR_MS)
  })
  return late === undefined ? [] : [`alarm seal-late should fire: ${late[0]} waited for hours`]
}

/** A use of the key by somebody else is told: nobody can know of it once the sealer has used the key itself. */
function misused({ misuses, lastUsedMs = 0 }: SealedArchive['key'], fired: Fired): readonly string[] {
  const told = fired.get('key-used') ?? []
  return misuses.flatMap(({ atMs, isHeard }) => {
    const at = new Date(atMs).toISOString()
    if (told.some(minute => minute * MINUTE_MS >= atMs)) return []
    if (isHeard) return [`alarm key-used should fire: key of the journal was used at ${at}`]
    return lastUsedMs > atMs ? [`key of the journal was used at ${at}, and nobody hears of it`] : []
  })
}
