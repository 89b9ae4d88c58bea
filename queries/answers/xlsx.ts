import { DataType, type Field, type Table } from 'apache-arrow'
import { parseInstant } from '../../transform/instant.js'
import type { PageContext } from '../../view/paper/html-file.js'
import { type Row, rowsOf, type Value } from '../engines/rows.js'
import { asStored, type PlainText, type ReadPlain, withoutZeros } from './plain-text.js'
import { isSheetMoment, SHEET_LIMITS, type SheetCell, workbookOf } from './workbook.js'

/** How an answer becomes a workbook. */
export interface XlsxOptions extends PageContext {
  readonly plain?: ReadPlain
  /** Told once for each text that was longer than a cell holds, and was cut. */
  readonly onCut?: () => void
}

/** Why an answer does not fit into a sheet; undefined where it does. */
export function tooLargeForSheet({ numRows, numCols }: Table): string | undefined {
  if (numRows < SHEET_LIMITS.rows && numCols <= SHEET_LIMITS.columns) return undefined
  return `the answer has ${numRows} rows and ${numCols} columns, a sheet holds ${SHEET_LIMITS.rows - 1} and ${SHEET_LIMITS.columns}`
}

/**
 * An answer as a workbook: a sheet with a cell of its own type for each value, and one that tells the question and how
 * sure the answer is. Numbers of more than 15 digits, which a spreadsheet would round, are texts.
 * `tooLargeForSheet` is to be asked first.
 */
export function* toXlsx(table: Table, context: XlsxOptions): Generator<Uint8Array> {
  const { fields } = table.schema
  let cut = 0
  const text = (full: string): SheetCell => {
    if (full.length <= SHEET_LIMITS.characters) return { kind: 'text', text: full }
    cut++
    context.onCut?.()
    return { kind: 'text', text: `${full.slice(0, SHEET_LIMITS.characters - 1)}…` }
  }
  const readers = fields.map(field => cellsOf(field, context.plain ?? asStored, text))
  const cellsIn = (row: Row) => fields.map(({ name }, i) => readers[i]?.(row[name] ?? null) ?? null)
  const names = fields.map(({ name }) => name)
  const first = [...rowsOf(table.numRows > 100 ? table.slice(0, 100) : table)].map(row =>
    names.map(name => row[name] ?? null),
  )
  yield* workbookOf([
    {
      name: 'answer',
      widths: names.map((name, i) => widthOf([name, ...first.map(row => row[i] ?? null)])),
      *rows() {
        yield names.map(text)
        for (const row of rowsOf(table)) yield cellsIn(row)
      },
    },
    {
      name: 'how sure',
      widths: [24, 100],
      *rows() {
        for (const pair of aboutOf(context, table.numRows, cut)) yield pair.map(text)
      },
    },
  ])
}

/** What the second sheet says, name and value. */
function aboutOf(context: PageContext, rows: number, cut: number): readonly (readonly [string, string])[] {
  const { question, confidence, parameters = {}, empty, sql, footer = {} } = context
  return [
    ['question', question],
    ...(confidence === undefined
      ? []
      : ([
          ['how sure', confidence.word],
          ['why', confidence.text],
        ] as const)),
    ['rows', String(rows)],
    ...(rows === 0 && empty !== undefined ? [['what that means', empty] as const] : []),
    ...(cut === 0
      ? []
      : [
          [
            'cut',
            `${cut} texts are longer than the ${SHEET_LIMITS.characters} characters of a cell, and end with …`,
          ] as const,
        ]),
    ['times', 'UTC, where they end with Z'],
    ...Object.entries(parameters),
    ...(sql === undefined ? [] : [['SQL', sql] as const]),
    ...Object.entries(footer),
  ]
}

type ToText = (text: string) => SheetCell

/** How the values of a column become cells. */
function cellsOf({ name, type }: Field, plain: ReadPlain, text: ToText): (value: Value) => SheetCell {
  const plainOf = (value: string | number | bigint): PlainText => {
    if (typeof value !== 'string') return { text: String(value), kind: 'number' }
    if (DataType.isDecimal(type)) return { text: withoutZeros(value), kind: 'number' }
    return DataType.isTimestamp(type) ? { text: value, kind: 'time' } : plain(name, value)
  }
  return value => {
    if (value === null) return null
    if (typeof value === 'boolean') return { kind: 'boolean', value }
    if (typeof value === 'object') return text(value.join(', '))
    return plainCell(plainOf(value), text)
  }
}

function plainCell({ text, kind }: PlainText, asText: ToText): SheetCell {
  if (kind === 'number' && isExactInSheet(text)) return { kind, text }
  if (kind === 'time') return momentOf(text) ?? asText(text)
  return asText(text)
}

/** A spreadsheet counts in doubles, and shows 15 digits. */
function isExactInSheet(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text) && text.replace(/^-?0*\.?0*/, '').replace('.', '').length <= 15
}

function momentOf(text: string): SheetCell {
  const hasZone = text.endsWith('Z')
  const us = parseInstant(hasZone ? text : `${text}Z`)?.us
  return us !== undefined && isSheetMoment(us) ? { kind: 'moment', us, hasZone } : null
}

/** Characters of the widest of a column's first values, within bounds that leave room for other columns. */
function widthOf(values: readonly Value[]): number {
  return Math.min(60, Math.max(8, ...values.map(value => String(value ?? '').length)) + 2)
}
