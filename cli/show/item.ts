import { hash } from 'node:crypto'
import { writePath } from '../../queries/attribute-path.js'
import type { Difference, PathSegment } from '../../queries/difference.js'
import type { AttributeValue, Item } from '../../transform/attribute-value.js'
import { KEPT_NAME, readErased, readSealed, textIn } from '../../transform/sealed-field.js'
import type { Io } from '../io.js'
import { paint } from './terminal.js'
import { pad, printable, widthOf } from './text.js'
import { showTextDifference } from './text-difference.js'

const MARKS = { added: '+', removed: '-', changed: '~', moved: '>' } as const
const COLOURS = { added: 'green', removed: 'red', changed: 'yellow', moved: 'cyan' } as const

/** What lines are fitted to. */
export type Paper = Pick<Io, 'columns' | 'colour'>

/** Where no terminal tells its width. */
const USUAL_WIDTH = 120

/** Differences as lines with marks, paths in a column; `indent` goes before each line. */
export function showDifferences(differences: readonly Difference[], io: Paper, indent = ''): readonly string[] {
  const paths = differences.map(difference => showPath(difference.path))
  const width = Math.min(32, widthOf(paths))
  const room = (io.columns ?? USUAL_WIDTH) - indent.length
  return differences.flatMap((difference, i) => {
    const head = `${MARKS[difference.kind]} ${pad(paths[i] as string, width)}  `
    const lines = showValues(difference, room - widthOf([head]))
    const below = ' '.repeat(width + 4)
    return lines.map((line, place) => {
      const text = `${place === 0 ? head : below}${line}`.trimEnd()
      return indent + paint(io, COLOURS[difference.kind], text)
    })
  })
}

/** `shipping.city`, `lines[sku=C].qty`; names that a dot would make unclear are quoted. */
export function showPath(path: readonly PathSegment[]): string {
  return printable(writePath(path))
}

function showValues({ before, after }: Difference, room: number): readonly string[] {
  if (before !== undefined && after !== undefined) return showChange(before, after, room)
  const value = after ?? before
  return value === undefined ? [''] : showLines(value, room)
}

/** Of two sets of one type only what came and went. */
function showChange(before: AttributeValue, after: AttributeValue, room: number): readonly string[] {
  const [type] = Object.keys(before) as [string]
  const elements = (value: AttributeValue) => (value as unknown as Readonly<Record<string, readonly string[]>>)[type]
  const [old, now] = [elements(before), elements(after)]
  if (!/^[SNB]S$/.test(type) || old === undefined || now === undefined) {
    const texts = 'S' in before && 'S' in after ? showTextDifference(before.S, after.S) : undefined
    if (texts !== undefined) return texts
    const line = `${showValue(before)} → ${showValue(after)}`
    if (widthOf([line]) <= room) return [line]
    return [...showLines(before, room), ...showLines(after, room - 2).map((part, i) => (i === 0 ? '→ ' : '  ') + part)]
  }
  const came = now.filter(element => !old.includes(element)).map(element => `+${JSON.stringify(element)}`)
  const went = old.filter(element => !now.includes(element)).map(element => `-${JSON.stringify(element)}`)
  return [printable([...went, ...came].join(' '))]
}

/** A value on one line, or, where that would be longer than `room`, a list or a map with a line for each element. */
export function showLines(value: AttributeValue, room: number): readonly string[] {
  const line = showValue(value)
  if (!('L' in value || 'M' in value) || widthOf([line]) <= room) return [line]
  return 'L' in value
    ? value.L.map(showValue)
    : Object.entries(value.M).map(([name, inner]) => `${showPath([{ name }])}: ${showValue(inner)}`)
}

/** An item as lines of attribute and value. */
export function showItem(item: Item, io: Paper, indent = ''): readonly string[] {
  const attributes = Object.entries(item)
  const names = attributes.map(([name]) => showPath([{ name }]))
  const width = Math.min(32, widthOf(names))
  const room = (io.columns ?? USUAL_WIDTH) - indent.length - width - 2
  return attributes.flatMap(([, value], i) =>
    showLines(value, room).map(
      (line, place) => `${indent}${pad(place === 0 ? (names[i] as string) : '', width)}  ${line}`,
    ),
  )
}

/** An attribute value as people read it: text in quotes, numbers bare, sets in angle brackets. */
export function showValue(value: AttributeValue): string {
  if ('S' in value) return printable(JSON.stringify(value.S))
  if ('N' in value) return value.N
  if ('BOOL' in value) return String(value.BOOL)
  if ('NULL' in value) return 'null'
  if ('B' in value) return showBinary(value.B)
  if ('SS' in value) return `<${value.SS.map(element => printable(JSON.stringify(element))).join(', ')}>`
  if ('NS' in value) return `<${value.NS.join(', ')}>`
  if ('BS' in value) return `<${value.BS.map(showBinary).join(', ')}>`
  if ('L' in value) return `[${value.L.map(showValue).join(', ')}]`
  const sealed = showSealed(value)
  if (sealed !== undefined) return sealed
  return `{${Object.entries(value.M)
    .map(([name, inner]) => `${showPath([{ name }])}: ${showValue(inner)}`)
    .join(', ')}}`
}

/** The first letters tell a sealed value from another of the same person and place. */
function showSealed(value: AttributeValue): string | undefined {
  const erased = readErased(value)
  if (erased !== undefined) return showErased(erased)
  const field = readSealed(value)
  if (field === undefined) return undefined
  const kept = textIn(value, KEPT_NAME)
  const state = field.ciphertext === '' ? 'erased' : `sealed ${field.ciphertext.slice(0, 6)}`
  return printable(`[${state}${showKept(kept)}]`)
}

function showErased({ day, certificate, kept }: NonNullable<ReturnType<typeof readErased>>): string {
  return printable(`[erased ${day}, certificate ${certificate}${showKept(kept)}]`)
}

function showKept(kept: string | undefined): string {
  return kept === undefined ? '' : `, kept ${JSON.stringify(kept)}`
}

/** Long bytes are cut; their length and hash tell them from others that start alike. */
function showBinary(base64: string): string {
  if (base64.length <= 40) return `b64(${base64})`
  const bytes = Buffer.from(base64, 'base64')
  return `b64(${base64.slice(0, 20)}... ${bytes.length} bytes, sha256 ${hash('sha256', bytes).slice(0, 8)}...)`
}
