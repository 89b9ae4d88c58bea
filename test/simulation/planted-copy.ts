/** Bugs of the compactor, and of who reads what it made. */
import type { FaultKind } from '../../simulation/faults.js'
import type { Scenario } from '../../simulation/scenario.js'
import type { Planted } from './planted.js'

/** Where no answer of S3 is heard for hours, Firehose writes thousands of objects: that takes long. */
const isCompacted = ({ isCompacted = false, isReadAtLast, faults }: Scenario) =>
  isCompacted && !isReadAtLast && !faults.some(({ kind, rate }) => kind === 's3-unheard' && rate === 1)

const LATE: readonly FaultKind[] = ['put-throttled', 'put-hangs', 'mapping-pauses', 'kinesis-behind']
const HOUR_MS = 3_600_000

/** What came before midnight, at nine hours, comes to the archive when the day has been copied, at twelve. */
const hasLateDay = (scenario: Scenario) =>
  isCompacted(scenario) &&
  scenario.load.perHour > 2 &&
  scenario.faults.some(({ kind, rate, fromMs, toMs }) => {
    if (kind === 'replication-slow' || (kind === 'transform-fails' && scenario.isOperated)) return fromMs < 9 * HOUR_MS
    return LATE.includes(kind) && rate === 1 && fromMs < 8 * HOUR_MS && toMs > 12 * HOUR_MS
  })

const COPY: readonly Planted[] = [
  {
    name: 'a late day is believed to be as it was copied',
    file: 'derived/coverage.ts',
    right: 'if (listDigest(objectsOf(its, listed)) === run.covered) for',
    wrong: "if (run.covered !== '') for",
    cause: /copy has \d+ rows, where the archive has \d+ of/,
    worlds: hasLateDay,
  },
  {
    name: 'a compactor misses a late day',
    file: 'derived/due-days.ts',
    right: 'day => !coverage.days.has(day) && isSettled(day)',
    wrong:
      "day => !coverage.days.has(day) && day > (situation.manifest?.runs.at(-1)?.days.at(-1)?.[1] ?? '') && isSettled(day)",
    cause: /day \S+ is not copied as it is/,
    worlds: hasLateDay,
  },
  {
    name: 'a kept answer is believed of days that came after it',
    file: 'derived/compactor.ts',
    right: 'lacks: [...new Set([...answer.lacks, ...added])].sort()',
    wrong: 'lacks: answer.lacks',
    cause: /answer \w+ has \d+ rows, where the archive has/,
  },
]

export const PLANTED_COPY: readonly Planted[] = COPY.map(bug => ({ worlds: isCompacted, ...bug }))
