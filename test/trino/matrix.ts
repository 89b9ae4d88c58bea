/** Query × engine: what each engine answered, gathered by the test files of a run and printed when all have ended. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ENGINES = ['DuckDB', 'Trino', 'Athena', 'fold'] as const

/** The rows that each engine answered to one question; null where it has no answer to it. */
export interface MatrixRow {
  readonly query: string
  readonly archive: string
  readonly rows: Readonly<Record<(typeof ENGINES)[number], number | null>>
  readonly equal: boolean
  readonly bytes: number
}

/** The environment variable that names the file between the processes of a run. */
const FILE = 'ITEMTRAIL_TEST_MATRIX'

/** Notes one answer. */
export function noteAnswer(row: MatrixRow): void {
  const file = process.env[FILE]
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`)
}

/** Begins a matrix for a run; the function that it gives prints it. */
export function beginMatrix(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-matrix-'))
  const file = join(folder, 'matrix.ndjson')
  writeFileSync(file, '')
  process.env[FILE] = file
  return () => {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter(line => line !== '')
    rmSync(folder, { recursive: true })
    if (lines.length > 0) console.log(printMatrix(lines.map(line => JSON.parse(line) as MatrixRow)))
  }
}

/** One line a query and archive: rows by engine, those of several random questions added up. */
export function printMatrix(answers: readonly MatrixRow[]): string {
  const groups = new Map<string, MatrixRow[]>()
  for (const answer of answers) {
    const key = `${answer.query}\n${answer.archive}`
    groups.set(key, [...(groups.get(key) ?? []), answer])
  }
  const head = ['query', 'archive', 'asked', ...ENGINES, 'Trino read', '']
  const body = [...groups.values()].map(group => {
    const [{ query, archive }] = group as [MatrixRow]
    const sum = (engine: (typeof ENGINES)[number]) => {
      const told = group.filter(({ rows }) => rows[engine] !== null)
      const rows = told.reduce((all, answer) => all + (answer.rows[engine] ?? 0), 0)
      return told.length === 0 ? '-' : `${rows}${told.length < group.length ? ` of ${told.length}` : ''}`
    }
    const bytes = Math.ceil(group.reduce((all, answer) => all + answer.bytes, 0) / 1024)
    const verdict = group.every(({ equal }) => equal) ? 'equal' : 'DIFFERENT'
    return [query, archive, String(group.length), ...ENGINES.map(sum), `${bytes} KiB`, verdict]
  })
  const widths = head.map((_, i) => Math.max(...[head, ...body].map(row => (row[i] as string).length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
  const different = answers.filter(({ equal }) => !equal).length
  const end = `${answers.length} answers of ${new Set(answers.map(({ query }) => query)).size} queries: ${different === 0 ? 'all equal' : `${different} DIFFERENT`}`
  return ['', 'query × engine, rows answered', '', line(head), ...body.map(line), '', end].join('\n')
}
