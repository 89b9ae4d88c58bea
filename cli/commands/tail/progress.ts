import type { TailStatus } from '../../../capture/tail-status.js'
import type { Io } from '../../io.js'
import { grouped, showDuration } from '../../show/progress.js'
import { WIPE_LINE } from '../../show/terminal.js'
import { cut, printable } from '../../show/text.js'

/** The rate is that of so many milliseconds. */
const WINDOW_MS = 10_000

/** Milliseconds between two lines where there is no terminal: while something goes on, and while nothing does. */
const BUSY_MS = 30_000
const QUIET_MS = 15 * 60_000

/** Milliseconds between two notes of the same kind. */
const REPEAT_MS = 30_000

/** How a tail goes, on standard error: one line that rewrites itself on a terminal, else a line now and then. */
export class TailProgress {
  private samples: { readonly at: number; readonly records: number }[] = []
  private shownAt: number | undefined
  private shownRecords = 0
  private retriedAt: number | undefined

  constructor(
    private readonly io: Io,
    private readonly table: string,
    /** Milliseconds of a clock that does not jump. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  update(status: TailStatus): void {
    const now = this.now()
    this.samples.push({ at: now, records: status.records })
    while (this.samples.length > 2 && now - (this.samples[0] as { at: number }).at > WINDOW_MS) this.samples.shift()
    const pause = this.io.errIsTerminal ? 200 : status.records > this.shownRecords ? BUSY_MS : QUIET_MS
    if (this.shownAt !== undefined && now - this.shownAt < pause) return
    // without a terminal the first line would say only that nothing was read yet
    const isFirst = this.shownAt === undefined && !this.io.errIsTerminal
    this.shownAt = now
    if (isFirst) return
    this.shownRecords = status.records
    const text = printable(describeStatus(this.table, status, this.rate()))
    this.io.err(this.io.errIsTerminal ? `${WIPE_LINE}${cut(text, (this.io.columns ?? 80) - 1)}` : `${text}\n`)
  }

  /** Something that has to be said in between. */
  say(text: string): void {
    this.end()
    this.io.err(`${printable(text)}\n`)
  }

  /** A failure that is waited for: said now and then, since there may be many. */
  retry(error: Error): void {
    const now = this.now()
    if (this.retriedAt !== undefined && now - this.retriedAt < REPEAT_MS) return
    this.retriedAt = now
    const { name, message } = error
    this.say(
      `stream of ${this.table} could not be read, trying again: ${name}: ${message || (error as NodeJS.ErrnoException).code}`,
    )
  }

  end(): void {
    if (this.io.errIsTerminal && this.shownAt !== undefined) this.io.err(WIPE_LINE)
  }

  private rate(): number {
    const [first, last] = [this.samples[0], this.samples.at(-1)]
    if (first === undefined || last === undefined || last.at === first.at) return 0
    return ((last.records - first.records) * 1000) / (last.at - first.at)
  }
}

/** `Orders  1,234 changes, 56/s  12 s behind  3 shards  23.9 h until loss`. */
export function describeStatus(table: string, { records, shards, lag, untilLoss }: TailStatus, rate: number): string {
  const waiting = shards.waiting > 0 ? ` and ${grouped(shards.waiting)} waiting` : ''
  const parts = [
    table,
    `${grouped(records)} ${records === 1 ? 'change' : 'changes'}, ${grouped(Math.round(rate))}/s`,
    lag === null ? 'lag not known yet' : lag === 0 ? 'caught up' : `${showDuration(lag / 1000)} behind`,
    `${grouped(shards.reading)} ${shards.reading === 1 ? 'shard' : 'shards'}${waiting}`,
  ]
  if (untilLoss !== null) parts.push(`${showDuration(untilLoss / 1000)} until loss`)
  return parts.join('  ')
}
