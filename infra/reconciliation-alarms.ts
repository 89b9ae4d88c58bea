import { NIGHTLY_LATE_HOURS } from '../config/nightly.js'
import type { AlarmRule } from './alarm-rule.js'
import type { TableReconciliation } from './table-reconciliation.js'

/** What is watched of a table's nightly comparison. */
export const RECONCILIATION_ALARMS: readonly AlarmRule<TableReconciliation>[] = [
  {
    name: 'reconcile-differs',
    severity: 'page',
    meaning: 'the table was something else than the archive says: a change was lost, or altered',
    metric: station => station.metric('differences'),
    threshold: 0,
    // counted once a night, and to be seen all day
    minutes: [1, 24],
  },
  {
    name: 'reconcile-late',
    severity: 'warn',
    meaning: 'the table has not been compared with its archive for a night, or nobody knows',
    metric: station => station.metric('age'),
    threshold: NIGHTLY_LATE_HOURS,
    silence: 'alarm',
    minutes: [3, 3],
  },
  {
    name: 'reconcile-fails',
    severity: 'warn',
    meaning: 'the comparison of the table with its archive fails',
    metric: station => station.metricErrors(),
    // of 96 calls
    threshold: 2,
    minutes: [1, 1],
  },
]
