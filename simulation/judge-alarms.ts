/** What must be true of the alarms of a world, and of what was refused in it. */
import { type RefusedFolder, refusedPrefix } from '../transform/layout.js'
import type { Fired } from './alarms.js'
import type { Remains } from './world.js'

/** It cannot tell writes that change nothing from changes that nobody reads. */
const MAY_BE_NEEDLESS = 'stream-unread'

/** What went another way than into the archive is told by its own alarm; a world without faults has none. */
export function wrongAlarms(remains: Remains, fired: Fired): readonly string[] {
  const { world, refused, givenUp, scenario } = remains
  const { metrics, faults } = world
  if (scenario.path === 'desk') return []
  const has = (folder: RefusedFolder) => refused.some(([key]) => key.startsWith(refusedPrefix(folder, 'Orders')))
  const counted = (name: string) => metrics.sumOf(name) > 0
  const isLarge = has('oversize') || counted('DynamoDB FailedToReplicateRecordCount')
  const due: readonly (readonly [string, boolean])[] = [
    ['record-oversize', has('oversize')],
    ['change-skipped', counted('DynamoDB FailedToReplicateRecordCount')],
    ['put-failures', counted('world failures told to the mapping')],
    ['batch-given-up', givenUp.length > 0],
    ['record-refused', counted('world records refused by the transform')],
    ['conversion-failed', has('format-conversion-failed')],
  ]
  const silent = due.filter(([name, is]) => is && !fired.has(name)).map(([name]) => `alarm ${name} should fire`)
  if (faults.struck.size > 0 || isLarge) return silent
  const needless = [...fired.keys()].filter(name => name !== MAY_BE_NEEDLESS)
  return [...silent, ...needless.map(name => `alarm ${name} fires for nothing`)]
}

/** Everything that is written here can be read: nothing is refused for what it is, and on a desk for nothing at all. */
export function wrongRefusals({ world, scenario, refused: kept }: Remains): readonly string[] {
  if (scenario.path === 'desk') return kept.map(([key]) => `desk refused ${key}, expected it to take all`)
  const refused = world.metrics.sumOf('world records refused by the transform')
  return refused > 0 ? [`transform refused ${refused} records, expected none of such as are written here`] : []
}
