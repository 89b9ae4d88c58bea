import { createHash } from 'node:crypto'

/** What happened in a world, line by line, and a hash of it all: two runs of one seed have the same. */
export class Story {
  readonly lines: string[] = []
  private readonly times: number[] = []
  private readonly hash = createHash('sha256')
  private pending = ''

  constructor(
    private readonly now: () => number,
    private readonly start: number,
    private readonly isTold: boolean,
  ) {}

  tell(who: string, what: string): void {
    const ms = this.now() - this.start
    if (this.isTold) this.write(this.lines.length, ms, `${who}: ${what}`)
    this.pending += `${ms} ${who}: ${what}\n`
    if (this.pending.length > 65_536) this.digestPending()
  }

  /** Something for whoever reads the story alone, such as which changes a call carried: no part of the hash. */
  detail(who: string, what: () => string): void {
    if (this.isTold) this.write(this.lines.length, this.now() - this.start, `${who}: ${what()}`)
  }

  /** The same of something that happened before, at a moment in milliseconds since 1970. */
  recall(atMs: number, who: string, what: string): void {
    const ms = atMs - this.start
    if (this.isTold) this.write(this.times.findLastIndex(time => time <= ms) + 1, ms, `${who}: ${what}`)
  }

  private write(place: number, ms: number, line: string): void {
    this.lines.splice(place, 0, `${elapsed(ms)} ${line}`)
    this.times.splice(place, 0, ms)
  }

  /** Lower hex over all lines so far. */
  digest(): string {
    this.digestPending()
    return this.hash.copy().digest('hex')
  }

  private digestPending(): void {
    this.hash.update(this.pending)
    this.pending = ''
  }
}

/** The changes that some texts speak of, each once, by their sequence numbers. */
export function sequencesIn(texts: readonly string[]): readonly string[] {
  const found = texts.flatMap(text => [
    ...text.matchAll(/"(?:SequenceNumber|sequence|eventID)":"(?:[0-9a-f]{8}-)?0*(\d+)"/g),
  ])
  return [...new Set(found.map(([, sequence]) => sequence as string))]
}

/** `1d 02:03:04.005` */
function elapsed(ms: number): string {
  const days = Math.floor(ms / 86_400_000)
  const time = new Date(ms - days * 86_400_000).toISOString().slice(11, 23)
  return `${days}d ${time}`
}
