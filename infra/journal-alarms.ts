import { Duration } from 'aws-cdk-lib'
import { LATE_DAYS } from '../journal/journal-metrics.js'
import type { AlarmRule } from './alarm-rule.js'
import { type Journal, SEALING } from './journal.js'

const HOUR = Duration.hours(1)

/** What is watched of a journal. The last seal is late when two intervals have passed without one. */
export const JOURNAL_ALARMS: readonly AlarmRule<Journal>[] = [
  {
    name: 'seal-late',
    severity: 'page',
    meaning: 'nothing has been sealed for two hours: what is newer than the last seal is under no signature',
    metric: journal => journal.metric('seals', SEALING.every),
    threshold: 1,
    below: true,
    silence: 'alarm',
    minutes: [2, 2],
  },
  {
    name: 'journal-forked',
    severity: 'page',
    meaning: 'the journal is not the one that was sealed: another history, file or key',
    metric: journal => journal.metric('forked', HOUR),
    threshold: 0,
    minutes: [1, 1],
  },
  {
    name: 'object-altered',
    severity: 'page',
    meaning: 'objects that were sealed are gone, or are others',
    metric: journal => journal.metric('altered', SEALING.checkedEvery),
    threshold: 0,
    minutes: [1, 1],
  },
  {
    name: 'object-unlisted',
    severity: 'page',
    meaning: 'objects lie in the archive that no sealing took',
    metric: journal => journal.metric('unlisted', SEALING.checkedEvery),
    threshold: 0,
    minutes: [1, 1],
  },
  {
    name: 'key-closing',
    severity: 'page',
    meaning: 'the key of the archive or of its journal is disabled or waits for its deletion, or nobody knows',
    metric: journal => journal.metric('keysClosing', SEALING.every),
    threshold: 0,
    silence: 'alarm',
    minutes: [2, 2],
  },
  {
    name: 'key-used',
    severity: 'page',
    meaning: 'the key of the journal was used by no sealing',
    metric: journal => journal.metric('keyUsed', HOUR),
    threshold: 0,
    minutes: [1, 1],
  },
  {
    name: 'journal-unchecked',
    severity: 'warn',
    meaning: 'the archive has not been held against its journal for two days',
    metric: journal => journal.metric('checks', SEALING.checkedEvery),
    threshold: 1,
    below: true,
    silence: 'alarm',
    minutes: [2, 2],
  },
  {
    name: 'turn-late',
    severity: 'warn',
    meaning: `old days of the archive, or of its journal, have not been looked at for ${LATE_DAYS} days`,
    metric: journal => journal.metric('turnsLate', SEALING.checkedEvery),
    threshold: 0,
    minutes: [1, 1],
  },
]
