/** Bugs of what goes on around the path of a record: locks, what is sent again, Kinesis, alarms, other columns. */
import type { Scenario } from '../../simulation/scenario.js'
import type { Planted } from './planted.js'

const isQuick = ({ isReadAtLast }: Scenario) => !isReadAtLast
const isLocked = (scenario: Scenario) => isQuick(scenario) && scenario.lock !== undefined

/** The function that locks each version of an object. */
const LOCKS: readonly Planted[] = [
  {
    name: 'a version that could not be locked counts as locked',
    file: 'functions/lock-objects.ts',
    right: 'if (failures.length > 0) throw',
    wrong: 'if (failures.length > 1) throw',
    cause: /is not locked, and no alarm tells[\s\S]*last seen.*locker \d+: asks/,
  },
].map(bug => ({ worlds: isLocked, ...bug }))

/** All of them. */
export const AROUND: readonly Planted[] = [...LOCKS]
