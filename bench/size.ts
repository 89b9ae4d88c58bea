import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compactTable } from '../derived/desk-compactor.js'
import { sizeOf, totalsOf } from '../derived/manifest.js'
import { showBytes } from './bytes-read.js'
import { writeJsonLines } from './json-lines.js'
import type { Suite, SuiteResult } from './suite.js'
import { makeSyntheticArchive, SYNTHETIC_TABLE, type SyntheticSize } from './synthetic-archive.js'

/** `BENCH_ITEMS` items of ten changes each. */
const SIZE: SyntheticSize = {
  items: Number(process.env.BENCH_ITEMS ?? 100_000),
  versions: 10,
  days: 30,
  objectsPerDay: 24,
}

export const suite: Suite = {
  name: 'size',
  question: 'How large are the same changes as JSON lines, in an archive, and compacted?',
  run: note => measureSize(SIZE, note),
}

/** Writes the same changes three times. */
export async function measureSize(size: SyntheticSize, note: (text: string) => void): Promise<SuiteResult> {
  const root = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
  try {
    note(`making ${size.items * size.versions} rows`)
    await makeSyntheticArchive(root, size)
    note('writing JSON lines')
    const path = join(root, 'records.jsonl.gz')
    const rows = await writeJsonLines(root, path, Number.POSITIVE_INFINITY)
    note('compacting')
    const { manifest } = await compactTable(root, SYNTHETIC_TABLE.table)
    const { archiveBytes: snappy, bytes: copy } = totalsOf(manifest.runs)
    const lines = statSync(path).size
    const others = [...manifest.checkpoints, ...manifest.answers]
    const rest = others.reduce((total, { files }) => total + sizeOf(files).bytes, 0)
    const share = (bytes: number) => `${showBytes(bytes)}, ${(bytes / snappy).toFixed(2)}`
    const what = (name: string) => `${name}, ${rows.toLocaleString('en-US')} changes`
    return {
      findings: [
        { what: what('gzip JSON lines of the stream records'), against: 'the archive’s objects', figure: share(lines) },
        { what: what('objects as Firehose writes them, snappy'), against: '', figure: showBytes(snappy) },
        {
          what: what('clustered copy'),
          against: 'the archive’s objects',
          figure: share(copy),
          target: 'at most 0.40',
          reached: copy <= 0.4 * snappy,
        },
        {
          what: what(`${manifest.checkpoints.length} checkpoints and kept answers`),
          against: 'the archive’s objects',
          figure: share(rest),
        },
      ],
      remarks: ['Items of ten changes, images of about 0.9 KB, a fifth of which is random text.'],
      leftOut: [],
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
