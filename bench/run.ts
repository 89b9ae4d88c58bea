/** Runs suites one after another and writes down what they found. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Machine } from './machine.js'
import { type Report, toText, updateDocument } from './report.js'
import type { Suite } from './suite.js'

export interface Bench {
  /** Names of all suites. */
  readonly known: readonly string[]
  readonly load: (name: string) => Promise<Suite>
  /** Names of those to run; none means all. */
  readonly wanted: readonly string[]
  /** Path of the document that is written. */
  readonly document: string
  readonly machine: Machine
  /** `YYYY-MM-DD`. */
  readonly today: string
  readonly out: (text: string) => void
  readonly note: (text: string) => void
}

/**
 * Runs the suites, prints what each found and writes the document after each, so that an interrupted run keeps what it
 * has. A suite that fails takes no other along and keeps its section of before. Returns 0, 1 where one failed, 2 for an
 * unknown name.
 */
export async function runBench(bench: Bench): Promise<0 | 1 | 2> {
  const { known, wanted, note } = bench
  const unknown = wanted.filter(name => !known.includes(name))
  if (unknown.length > 0) {
    note(`suite "${unknown[0]}" is unknown, expected ${known.join(', ')}\n`)
    return 2
  }
  const failed: string[] = []
  for (const name of wanted.length > 0 ? new Set(wanted) : known) {
    const report = await runSuite(bench, name)
    if (report === undefined) {
      failed.push(name)
      continue
    }
    bench.out(toText(report))
    keep(bench, report)
  }
  if (failed.length > 0) note(`failed: ${failed.join(', ')}\n`)
  return failed.length > 0 ? 1 : 0
}

async function runSuite({ load, machine, today, note }: Bench, name: string): Promise<Report | undefined> {
  note(`── ${name}\n`)
  try {
    const suite = await load(name)
    return { suite, result: await suite.run(text => note(`${name}: ${text.trimEnd()}\n`)), machine, date: today }
  } catch (error) {
    note(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`)
    return undefined
  }
}

function keep({ document, known }: Bench, report: Report): void {
  const before = existsSync(document) ? readFileSync(document, 'utf8') : ''
  writeFileSync(document, updateDocument(before, [report], known))
}
