import { DataType, type Table } from 'apache-arrow'
import { rowsOf, type Value } from '../engines/rows.js'
import { asStored, type ReadPlain } from './plain-text.js'

export interface CsvOptions {
  /** False leaves cells as they are, also those that a spreadsheet would run. @default true */
  readonly disarm?: boolean
  /** Told once for each cell that was disarmed. */
  readonly onDisarmed?: () => void
  /** Makes keys and values plain. @default - they are as the archive has them */
  readonly plain?: ReadPlain
  /** True puts the mark in front by which Excel knows UTF-8. @default false */
  readonly mark?: boolean
}

const LINES_AT_ONCE = 1000

/**
 * An answer as CSV (RFC 4180): UTF-8, a header, CRLF. A null is an empty cell, an empty text `""`; a
 * list is JSON; times are ISO 8601 in UTC.
 *
 * A text that a spreadsheet would run as a formula gets an apostrophe in front: whoever may write an attribute of an
 * item must not run code on the machine of whoever audits it. Reading it back takes one apostrophe off each text that
 * `DISARMED` matches, so nothing is lost. Parquet, Arrow and JSON hold every text as it is, and so does `disarm:
 * false`.
 */
export function* toCsv(
  table: Table,
  { disarm = true, onDisarmed, plain = asStored, mark = false }: CsvOptions = {},
): Generator<Uint8Array> {
  const { fields } = table.schema
  const names = fields.map(field => field.name)
  const isText = fields.map(({ type }) => DataType.isUtf8(type) || DataType.isList(type))
  const guard = (text: string) => {
    if (!disarm || !isFormula(text)) return text
    onDisarmed?.()
    return `'${text}`
  }
  const read = names.map((name, i) => (isText[i] === true ? (text: string) => guard(plain(name, text).text) : same))
  let lines = [`${mark ? '\ufeff' : ''}${names.map(name => quote(guard(name))).join(',')}`]
  for (const row of rowsOf(table)) {
    lines.push(names.map((name, i) => cell(row[name] ?? null, read[i] ?? same)).join(','))
    if (lines.length < LINES_AT_ONCE) continue
    yield bytesOf(lines)
    lines = []
  }
  if (lines.length > 0) yield bytesOf(lines)
}

function same(text: string): string {
  return text
}

function bytesOf(lines: readonly string[]): Uint8Array {
  return Buffer.from(`${lines.join('\r\n')}\r\n`)
}

function cell(value: Value, guard: (text: string) => string): string {
  if (value === null) return ''
  return quote(guard(typeof value === 'object' ? JSON.stringify(value) : String(value)))
}

/** Quoted where it has to be, and where it is empty, which tells it from a null. */
function quote(text: string): string {
  return text === '' || /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

/** What spreadsheets take for the beginning of a formula, the full-width forms of an East Asian Excel among it. */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/
/** A text from which one apostrophe is to be taken off. */
export const DISARMED = /^'+[=+\-@\t\r\n＝＋－＠]/
const NUMERAL = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/

/** A number that is kept as text, such as -5, is a number to a spreadsheet, too. */
function isFormula(text: string): boolean {
  return FORMULA.test(text) && !NUMERAL.test(text)
}
