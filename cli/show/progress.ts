import type { Io } from '../io.js'
import { WIPE_LINE } from './terminal.js'

/**
 * How far a long piece of work is, on standard error: one line that rewrites itself on a terminal, else a line now
 * and then.
 */
export class Progress {
  private readonly startedAt = performance.now()
  private shownAt = 0

  /** `done` and `total` of the work, in the same unit; the total may be unknown. */
  constructor(
    private readonly io: Io,
    private readonly noun: string,
    private readonly nouns = `${noun}s`,
  ) {}

  /** Cheap to call for each record: it looks at the clock, and writes a few times a second at most. */
  update(count: number, done: number, total: number | undefined): void {
    const now = performance.now()
    const [last, pause] = this.io.errIsTerminal ? [this.shownAt, 100] : [this.shownAt || this.startedAt, 5000]
    if (now - last < pause) return
    this.shownAt = now
    const seconds = (now - this.startedAt) / 1000
    const text = this.describe(count, done, total, seconds)
    this.io.err(this.io.errIsTerminal ? `${WIPE_LINE}${text}` : `${text}\n`)
  }

  /**
   * Says what goes on when there is nothing to count any more. Terminals only: elsewhere it would be one line too
   * many.
   */
  note(text: string): void {
    if (this.io.errIsTerminal && this.shownAt > 0) this.io.err(`${WIPE_LINE}${text}`)
  }

  end(): void {
    // lines that stay are not repeated because something else is told between them
    if (!this.io.errIsTerminal || this.shownAt === 0) return
    this.io.err(WIPE_LINE)
    this.shownAt = 0
  }

  private describe(count: number, done: number, total: number | undefined, seconds: number): string {
    const rate = `${grouped(count)} ${count === 1 ? this.noun : this.nouns}, ${grouped(Math.round(count / seconds))}/s`
    if (total === undefined || done === 0) return rate
    const share = Math.min(1, done / total)
    const left = showDuration((seconds * (1 - share)) / share)
    return `${bar(share)} ${String(Math.floor(share * 100)).padStart(3)} %  ${rate}, ${left} left`
  }
}

/** `40 s`, `12 min`, `3.5 h`. */
export function showDuration(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

function bar(share: number): string {
  const filled = Math.round(share * 20)
  return `${'█'.repeat(filled)}${'░'.repeat(20 - filled)}`
}

/** A whole number with thousands apart: 1,234,567. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US')
}
