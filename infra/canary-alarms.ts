import { Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { CANARY_LATE_SECONDS, CANARY_SECONDS } from '../config/canary.js'
import type { AlarmRule } from './alarm-rule.js'
import type { Canary } from './canary.js'

/** What is watched of the canary. That it does nothing itself has an alarm of its own, and is not taken for a lag. */
export const CANARY_ALARMS: readonly AlarmRule<Canary>[] = [
  {
    name: 'canary-late',
    severity: 'page',
    meaning: 'a write takes longer than 40 minutes from a table into the archive',
    metric: canary => canary.metric('lag'),
    threshold: CANARY_LATE_SECONDS,
    minutes: [2, 3],
  },
  {
    name: 'canary-missing',
    severity: 'page',
    meaning: 'a write is not in the archive, and later ones are',
    metric: canary => canary.metric('missing'),
    threshold: 0,
    // what Firehose could not write at once comes after what it could
    minutes: [6, 6],
  },
  {
    name: 'canary-silent',
    severity: 'warn',
    meaning: 'the canary has not been written or looked for in half an hour: nobody knows whether changes arrive',
    metric: canary => canary.metric('lag', Stats.SAMPLE_COUNT, 3 * CANARY_SECONDS),
    threshold: 1,
    below: true,
    silence: 'alarm',
    minutes: [2, 2],
  },
]
