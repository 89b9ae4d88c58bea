import type { Dice } from './dice.js'

/** Something that will happen at a moment of virtual time. */
interface Event {
  readonly time: number
  /** Of events at one moment this decides, so that each order is as likely as another. */
  readonly tie: number
  readonly happen: () => void
  cancelled: boolean
}

/** Ends what was to happen. */
export type Cancel = () => void

/**
 * Virtual time. Nothing passes but from one event to the next, and the real code between two events has always come to
 * its next call of the world before the second one happens, so a seed has one story.
 */
export class Scheduler {
  /** How much has happened. */
  events = 0
  /** Of when each of it happened, in order: two runs that part have another one. */
  trace = 0
  private readonly heap: Event[] = []
  private time: number
  private background: Promise<unknown>[] = []

  /** `start` in milliseconds since 1970. */
  constructor(
    start: number,
    private readonly dice: Dice,
  ) {
    this.time = start
  }

  /** Milliseconds since 1970, in the world. */
  get now(): number {
    return this.time
  }

  /** Has something happen after so many milliseconds. */
  after(ms: number, happen: () => void): Cancel {
    const event = { time: this.time + Math.max(0, ms), tie: this.dice.random(), happen, cancelled: false }
    this.push(event)
    return () => {
      event.cancelled = true
    }
  }

  /** Has time stand still until something is done that Node itself does in the background. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.background.push(work)
    return work
  }

  /** Resolves after so many milliseconds. For what never dies; a process sleeps by its own `sleep`. */
  sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve))
  }

  /** Lets time pass until a moment; what is due later stays. */
  async runUntil(end: number): Promise<void> {
    await this.quiet()
    for (let event = this.heap[0]; event !== undefined && event.time <= end; event = this.heap[0]) {
      this.pop()
      if (event.cancelled) continue
      this.time = event.time
      this.events++
      this.trace = (Math.imul(this.trace, 31) + Math.floor(event.time * 1000)) | 0
      event.happen()
      await this.quiet()
    }
    this.time = end
  }

  /** Resolves when all that can run without another event has run. */
  private async quiet(): Promise<void> {
    await emptied()
    while (this.background.length > 0) {
      await Promise.allSettled(this.background.splice(0))
      await emptied()
    }
  }

  private push(event: Event): void {
    const { heap } = this
    let place = heap.push(event) - 1
    for (let above = (place - 1) >> 1; place > 0 && isBefore(event, heap[above] as Event); above = (place - 1) >> 1) {
      heap[place] = heap[above] as Event
      place = above
    }
    heap[place] = event
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop() as Event
    if (heap.length === 0) return
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Event, heap[below] as Event)) below++
      if (below >= heap.length || isBefore(last, heap[below] as Event)) break
      heap[place] = heap[below] as Event
      place = below
    }
    heap[place] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.tie < b.tie)
}

/** Node empties its queue of promises before this. */
function emptied(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
