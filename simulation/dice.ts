import { createRandom } from '../bench/random.js'

/** The one source of chance in a world: everything that happens by accident is drawn from a seed. */
export class Dice {
  private readonly next: () => number

  constructor(private readonly seed: number) {
    this.next = createRandom(seed)
  }

  /** From 0 to below 1. */
  readonly random = (): number => this.next()

  /** True with a probability. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability
  }

  /** A whole number from `from` to below `to`. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from))
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length)] as T
  }

  /** So many bytes as lower hex. */
  hex(bytes: number): string {
    let text = ''
    while (text.length < 2 * bytes)
      text += Math.floor(this.next() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, 2 * bytes)
  }

  /**
   * A source of its own for one part of the world: what one part draws, or is left without, changes nothing for the
   * others.
   */
  fork(part: string): Dice {
    let seed = this.seed >>> 0
    for (let i = 0; i < part.length; i++) seed = Math.imul(seed ^ part.charCodeAt(i), 0x01000193) >>> 0
    return new Dice(seed)
  }
}
