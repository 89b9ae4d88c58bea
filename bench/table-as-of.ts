import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compactTable } from '../derived/desk-compactor.js'
import { openDesk } from '../library/open-archive.js'
import { itemsAt } from '../queries/verdict/table-at.js'
import { bytesOf, COUNTS_BYTES, showBytes } from './bytes-read.js'
import { compareCpu, type Finding, type Suite, type SuiteResult, showSpread } from './suite.js'
import { linkArchive, makeSyntheticArchive, SYNTHETIC_BEGIN_US, SYNTHETIC_TABLE } from './synthetic-archive.js'

export interface TableAsOfSize {
  readonly items: number
  /** Days between two changes of an item. */
  readonly daysPerChange: number
  /** Ages of the archives, each as old again as the one before. */
  readonly days: readonly number[]
  readonly objectsPerDay: number
  readonly checkpointBytes: number
  readonly rounds: number
}

/** `BENCH_ITEMS` items, each of which changes every third day. */
const SIZE: TableAsOfSize = {
  items: Number(process.env.BENCH_ITEMS ?? 20_000),
  daysPerChange: 3,
  days: [30, 60, 120],
  objectsPerDay: 8,
  checkpointBytes: 40 * 1024 ** 2,
  rounds: 6,
}

export const suite: Suite = {
  name: 'table-as-of',
  question: 'What does the state of a whole table cost as its archive grows older?',
  run: note => measureTableAsOf(SIZE, note),
}

/**
 * Asks archives of several ages what the table held near their end, replayed from the beginning and from a checkpoint.
 */
export async function measureTableAsOf(size: TableAsOfSize, note: (text: string) => void): Promise<SuiteResult> {
  if (!COUNTS_BYTES)
    return { findings: [], remarks: [], leftOut: ['table-as-of: this system does not count bytes read'] }
  const findings: Finding[] = []
  let youngest: number | undefined
  for (const days of size.days) {
    const folder = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
    try {
      const [plain, compacted] = [join(folder, 'plain'), join(folder, 'compacted')]
      const versions = Math.max(1, Math.round(days / size.daysPerChange))
      note(`making ${size.items * versions} rows in ${days} days`)
      await makeSyntheticArchive(plain, { ...size, days, versions })
      linkArchive(plain, compacted)
      await compactTable(compacted, SYNTHETIC_TABLE.table, { checkpointBytes: size.checkpointBytes })
      note('asking')
      // noon of the last day
      const us = SYNTHETIC_BEGIN_US + days * 86_400_000_000 - 43_200_000_000
      const [before, after] = [await bytesOf(() => ask(plain, us)), await bytesOf(() => ask(compacted, us))]
      const cpu = await compareCpu({ replay: () => ask(plain, us), checkpoint: () => ask(compacted, us) }, size.rounds)
      youngest ??= after
      findings.push({
        what: `table as of, ${size.items.toLocaleString('en-US')} items, archive of ${days} days: bytes`,
        against: `replay from the beginning: ${showBytes(before)}`,
        figure: `${showBytes(after)}, 1/${(before / after).toFixed(1)}; ${(after / youngest).toFixed(2)} of the youngest archive’s`,
        target: 'not growing with age: at most 1.5',
        reached: after <= 1.5 * youngest,
      })
      findings.push({
        what: `the same: CPU`,
        against: `replay: ${showSpread(cpu.replay.cpuMs, 0)} ms`,
        figure: `${showSpread(cpu.checkpoint.cpuMs, 0)} ms, ratio ${showSpread(cpu.checkpoint.ratio)}`,
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return {
    findings,
    remarks: [
      'The whole answer as the command gives it: states, how far each can be believed, and items older than their first change. Bytes depend on where the last checkpoint happens to lie.',
    ],
    leftOut: [],
  }
}

async function ask(root: string, us: number): Promise<number> {
  const engine = await openDesk(root)
  try {
    let items = 0
    for await (const _ of itemsAt(engine, SYNTHETIC_TABLE, { us })) items++
    return items
  } finally {
    engine.close()
  }
}
