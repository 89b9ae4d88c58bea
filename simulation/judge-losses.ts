/**
 * What is neither archived nor kept was lost by a service, and an alarm that can be about it told so; or a fact does.
 * What no service lost, no alarm is about: it vanished in what is ours.
 */
import { groupBy } from '../delivery/redrive.js'
import type { Fact, GapFact } from '../transform/fact.js'
import { isOn, type Spans } from './alarms.js'
import { type Identity, named } from './judge-versions.js'
import type { Loss, LossKind } from './losses.js'
import { LONGEST_PAUSE_MS } from './mapping.js'
import type { Version } from './table.js'
import { DAY_MS, HOUR_MS, MINUTE_MS } from './times.js'
import type { Remains } from './world.js'

/** The alarms that tell of each kind of loss, and from when to when one of them has to be on. */
const TOLD: { readonly [kind in LossKind]: Told } = {
  // counted as it happens
  dropped: { alarms: ['records-dropped', 'give-up-failed'], when: ({ lostMs }) => [lostMs, lostMs + 2 * MINUTE_MS] },
  skipped: { alarms: ['change-skipped'], when: ({ lostMs }) => [lostMs, lostMs + 2 * MINUTE_MS] },
  // Firehose tells how old what it has is for as long as it has it, so at its end at the latest
  undelivered: { alarms: ['delivery-late', 'delivery-fails'], when: ({ lostMs }) => [lostMs - HOUR_MS, lostMs] },
  // in the day that the stream keeps them; an hour is told of when it is over
  forgotten: {
    alarms: ['stream-far-behind', 'twelve-hours-to-loss', 'stream-unread'],
    when: ({ takenMs }) => [takenMs, takenMs + DAY_MS + HOUR_MS],
  },
}

interface Told {
  readonly alarms: readonly string[]
  readonly when: (loss: Loss) => readonly [number, number]
}

/** Each a sentence. */
export function untold(
  remains: Remains,
  missing: readonly Version[],
  identity: Identity,
  facts: readonly Fact[],
  spans: Spans,
): readonly string[] {
  const gaps = facts.filter((fact): fact is GapFact => fact.kind === 'gap')
  const pairs = remains.world.losses.flatMap(loss =>
    loss.texts.flatMap(text => identity.inText(documentIn(text))).map(id => ({ id, loss })),
  )
  const losses = groupBy(pairs, ({ id }) => id)
  const isTold = (version: Version) =>
    (losses.get(identity.ofVersion(version)) ?? []).some(
      ({ loss }) => tells(spans, loss) || isBeyondAlarms(remains, loss),
    )
  return missing
    .filter(version => version.timeUs / 1000 >= remains.beganMs - DAY_MS)
    .filter(version => !gaps.some(gap => isInGap(gap, version)) && !isTold(version))
    .map(version => `version ${named(version)} is neither archived nor kept, and no alarm or fact tells`)
}

function tells(spans: Spans, loss: Loss): boolean {
  const { alarms, when } = TOLD[loss.kind]
  return isOn(spans, alarms, ...when(loss))
}

/** A record that was refused lies in a line of its own. */
function documentIn(text: string): string {
  const { rawData } = JSON.parse(text) as { readonly rawData?: string }
  return rawData === undefined ? text : Buffer.from(rawData, 'base64').toString()
}

/**
 * What no alarm can tell: the mapping was disabled in the day of a change, and in those 24 hours there are not two in which
 * the table was written to and nothing was read, which `stream-unread` takes.
 */
function isBeyondAlarms({ world }: Remains, { kind, takenMs }: Loss): boolean {
  const { faults, metrics } = world
  const isPaused = faults.happened('mapping-pauses', takenMs - LONGEST_PAUSE_MS, takenMs + DAY_MS)
  if (kind !== 'forgotten' || !isPaused) return false
  const hoursOf = (name: string) => new Set([...metrics.minutesOf(name).keys()].map(minute => Math.floor(minute / 60)))
  const written = hoursOf('DynamoDB ConsumedWriteCapacityUnits')
  const read = hoursOf('Lambda mapping PolledEventCount')
  const first = Math.floor(takenMs / HOUR_MS)
  const unread = [...written].filter(hour => first <= hour && hour < first + 24 && !read.has(hour))
  return unread.length < 2
}

/** True where a fact says that changes of this time may be missing. */
function isInGap({ from, to }: GapFact, { timeUs }: Version): boolean {
  const ms = timeUs / 1000
  const since = from === null ? 0 : Date.parse(from)
  return since <= ms && Math.floor(ms / 1000) * 1000 <= Date.parse(to)
}
