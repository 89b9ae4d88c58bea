import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compactTable } from '../derived/desk-compactor.js'
import type { OpenArchive } from '../library/archive.js'
import { openArchive } from '../library/open-archive.js'
import { formatInstant } from '../transform/instant.js'
import { compareCpu, type Finding, type Suite, type SuiteResult, showSpread } from './suite.js'
import { makeSyntheticArchive, SYNTHETIC_BEGIN_US } from './synthetic-archive.js'

export interface VerdictSize {
  readonly items: number
  readonly versions: number
  readonly days: number
  readonly objectsPerDay: number
  readonly rounds: number
}

/** 200,000 changes. */
const SIZE: VerdictSize = { items: 20_000, versions: 10, days: 30, objectsPerDay: 8, rounds: 6 }

export const suite: Suite = {
  name: 'verdict',
  question: 'What does it cost to say how sure an answer is, beside the answer?',
  run: note => measureVerdict(SIZE, note),
}

const DAY_US = 86_400_000_000

/** Asks a few questions of an archive, and how sure each answer is, with and without what a compaction keeps. */
export async function measureVerdict(size: VerdictSize, note: (text: string) => void): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
  const findings: Finding[] = []
  try {
    const [plain, compacted] = [join(folder, 'plain'), join(folder, 'compacted')]
    note(`making ${size.items * size.versions} rows`)
    await makeSyntheticArchive(plain, size)
    mkdirSync(compacted)
    for (const name of ['data', 'config']) symlinkSync(join(plain, name), join(compacted, name))
    await compactTable(compacted, 'Orders', {})
    const at = (day: number) => formatInstant(SYNTHETIC_BEGIN_US + day * DAY_US, 6)
    const questions = {
      'changes-between, a day': ['changes-between', { from: at(size.days - 2), to: at(size.days - 1) }],
      'deletions, all time': ['deletions', {}],
      'table-as-of': ['table-as-of', { at: at(size.days - 1) }],
      'status-transitions, all time': ['status-transitions', {}],
    } as const
    for (const [what, [name, parameters]] of Object.entries(questions)) {
      note(what)
      for (const [where, root] of Object.entries({ 'not compacted': plain, compacted })) {
        const cpu = await compareCpu(
          {
            question: () => inArchive(root, async archive => (await archive.run(name, 'Orders', parameters)).length),
            both: () =>
              inArchive(root, async archive => {
                const answer = await archive.run(name, 'Orders', parameters)
                return (await answer.verdict())?.tables[0]?.items ?? 0
              }),
          },
          size.rounds,
        )
        findings.push({
          what: `${what}, ${where}: CPU with the verdict`,
          against: `without: ${showSpread(cpu.question.cpuMs, 0)} ms`,
          figure: `${showSpread(cpu.both.cpuMs, 0)} ms, ratio ${showSpread(cpu.both.ratio)}`,
        })
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    findings,
    remarks: [
      'Each time the archive is opened anew. Rows are held against their hashes, where a copy does not say that they were.',
    ],
    leftOut: [],
  }
}

async function inArchive(root: string, ask: (archive: OpenArchive) => Promise<number>): Promise<number> {
  const archive = await openArchive(root)
  try {
    return await ask(archive)
  } finally {
    await archive.close()
  }
}
