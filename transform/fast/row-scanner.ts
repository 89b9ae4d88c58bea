import type { Column } from '../audit-row.js'
import { CLOSE, CLOSE_LIST, COMMA, OPEN, OPEN_LIST, QUOTE } from '../json-bytes.js'
import { fits } from '../row-line.js'
import { endOfText, isRange, NONE } from './bytes.js'

const LINE_FEED = 0x0a
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

/** A whole number of so many digits is a bigint, whatever its digits are. */
const BIGINT_DIGITS = 18

const MAX_DAYS = 1000

interface ScannedColumn {
  readonly column: Column
  /** The name with its quotes and a colon. */
  readonly head: Buffer
}

/**
 * Tells by their bytes that row lines are as `checkRowLine` wants them: columns in their order, each once, values of
 * their types, texts escaped as our own rows escape them. What it is not certain of is for `checkRowLine` to judge.
 */
export class RowScanner {
  private readonly columns: readonly ScannedColumn[]
  /** Days that there are, remembered. */
  private readonly days = new Set<string>()

  constructor(columns: readonly Column[]) {
    this.columns = columns.map(column => ({ column, head: Buffer.from(`"${column.name}":`) }))
  }

  /** How many lines these are, up to `length`, where a zero stands; 0 where it is not certain of every one. */
  count(bytes: Buffer, length: number): number {
    let lines = 0
    for (let position = 0; position < length; lines++) {
      position = this.afterLine(bytes, position)
      if (position === NONE || bytes[position] !== LINE_FEED) return 0
      position++
    }
    return lines
  }

  private afterLine(bytes: Buffer, at: number): number {
    const { columns } = this
    if (bytes[at] !== OPEN) return NONE
    let position = at + 1
    for (let i = 0; i < columns.length; i++) {
      const { column, head } = columns[i] as ScannedColumn
      if (!isRange(bytes, position, position + head.length, head)) {
        if (column.required) return NONE
        continue
      }
      position = this.afterValue(bytes, position + head.length, column)
      if (position === NONE) return NONE
      if (bytes[position] === CLOSE) return this.isRequiredFrom(i + 1) ? NONE : position + 1
      if (bytes[position] !== COMMA) return NONE
      position++
    }
    return NONE
  }

  private isRequiredFrom(first: number): boolean {
    const { columns } = this
    for (let i = first; i < columns.length; i++) {
      if (columns[i]?.column.required) return true
    }
    return false
  }

  private afterValue(bytes: Buffer, at: number, column: Column): number {
    switch (column.type) {
      case 'string':
        return afterText(bytes, at)
      case 'bigint':
        return afterWhole(bytes, at)
      case 'boolean':
        if (isRange(bytes, at, at + TRUE.length, TRUE)) return at + TRUE.length
        return isRange(bytes, at, at + FALSE.length, FALSE) ? at + FALSE.length : NONE
      case 'array<string>':
        return afterTexts(bytes, at)
      case 'timestamp':
        return this.afterTimestamp(bytes, at, column)
      default:
        return afterFitting(bytes, at, column)
    }
  }

  /** A timestamp's clock is of digits alone; its day is judged once. */
  private afterTimestamp(bytes: Buffer, at: number, column: Column): number {
    const end = afterText(bytes, at)
    if (end !== at + TIMESTAMP.length + 2) return NONE
    for (let i = 'YYYY-MM-DD'.length; i < TIMESTAMP.length; i++) {
      const byte = bytes[at + 1 + i] as number
      const [least, most] = TIMESTAMP[i] as readonly [number, number]
      if (byte < least || byte > most) return NONE
    }
    // up to 19:59:59.999 each digit is good by itself; the hours from 20 to 23 are looked at whole
    if (bytes[at + 12] === 0x32 && (bytes[at + 13] as number) > 0x33) return NONE
    return this.isDay(bytes.toString('latin1', at + 1, at + 11), column) ? end : NONE
  }

  private isDay(day: string, column: Column): boolean {
    if (this.days.has(day)) return true
    if (!fits(`${day} 00:00:00.000`, column, '')) return false
    if (this.days.size === MAX_DAYS) this.days.clear()
    this.days.add(day)
    return true
  }
}

function afterFitting(bytes: Buffer, at: number, column: Column): number {
  const end = afterText(bytes, at)
  return end !== NONE && fits(bytes.toString('latin1', at + 1, end - 1), column, '') ? end : NONE
}

/** For each character of `YYYY-MM-DD HH:MM:SS.mmm`, the least and the greatest byte it can be. */
const TIMESTAMP = [...'9999-99-99 29:59:59.999'].map(most =>
  most >= '0' && most <= '9'
    ? ([ZERO, most.charCodeAt(0)] as const)
    : ([most.charCodeAt(0), most.charCodeAt(0)] as const),
)

function afterText(bytes: Buffer, at: number): number {
  const quote = bytes[at] === QUOTE ? endOfText(bytes, at + 1) : NONE
  return quote === NONE ? NONE : quote + 1
}

function afterTexts(bytes: Buffer, at: number): number {
  if (bytes[at] !== OPEN_LIST) return NONE
  for (let position = at + 1; ; position++) {
    position = afterText(bytes, position)
    if (position === NONE) return NONE
    if (bytes[position] === CLOSE_LIST) return position + 1
    if (bytes[position] !== COMMA) return NONE
  }
}

function afterWhole(bytes: Buffer, at: number): number {
  const first = bytes[at] === MINUS ? at + 1 : at
  let position = first
  while ((bytes[position] as number) >= ZERO && (bytes[position] as number) <= NINE) position++
  const digits = position - first
  if (digits === 0 || digits > BIGINT_DIGITS || (bytes[first] === ZERO && position > at + 1)) return NONE
  return position
}
