import { styleText } from 'node:util'
import stringWidth from 'string-width'
import type { Row, Value } from '../queries/rows.js'
import { CommandError, type Io, type Options } from './io.js'
import { showItemKey } from './item-key.js'

export type Format = 'table' | 'json' | 'ndjson' | 'dynamodb'

export const FORMAT_OPTION = ['--format <format>', 'table, json or ndjson', 'table'] as const

/** The format that the flags ask for. Throws `CommandError` for one that this command does not have. */
export function formatOf(options: Options, allowed: readonly Format[] = ['table', 'json', 'ndjson']): Format {
  const format = allowed.find(name => name === options.format)
  if (format === undefined)
    throw new CommandError(`format ${JSON.stringify(options.format)} is unknown, expected ${allowed.join(', ')}`)
  return format
}

type Style = Parameters<typeof styleText>[0]

/** Text in a colour, where the terminal is to have colours. */
export function paint(io: Io, style: Style, text: string): string {
  return io.colour ? styleText(style, text, { validateStream: false }) : text
}

/** JSON with integers of any size as digits; `JSON.stringify` has no form for them. */
export function toJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${toJson(member)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

/** Rows in the format asked for. */
export function printRows(names: readonly string[], rows: Iterable<Row>, format: Format, io: Io): void {
  if (format === 'json') {
    let separator = '['
    for (const row of rows) {
      io.out(`${separator}${toJson(row)}`)
      separator = ',\n '
    }
    io.out(separator === '[' ? '[]\n' : ']\n')
  } else if (format === 'ndjson') {
    for (const row of rows) io.out(`${toJson(row)}\n`)
  } else {
    const cells = [...rows].map(row => names.map(name => showCell(name, row[name] ?? null)))
    printTable(names, cells, io)
  }
}

/** Columns padded to their widest cell; on a terminal wide cells are cut so that a row stays on its line. */
export function printTable(names: readonly string[], rows: readonly (readonly string[])[], io: Io): void {
  const widths = names.map((name, i) => Math.max(stringWidth(name), ...rows.map(row => stringWidth(row[i] as string))))
  const limits = io.columns === undefined ? widths : shrink(widths, io.columns - 2 * (names.length - 1))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => pad(cut(cell, limits[i] as number), limits[i] as number))
      .join('  ')
      .trimEnd()
  io.out(`${paint(io, 'bold', line(names))}\n`)
  for (const row of rows) io.out(`${line(row)}\n`)
}

/** Takes width from the widest columns first until the row fits. */
function shrink(widths: readonly number[], room: number): readonly number[] {
  const limits = [...widths]
  const total = () => limits.reduce((sum, width) => sum + width, 0)
  while (total() > room) {
    const widest = limits.indexOf(Math.max(...limits))
    const width = limits[widest] as number
    if (width <= 8) break
    const next = Math.max(8, ...limits.filter(limit => limit < width))
    limits[widest] =
      Math.max(next, width - (total() - room), 8) === width ? width - 1 : Math.max(next, width - (total() - room))
  }
  return limits
}

function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let kept = ''
  for (const character of text) {
    if (stringWidth(kept + character) > width - 1) break
    kept += character
  }
  return `${kept}…`
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)))
}

function showCell(name: string, value: Value): string {
  if (value === null) return ''
  const text = typeof value === 'object' ? value.join(', ') : String(value)
  return printable(name === 'item_key' ? showItemKey(text) : text)
}

/** Items are not ours: characters that could steer a terminal or turn its direction are shown as escapes. */
export function printable(text: string): string {
  const asEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, asEscape)
}
