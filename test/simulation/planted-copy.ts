/** Bugs of the compactor, and of who reads what it made. */
import type { Scenario } from '../../simulation/scenario.js'
import type { Planted } from './planted.js'

const isCompacted = ({ isCompacted = false, isReadAtLast }: Scenario) => isCompacted && !isReadAtLast

const COPY: readonly Omit<Planted, 'worlds'>[] = [
  {
    name: 'a late day is believed to be as it was copied',
    file: 'derived/coverage.ts',
    right: 'if (listDigest(objectsOf(its, listed)) === run.covered) for',
    wrong: "if (run.covered !== '') for",
    cause: /copy has \d+ rows, where the archive has \d+ of/,
  },
  {
    name: 'a compactor misses a late day',
    file: 'derived/due-days.ts',
    right: 'day => !coverage.days.has(day) && isSettled(day)',
    wrong: 'day => !coverage.days.has(day) && !coverage.changed.has(day) && isSettled(day)',
    cause: /day \S+ is not copied as it is/,
  },
  {
    name: 'a checkpoint is used though a day before it has changed',
    file: 'derived/coverage.ts',
    right: 'filter(({ day }) => until !== undefined && day <= until)',
    wrong: "filter(({ day }) => day !== '')",
    cause: /checkpoint leads to/,
  },
  {
    name: 'a kept answer is believed of days that came after it',
    file: 'derived/compactor.ts',
    right: 'lacks: [...new Set([...answer.lacks, ...added])].sort()',
    wrong: 'lacks: answer.lacks',
    cause: /answer \w+ has \d+ rows, where the archive has/,
  },
  {
    name: 'what was written is not held against what is listed afterwards',
    file: 'derived/compactor.ts',
    right: 'const files = filesOfRun(name, await this.options.derived.entries(changesPrefix(this.table)))',
    wrong: 'const files = filesOfRun(name, (await this.options.derived.entries(changesPrefix(this.table))).slice(1))',
    cause: /copy has \d+ rows, where the archive has \d+ of|day \S+ is not copied as it is/,
  },
]

export const PLANTED_COPY: readonly Planted[] = COPY.map(bug => ({ ...bug, worlds: isCompacted }))
