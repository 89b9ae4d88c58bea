/** What must be true of the alarms of a world, and of what was refused in it. */
import { type RefusedFolder, refusedPrefix } from '../transform/layout.js'
import { type Fired, isOn, PERIODS, type Spans } from './alarms.js'
import { RAISED_BY } from './raised-by.js'
import { MINUTE_MS } from './times.js'
import type { Remains } from './world.js'

/** What went another way than into the archive is told by its own alarm, and none goes off without a reason. */
export function wrongAlarms(remains: Remains, fired: Fired, spans: Spans): readonly string[] {
  const { world, refused, givenUp, scenario } = remains
  const { metrics } = world
  if (scenario.path === 'desk') return []
  const has = (folder: RefusedFolder) => refused.some(([key]) => key.startsWith(refusedPrefix(folder, 'Orders')))
  const counted = (name: string) => metrics.sumOf(name) > 0
  const due: readonly (readonly [string, boolean])[] = [
    ['record-oversize', has('oversize')],
    ['change-skipped', counted('DynamoDB FailedToReplicateRecordCount')],
    ['put-failures', counted('world failures told to the mapping')],
    ['batch-given-up', givenUp.length > 0],
    ['record-refused', counted('world records refused by the transform')],
    ['conversion-failed', has('format-conversion-failed')],
  ]
  const silent = due.filter(([name, is]) => is && !fired.has(name)).map(([name]) => `alarm ${name} should fire`)
  const needless = [...fired].flatMap(([name, minutes]) => {
    const at = minutes.find(minute => !isExplained(name, minute, remains))
    return at === undefined ? [] : [`alarm ${name} fires for nothing`]
  })
  return [...silent, ...unreadBatches(remains, spans), ...needless]
}

const CALL_FAILS = ['transform-errors', 'transform-throttles']

/** A batch that Firehose refuses because every call that it made with it failed is told then, however rare batches are. */
function unreadBatches({ world }: Remains, spans: Spans): readonly string[] {
  const refused = [...world.metrics.minutesOf('world batches refused unread').keys()]
  const isTold = (minute: number) => isOn(spans, CALL_FAILS, minute * MINUTE_MS, (minute + 2) * MINUTE_MS)
  return refused.every(isTold) ? [] : [`alarm ${CALL_FAILS.join(' or ')} should fire`]
}

/** True where something struck, or was so, that the period can have measured at whose end an alarm went off. */
function isExplained(name: string, minute: number, remains: Remains): boolean {
  const reasons = RAISED_BY[name]
  if (reasons === undefined) throw new Error(`alarm ${name} has no reasons, expected it in RAISED_BY`)
  const endMs = (minute + 1) * MINUTE_MS
  const beginMs = endMs - (PERIODS.get(name) as number) * MINUTE_MS
  return reasons.some(reason => reason(remains, beginMs, endMs))
}

/** Everything that is written here can be read: nothing is refused for what it is, and on a desk for nothing at all. */
export function wrongRefusals({ world, scenario, refused: kept }: Remains): readonly string[] {
  if (scenario.path === 'desk') return kept.map(([key]) => `desk refused ${key}, expected it to take all`)
  const refused = world.metrics.sumOf('world records refused by the transform')
  return refused > 0 ? [`transform refused ${refused} records, expected none of such as are written here`] : []
}
