import type { Scheduler } from './scheduler.js'
import { MINUTE_MS } from './times.js'

/** What was measured in a world, by metric and minute, as CloudWatch keeps it. */
export interface Minute {
  sum: number
  max: number
  count: number
}

export class Metrics {
  private readonly byName = new Map<string, Map<number, Minute>>()

  constructor(private readonly now: () => number) {}

  /** Counts one value of a metric, such as `AWS/Lambda forwarder Errors`. */
  put(name: string, value: number): void {
    const minute = Math.floor(this.now() / MINUTE_MS)
    let minutes = this.byName.get(name)
    if (minutes === undefined) {
      minutes = new Map()
      this.byName.set(name, minutes)
    }
    const known = minutes.get(minute)
    if (known === undefined) minutes.set(minute, { sum: value, max: value, count: 1 })
    else {
      known.sum += value
      known.max = Math.max(known.max, value)
      known.count++
    }
  }

  /** The minutes since 1970 in which a metric was measured, in their order. */
  minutesOf(name: string): ReadonlyMap<number, Readonly<Minute>> {
    return this.byName.get(name) ?? new Map()
  }

  /** All that was counted of it. */
  sumOf(name: string): number {
    let sum = 0
    for (const minute of this.minutesOf(name).values()) sum += minute.sum
    return sum
  }
}

/** Something that is measured at the end of each minute, as long as there is something to measure. */
export class Gauge {
  private isRunning = false

  constructor(
    private readonly scheduler: Scheduler,
    private readonly isBusy: () => boolean,
    private readonly measure: () => void,
  ) {}

  /** Begins, where it does not run already. */
  start(): void {
    if (this.isRunning || !this.isBusy()) return
    this.isRunning = true
    this.scheduler.after(MINUTE_MS, () => {
      this.isRunning = false
      this.measure()
      this.start()
    })
  }
}
