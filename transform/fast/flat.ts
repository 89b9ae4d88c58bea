import { writeMisfits } from '../audit-row.js'
import { fitValue, parseDecimalType } from '../flat-column.js'
import { QUOTE } from '../json-bytes.js'
import type { ConfiguredColumn, TableConfiguration } from '../table-configuration.js'
import { AttributeFinder } from './attribute.js'
import { isRange, pathBytes } from './bytes.js'
import type { ItemScanner } from './item.js'
import type { Output } from './output.js'
import type { ItemRange } from './slots.js'

const N = 0x4e
const S = 0x53
const POINT = 0x2e
const MINUS = 0x2d
const ZERO = 0x30
const TRUE = Buffer.from('{"BOOL":true}')
const FALSE = Buffer.from('{"BOOL":false}')

/** A whole number of so many digits is a bigint, whatever its digits are. */
const BIGINT_DIGITS = 18

interface FlatColumn {
  readonly configured: ConfiguredColumn
  readonly path: readonly Uint8Array[]
  readonly oldName: Uint8Array
  readonly newName: Uint8Array
  /** Of a decimal: digits before and after its point. */
  readonly whole: number
  readonly scale: number
}

/** Writes the configured columns of a row. */
export class FlatWriter {
  private readonly keys: readonly { readonly name: Uint8Array; readonly path: readonly Uint8Array[] }[]
  private readonly columns: readonly FlatColumn[]
  private readonly finder: AttributeFinder
  private readonly misfits = new Map<string, string>()

  constructor(
    table: TableConfiguration,
    private readonly items: ItemScanner,
    private readonly output: Output,
  ) {
    this.finder = new AttributeFinder(items)
    this.keys = table.keys.map(({ column, attribute }) => ({
      name: memberName(`key_${column}`),
      path: pathBytes([attribute]) ?? [],
    }))
    this.columns = table.columns.map(configured => {
      const { type, column } = configured
      const [precision, scale] = type.startsWith('decimal') ? parseDecimalType(type as 'decimal(1,1)') : [0, 0]
      return {
        configured,
        path: pathBytes(configured.path) ?? [],
        oldName: memberName(`old_${column}`),
        newName: memberName(`new_${column}`),
        whole: precision - scale,
        scale,
      }
    })
  }

  /** False where a configured key is not among the record's. */
  write(keys: ItemRange, oldImage: ItemRange | undefined, newImage: ItemRange | undefined): boolean {
    for (const { name, path } of this.keys) {
      if (!this.finder.find(keys, path)) return false
      this.content(name)
    }
    this.misfits.clear()
    for (const column of this.columns) {
      if (oldImage !== undefined) this.fill('old', column, oldImage)
      if (newImage !== undefined) this.fill('new', column, newImage)
    }
    if (this.misfits.size > 0) this.output.utf8(`,"misfits":${JSON.stringify(writeMisfits(this.misfits))}`)
    return true
  }

  private fill(side: 'old' | 'new', column: FlatColumn, image: ItemRange): void {
    if (!this.finder.find(image, column.path) || this.fit(side === 'old' ? column.oldName : column.newName, column))
      return
    this.misfits.set(`${side}_${column.configured.column}`, this.finder.text)
  }

  /** Writes the value that was found, if it fits. */
  private fit(name: Uint8Array, column: FlatColumn): boolean {
    const { finder, output, items } = this
    const { from, to } = finder
    switch (column.configured.type) {
      case 'string':
        return finder.type === S && this.content(name)
      case 'number':
        return finder.type === N && this.content(name)
      case 'boolean':
        if (!isRange(items.bytes, from, to, TRUE) && !isRange(items.bytes, from, to, FALSE)) return false
        output.constant(name)
        output.range(items.bytes, from + 8, to - 1)
        return true
      case 'json':
        output.constant(name)
        output.text('"')
        output.escaped(items.bytes, from, to)
        output.text('"')
        return true
      default:
        return this.fitNumber(name, column)
    }
  }

  /** The text of an S, N or B with its quotes: what is canonical in an image is so in a row line. */
  private content(name: Uint8Array): true {
    this.output.constant(name)
    this.output.range(this.items.bytes, this.finder.from + 5, this.finder.to - 1)
    return true
  }

  private fitNumber(name: Uint8Array, column: FlatColumn): boolean {
    const { finder, output, items } = this
    const { type } = column.configured
    const from = finder.from + 6
    const to = finder.to - 2
    if (finder.type === N && type === 'bigint' && isPlain(items.bytes, from, to, BIGINT_DIGITS, 0)) {
      output.constant(name)
      output.range(items.bytes, from, to)
      return true
    }
    if (finder.type === N && column.scale > 0 && isPlain(items.bytes, from, to, column.whole, column.scale)) {
      return this.content(name)
    }
    const fitted = fitValue(finder.value, column.configured)
    if (fitted === undefined) return false
    output.constant(name)
    output.utf8(typeof fitted === 'bigint' ? String(fitted) : JSON.stringify(fitted))
    return true
  }
}

/** A comma, the name and a colon. */
function memberName(column: string): Uint8Array {
  return Buffer.from(`,"${column}":`)
}

/** Whether a numeral is written as a column of this many digits before and after the point would write it. */
function isPlain(bytes: Uint8Array, from: number, to: number, whole: number, scale: number): boolean {
  const point = scale === 0 ? to : to - scale - 1
  const digits = point - from
  if (digits < 1 || digits > whole || bytes[from] === MINUS) return false
  if (bytes[from] === ZERO && digits > 1) return false
  for (let position = from; position < to; position++) {
    const byte = bytes[position] as number
    if (position === point ? byte !== POINT : byte < ZERO || byte > 0x39) return false
  }
  return bytes[to] === QUOTE
}
