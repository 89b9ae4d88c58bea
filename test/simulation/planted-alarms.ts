/** Bugs of what alarms measure, and of when they go off. */
import type { Scenario } from '../../simulation/scenario.js'
import { isQuick, type Planted, strikes } from './plant.js'

const byStreams = (scenario: Scenario) => isQuick(scenario) && scenario.path === 'aws' && scenario.capture === 'streams'
const hasLarge = (scenario: Scenario) => byStreams(scenario) && scenario.load.oversize > 0
const skipsLarge = (scenario: Scenario) =>
  isQuick(scenario) && scenario.capture === 'kinesis' && scenario.load.oversize > 0

/** Each goes off for something else than it says, or not for all of it. */
export const PLANTED_ALARMS: readonly Planted[] = [
  {
    name: 'a large record that was kept counts as left',
    file: 'capture/forwarder.ts',
    right: 'RecordsLeft: countRecords(left),',
    wrong: 'RecordsLeft: countRecords(left) + kept.kept.length,',
    cause: /alarm put-failures fires for nothing/,
    worlds: hasLarge,
  },
  {
    name: 'an alarm of twelve hours goes off after twelve minutes',
    file: 'infra/alarms.ts',
    right: '12 * HOUR,',
    wrong: '12 * MINUTE,',
    cause: /alarm twelve-hours-to-loss fires for nothing[\s\S]*fault: mapping-pauses/,
    worlds: strikes(byStreams, 'mapping-pauses'),
  },
  {
    name: 'an alarm tells of two changes that are skipped at once and not of one',
    file: 'infra/alarms.ts',
    right: "replication('FailedToReplicateRecordCount', 'SUM'),\n    0,",
    wrong: "replication('FailedToReplicateRecordCount', 'SUM'),\n    1,",
    cause: /is neither archived nor kept, and no alarm or fact tells[\s\S]*dynamodb: skips/,
    worlds: skipsLarge,
  },
  {
    name: 'a transform that fails is told when it has failed in three minutes of five',
    file: 'infra/alarms.ts',
    right: "lambda('transform', 'Errors'), 0, FIRST_TIME)",
    wrong: "lambda('transform', 'Errors'), 0, THREE_OF_FIVE)",
    cause: /alarm transform-errors or transform-throttles should fire[\s\S]*firehose: refuses/,
    worlds: strikes(byStreams, 'transform-fails'),
    mended: '9a0ac40',
  },
]
