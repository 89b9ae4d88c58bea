/** What the suites found, as a table in a terminal and as sections of docs/benchmarks.md. */
import type { Machine } from './machine.js'
import type { Finding, Suite, SuiteResult } from './suite.js'

/** A suite that ran, and where and when. */
export interface Report {
  readonly suite: Pick<Suite, 'name' | 'question'>
  readonly result: SuiteResult
  readonly machine: Machine
  /** `YYYY-MM-DD`. */
  readonly date: string
}

const HEAD = `# Benchmarks

Written by \`npm run bench\`; \`npm run bench -- NAME\` measures one suite again and leaves the others as they are, so each section
says where and when it was measured. Ours and theirs run in turn in one process; a ratio is of process CPU or of bytes, the median with its
10th and 90th percentile. Targets gate nothing: a machine that others use is no judge.
`

const COLUMNS = ['what', 'against', 'figure', 'target', 'reached'] as const

function cellsOf({ what, against, figure, target, reached }: Finding): readonly string[] {
  return [what, against, figure, target ?? '', reached === undefined ? '' : reached ? 'yes' : 'no']
}

/** A suite's findings with aligned columns, then what was left out. */
export function toText({ suite, result }: Report): string {
  const rows = [COLUMNS, ...result.findings.map(cellsOf)]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map(row => (row[column] as string).length)))
  const lines = rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd(),
  )
  return [
    `${suite.name}: ${suite.question}`,
    ...(result.findings.length > 0 ? lines : []),
    ...result.leftOut.map(row => `left out: ${row}`),
    '',
    '',
  ].join('\n')
}

/** A suite's section of the document, heading included. */
export function toSection({ suite, result, machine, date }: Report): string {
  const cells = (row: readonly string[]) => `| ${row.map(cell => oneLine(cell).replaceAll('|', '\\|')).join(' | ')} |`
  const table = [cells(COLUMNS), cells(COLUMNS.map(() => '---')), ...result.findings.map(row => cells(cellsOf(row)))]
  const parts = [
    `## ${suite.name}`,
    suite.question,
    `Measured on ${date}: ${machine.hardware}; ${machine.software}.`,
    ...(result.findings.length > 0 ? [table.join('\n')] : []),
    ...bullets('Left out:', result.leftOut),
    ...bullets('Remarks:', result.remarks),
  ]
  return `${parts.join('\n\n')}\n`
}

function bullets(title: string, texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? [] : [title, texts.map(text => `- ${oneLine(text)}`).join('\n')]
}

/** A text that breaks no table, and begins no heading by which sections are told apart. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/**
 * The document with new sections in the place of those of the same suites. The others stay as they are, as long as
 * there is such a suite.
 */
export function updateDocument(document: string, reports: readonly Report[], known: readonly string[]): string {
  const sections = sectionsOf(document)
  for (const report of reports) sections.set(report.suite.name, toSection(report))
  const kept = known.flatMap(name => sections.get(name) ?? [])
  return [HEAD, ...kept].join('\n')
}

function sectionsOf(document: string): Map<string, string> {
  const [, ...parts] = document.split(/^## /m)
  return new Map(parts.map(part => [part.slice(0, part.indexOf('\n')), `## ${part.trimEnd()}\n`]))
}
