/** What the processes of a world ask of services: who asked for what, how often, and how it was tried again. */

/**
 * What became of a call: done; failed, or never heard, by a fault; or so late that its caller may have asked again
 * meanwhile. What a service refuses for the request's own sake is done.
 */
export type CallEnding = 'done' | 'failed' | 'unheard' | 'late'

/** A call that a process of ours made. */
export interface Call {
  /** The service, its operation and where something is, such as `s3 GetObject log`. */
  readonly operation: string
  /** What it was about, such as the address of an object: who asks again asks about the same. */
  readonly about: string
  readonly ending: CallEnding
  /** When the process asked, in milliseconds since 1970, and how long request and answer travelled. */
  readonly atMs: number
  readonly travelMs: number
}

/** How often a run asked for one thing without being struck by a fault, and the time from the first to the last. */
export interface Asked {
  times: number
  readonly fromMs: number
  untilMs: number
}

/** Tries of one call that faults struck one after the other. */
export interface Row {
  readonly operation: string
  readonly about: string
  readonly tries: number
  /** Milliseconds that its caller let pass between them. */
  readonly pausesMs: number
}

/** What one process asked for, from its beginning to its end. */
export class Run {
  /** By operation, and what it was about. */
  readonly asked = new Map<string, Map<string, Asked>>()
  /** Each row as it grew. */
  readonly rows: Row[] = []
  /** How many calls faults struck. */
  struck = 0
  /** When it first and last asked for anything, in milliseconds since 1970. */
  fromMs = Number.POSITIVE_INFINITY
  untilMs = Number.NEGATIVE_INFINITY
  /** True once it came to its end, with nothing that it did not do. */
  isDone = false
  private readonly trials = new Map<string, { readonly row: Row; readonly endedMs: number }>()

  constructor(readonly name: string) {}

  note({ operation, about, ending, atMs, travelMs }: Call): void {
    this.fromMs = Math.min(this.fromMs, atMs)
    this.untilMs = Math.max(this.untilMs, atMs)
    const name = `${operation} ${about}`
    if (ending === 'done') {
      this.trials.delete(name)
      this.count(operation, about, atMs)
      return
    }
    this.struck++
    const trial = this.trials.get(name)
    const pauseMs = trial === undefined ? 0 : Math.max(0, atMs - trial.endedMs)
    const { tries, pausesMs } = trial?.row ?? { tries: 0, pausesMs: 0 }
    // who waits for an answer that is late has not failed yet
    const row = { operation, about, tries: tries + (ending === 'late' ? 0 : 1), pausesMs: pausesMs + pauseMs }
    this.trials.set(name, { row, endedMs: atMs + travelMs })
    if (ending !== 'late') this.rows.push(row)
  }

  private count(operation: string, about: string, atMs: number): void {
    const things = this.asked.get(operation) ?? new Map<string, Asked>()
    this.asked.set(operation, things)
    const known = things.get(about)
    if (known === undefined) things.set(about, { times: 1, fromMs: atMs, untilMs: atMs })
    else {
      known.times++
      known.untilMs = atMs
    }
  }
}

/** All runs of a world. */
export class Calls {
  readonly runs: Run[] = []

  begin(name: string): Run {
    const run = new Run(name)
    this.runs.push(run)
    return run
  }
}
