import type { Row, Value } from '../../queries/engines/rows.js'
import { parseInstant } from '../../transform/instant.js'
import type { Io } from '../io.js'
import { showItemKey } from './item-key.js'
import { isTimeColumn } from './plain-text.js'
import { paint } from './terminal.js'
import { cut, pad, printable, widthOf } from './text.js'
import { showMoment } from './zone.js'

/** Rows as a table. */
export function printRows(names: readonly string[], rows: Iterable<Row>, io: Io): void {
  printTable(
    names,
    [...rows].map(row => names.map(name => showCell(name, row[name] ?? null, io.zone))),
    io,
  )
}

/**
 * Columns padded to their widest cell; on a terminal wide cells are cut so that a row stays on its line, and where none
 * would each cell has a line.
 */
export function printTable(names: readonly string[], rows: readonly (readonly string[])[], io: Io): void {
  const heads = names.map(printable)
  const cells = rows.map(row => row.map(printable))
  const columns = heads.map((name, i) => [name, ...cells.map(row => row[i] as string)])
  const widths = columns.map(widthOf)
  const least = columns.map((column, i) => Math.min(leastWidth(column), widths[i] as number))
  const room = (io.columns ?? Number.POSITIVE_INFINITY) - 2 * (heads.length - 1)
  if (least.reduce((sum, width) => sum + width, 0) > room) {
    printRecords(heads, cells, io)
    return
  }
  const limits = shrink(widths, least, room)
  printLines(heads, cells, limits, io)
  if (limits.some((limit, i) => limit < (widths[i] as number)))
    io.err('cells were cut to fit the terminal; in a pipe, such as to less -S, they are whole\n')
}

function printLines(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  limits: readonly number[],
  io: Io,
): void {
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => pad(cut(text, limits[i] as number), limits[i] as number))
      .join('  ')
      .trimEnd()
  io.out(`${paint(io, 'bold', line(heads))}\n`)
  for (const row of rows) io.out(`${line(row)}\n`)
}

/** Where no row fits on a line: a line for each cell, and an empty one between rows. */
function printRecords(heads: readonly string[], rows: readonly (readonly string[])[], io: Io): void {
  const width = widthOf(heads)
  for (const [i, row] of rows.entries()) {
    if (i > 0) io.out('\n')
    for (const [column, head] of heads.entries())
      io.out(`${paint(io, 'bold', pad(head, width))}  ${row[column] ?? ''}`.trimEnd().concat('\n'))
  }
}

const LEAST_WIDTH = 8

/** Columns by which a row is found again. */
const KEY_WIDTH = 32

/** A time or a number that is cut says nothing, or something else; a key that is cut cannot be typed. */
function leastWidth([name, ...cells]: readonly string[]): number {
  if (name === 'item' || name === 'item_key') return Math.min(KEY_WIDTH, widthOf(cells))
  const whole = cells.filter(cell => /^(-?[\d,]+(\.\d+)?|\d{4}-\d{2}-\d{2}[T ][\d:.]*(Z|[+-][\d:]+)?)$/.test(cell))
  return Math.max(LEAST_WIDTH, widthOf(whole))
}

/** Takes width from the widest column, again and again, until the row fits or no column can give any. */
function shrink(widths: readonly number[], least: readonly number[], room: number): readonly number[] {
  const limits = [...widths]
  const spare = (i: number) => (limits[i] as number) - (least[i] as number)
  let excess = limits.reduce((sum, width) => sum + width, 0) - room
  while (excess > 0) {
    const widest = limits.reduce((best, width, i) => (spare(i) > 0 && width > (limits[best] ?? 0) ? i : best), -1)
    if (widest === -1) break
    limits[widest] = (limits[widest] as number) - 1
    excess--
  }
  return limits
}

function showCell(name: string, value: Value, zone: string | undefined): string {
  if (value === null) return ''
  if (typeof value === 'object') return value.join(', ')
  if (name === 'item_key') return showItemKey(String(value))
  return shorterTime(String(value), isTimeColumn(name) ? zone : undefined)
}

/**
 * `2026-11-20T00:44:37.000Z` as people read it: `2026-11-20 00:44:37Z`, or by the clock of a zone. A time without a
 * zone gets none.
 */
export function shorterTime(text: string, zone?: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d+)?(Z?)$/.exec(text)
  if (match === null) return text
  const fraction = Number(match[3] ?? 0) === 0 ? '' : match[3]
  if (match[4] === 'Z' && zone !== undefined)
    return showMoment(parseInstant(text)?.us ?? 0, fraction === '' ? 0 : (fraction?.length ?? 0) > 4 ? 6 : 3, zone)
  return `${match[1]} ${match[2]}${fraction}${match[4]}`
}
