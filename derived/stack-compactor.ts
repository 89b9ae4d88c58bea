import { keptStatements } from '../queries/each-item.js'
import { AthenaWriter, type AthenaWriterOptions } from './athena-writer.js'
import { type Budget, type CompactorOptions, compact, type Published } from './compactor.js'
import { type ListedArchive, listingOf } from './coverage.js'
import type { DerivedObjects } from './publisher.js'

/** How a stack compacts a table. */
export interface StackCompactorOptions extends AthenaWriterOptions, Pick<CompactorOptions, 'newName'> {
  readonly archive: ListedArchive
  /** Where derived files are: the one place that it writes to, and removes from. */
  readonly derived: DerivedObjects
  /** Bytes of the archive that one run takes in at most, unless a single day has more. */
  readonly runBytes: number
  /** Bytes of the archive after which a checkpoint is due, at least. @default - 256 MB */
  readonly checkpointBytes?: number
  /** The statements whose answers are kept. @default - those whose verdicts every command asks for */
  readonly answers?: CompactorOptions['answers']
  readonly onPublished?: (published: Published) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

const HOUR_MS = 60 * 60_000

const RULES = {
  /** Firehose buffers for 15 minutes at most. */
  quietMs: 2 * HOUR_MS,
  writtenMs: HOUR_MS,
  replacedMs: 24 * HOUR_MS,
  /** Below that, replaying is as fast. */
  checkpointBytes: 256 * 1024 ** 2,
  rebuild: false,
  replacesUnreadable: false,
  triesLess: true,
} as const

/** What a function of a stack does of a table each time it is called, for as long as it may take. */
export function createStackCompactor(options: StackCompactorOptions): (budget: Budget) => Promise<void> {
  const { now = Date.now, archive, answers = keptStatements(options.configuration) } = options
  const list = listingOf(archive)
  return async budget => {
    await compact({ ...RULES, ...options, answers, list, now, writer: new AthenaWriter(options, budget) }, budget)
  }
}
