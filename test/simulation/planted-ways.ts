/** Bugs of ways that only some worlds have: locks, what is sent again, Kinesis. */
import type { FaultKind } from '../../simulation/faults.js'
import type { Scenario } from '../../simulation/scenario.js'
import type { Planted } from './planted.js'

function strikes(scenario: Scenario, kind: FaultKind): boolean {
  return !scenario.isReadAtLast && scenario.faults.some(fault => fault.kind === kind)
}

export const PLANTED_WAYS: readonly Planted[] = [
  {
    name: 'an object that could not be locked is forgotten',
    file: 'functions/lock-objects.ts',
    right: 'if (failures.length > 0) throw',
    wrong: 'if (failures.length > 99) throw',
    cause: /is not locked, and no alarm tells[\s\S]*s3-refuses/,
    worlds: scenario => scenario.lock !== undefined && strikes(scenario, 's3-refuses'),
  },
  {
    name: 'a record is remembered as sent again before it is',
    file: 'delivery/redrive.ts',
    right: 'const resent = await target.send(fresh)',
    wrong: 'remember(chunk)\n    const resent = await target.send(fresh)',
    cause: /was refused, sent again and is not archived/,
    worlds: scenario =>
      scenario.isOperated &&
      strikes(scenario, 'transform-fails') &&
      (['function-killed', 'put-hangs', 'put-partial', 'put-throttled'] as const).some(kind => strikes(scenario, kind)),
  },
  {
    name: 'a change that Kinesis has twice has two ids',
    file: 'transform/fast/row.ts',
    right: "const eventId = capture === 'kinesis' ? '-' : (scanner.eventId ?? '-')",
    wrong: "const eventId = scanner.eventId ?? '-'",
    cause: /is counted 2 times/,
    worlds: scenario => scenario.capture === 'kinesis' && strikes(scenario, 'replication-twice'),
  },
]
