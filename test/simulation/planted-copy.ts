/** Bugs of the compactor, and of who reads what it made. */
import type { Scenario } from '../../simulation/scenario.js'
import { isQuick, type Planted, strikes } from './plant.js'

/** Where no answer of S3 is heard for hours, Firehose writes thousands of objects: that takes long. */
const isCompacted = (scenario: Scenario) =>
  isQuick(scenario) &&
  scenario.isCompacted === true &&
  !scenario.faults.some(({ kind, rate }) => kind === 's3-unheard' && rate === 1)

/** Where what is of a day comes when that was copied. */
const hasLateDay = strikes(isCompacted, 'delivery-slow')

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
    name: 'a checkpoint is used though a day before it has changed',
    file: 'derived/coverage.ts',
    right: 'filter(({ day }) => until !== undefined && day <= until)',
    wrong: "filter(({ day }) => day !== '')",
    cause: /checkpoint leads to/,
    worlds: hasLateDay,
  },
  {
    name: 'a kept answer is believed of days that came after it',
    file: 'derived/compactor.ts',
    right: 'lacks: [...new Set([...answer.lacks, ...added])].sort()',
    wrong: 'lacks: answer.lacks',
    cause: /answer \S+ has \d+ rows, where the archive has[\s\S]*published \{"answer"/,
  },
]

export const PLANTED_COPY: readonly Planted[] = COPY.map(bug => ({ worlds: isCompacted, ...bug }))
