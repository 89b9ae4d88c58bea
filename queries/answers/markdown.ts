import { DataType, type Table } from 'apache-arrow'
import type { PageContext } from '../../view/paper/html-file.js'
import { revealText } from '../../view/paper/reveal.js'
import { rowsOf, type Value } from '../engines/rows.js'
import { asStored, type ReadPlain, withoutZeros } from './plain-text.js'

const LINES_AT_ONCE = 500

/**
 * An answer as Markdown (GitHub's), as short as on a terminal: the question, how sure it is, and a table without the
 * details, which are named. Somebody's own SQL is the question; that of a saved one its receipt has. Every text of the
 * archive shows as it is: what Markdown or HTML would take for a sign of its own is escaped, and a line break is
 * `<br>`.
 */
export function* toMarkdown(
  table: Table,
  context: PageContext & { readonly plain?: ReadPlain },
): Generator<Uint8Array> {
  const { plain = asStored, details = [] } = context
  const fields = table.schema.fields.filter(({ name }) => !details.includes(name))
  const isNumber = fields.map(({ type }) => DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type))
  let lines = [...headOf(context, table.numRows), row(fields.map(({ name }) => escapeMark(name)))]
  lines.push(row(isNumber.map(number => (number ? '---:' : '---'))))
  for (const values of rowsOf(table)) {
    lines.push(
      row(
        fields.map(({ name, type }) =>
          cell(values[name] ?? null, text => (DataType.isDecimal(type) ? withoutZeros(text) : plain(name, text).text)),
        ),
      ),
    )
    if (lines.length < LINES_AT_ONCE) continue
    yield bytesOf(lines)
    lines = []
  }
  yield bytesOf([...lines, ...tailOf(context)])
}

function headOf({ question, parameters = {}, confidence, empty }: PageContext, rows: number): string[] {
  return [
    `# ${escapeMark(question)}`,
    '',
    ...(confidence === undefined ? [] : [`**${escapeMark(confidence.word)}**: ${escapeMark(confidence.text)}`, '']),
    ...factsOf(parameters),
    rows === 0 ? escapeMark(empty ?? 'no rows') : `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`,
    '',
  ]
}

function tailOf({ sql, isOwnSql = false, details = [], footer = {} }: PageContext): string[] {
  const leftOut = details.length === 0 ? {} : { 'left out here': `${details.join(', ')}; the other formats have them` }
  return ['', ...(isOwnSql && sql !== undefined ? fenced(sql) : []), ...factsOf({ ...leftOut, ...footer })].slice(0, -1)
}

function factsOf(facts: Readonly<Record<string, string>>): string[] {
  const lines = Object.entries(facts).map(([name, value]) => `- ${escapeMark(name)}: ${escapeMark(value)}`)
  return lines.length === 0 ? [] : [...lines, '']
}

/** A fence is longer than any that the text has. */
function fenced(text: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return [`${fence}sql`, revealText(text), fence, '']
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function cell(value: Value, plain: (text: string) => string): string {
  if (value === null) return ''
  if (typeof value === 'object') return escapeMark(value.join(', '))
  return escapeMark(typeof value === 'string' ? plain(value) : String(value))
}

/** Within a word an underscore is one, and is left, so that names can be read in the text, too. */
function escapeMark(text: string): string {
  return revealText(text.replaceAll(/\r\n?/g, '\n'))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*[\]|~$]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, sign => `\\${sign}`)
    .replaceAll('\n', '<br>')
}

function bytesOf(lines: readonly string[]): Uint8Array {
  return Buffer.from(`${lines.join('\n')}\n`)
}
