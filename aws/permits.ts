/** Lets so many pieces of work run at once; the others wait, first come, first served. */
export class Permits {
  private readonly waiting: (() => void)[] = []
  private running = 0

  /** `allowed` may be changed while work is under way: fewer begin, or more. */
  constructor(public allowed: number) {}

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.allowed) this.running++
    else await new Promise<void>(resolve => this.waiting.push(resolve))
    try {
      return await work()
    } finally {
      this.running--
      this.admit()
    }
  }

  /** Who is let in counts as running at once, so that nobody takes the place first. */
  private admit(): void {
    while (this.running < this.allowed) {
      const next = this.waiting.shift()
      if (next === undefined) return
      this.running++
      next()
    }
  }
}
