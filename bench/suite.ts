/** What every suite of `npm run bench` is made of: what was measured, against what, and how. */

/** One line of docs/benchmarks.md. */
export interface Finding {
  readonly what: string
  /** What a user would pick instead, or the floor. */
  readonly against: string
  /** The figure with its unit; a ratio with its spread. */
  readonly figure: string
  /** What it must reach; undefined where the figure is for scale only. */
  readonly target?: string
  /** Whether it does. */
  readonly reached?: boolean
}

export interface SuiteResult {
  readonly findings: readonly Finding[]
  /** What a reader must know about the data and the method. */
  readonly remarks: readonly string[]
  /** Rows that could not be measured here, by name and reason. */
  readonly leftOut: readonly string[]
}

/** One suite: `npm run bench -- NAME`. */
export interface Suite {
  readonly name: string
  readonly question: string
  /** `note` tells progress on standard error. */
  readonly run: (note: (text: string) => void) => Promise<SuiteResult>
}

/** Median, 10th and 90th percentile. */
export interface Spread {
  readonly median: number
  readonly p10: number
  readonly p90: number
}

/** Rounds that a comparison takes: this kind of machine is noisy, and a median of fewer says little. */
export const PAIRS = 12

/**
 * Runs the contestants in turn, in an order that rotates from round to round, and compares the process CPU (user and
 * system, garbage collection included) of each with that of the first, round by round. Keys are the names handed in.
 */
export async function compareCpu<Name extends string>(
  contestants: Readonly<Record<Name, () => unknown>>,
  rounds = PAIRS,
): Promise<Readonly<Record<Name, { readonly ratio: Spread; readonly cpuMs: Spread }>>> {
  const names = Object.keys(contestants) as Name[]
  const first = names[0] as Name
  const times = new Map<Name, number[]>(names.map(name => [name, []]))
  // one round to warm up
  for (const name of names) await contestants[name]()
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(round + i) % names.length] as Name
      times.get(name)?.push(await cpuMsOf(contestants[name]))
    }
  }
  const of = (name: Name) => times.get(name) as number[]
  const results = names.map(name => {
    const ratios = of(name).map((ms, round) => ms / (of(first)[round] as number))
    return [name, { ratio: spreadOf(ratios), cpuMs: spreadOf(of(name)) }] as const
  })
  return Object.fromEntries(results) as Record<Name, { readonly ratio: Spread; readonly cpuMs: Spread }>
}

/** Process CPU that something takes, in milliseconds. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Between two values, as far from each as the share is. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]] as [number, number]
    return below + (above - below) * (place - Math.floor(place))
  }
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) }
}

/** `0.82 (0.79-0.86)`. */
export function showSpread({ median, p10, p90 }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${p10.toFixed(digits)}-${p90.toFixed(digits)})`
}
