import type { Difference, PathSegment } from '../queries/difference.js'
import type { AttributeValue } from '../transform/attribute-value.js'
import type { Io } from './io.js'
import { paint, printable } from './print.js'

const MARKS = { added: '+', removed: '-', changed: '~', moved: '>' } as const
const COLOURS = { added: 'green', removed: 'red', changed: 'yellow', moved: 'cyan' } as const

/** Differences as lines with marks, paths in a column. */
export function showDifferences(differences: readonly Difference[], io: Io): readonly string[] {
  const paths = differences.map(difference => showPath(difference.path))
  const width = Math.min(32, Math.max(0, ...paths.map(path => path.length)))
  return differences.map((difference, i) => {
    const line = `${MARKS[difference.kind]} ${(paths[i] as string).padEnd(width)}  ${showValues(difference)}`.trimEnd()
    return paint(io, COLOURS[difference.kind], line)
  })
}

/** `shipping.city`, `lines[sku=C].qty`; names that a dot would make unclear are quoted. */
export function showPath(path: readonly PathSegment[]): string {
  const parts = path.map((segment, i) => {
    if ('element' in segment) return `[${segment.element}]`
    const name = /^[\p{L}\p{N}_$@-]+$/u.test(segment.name) ? segment.name : JSON.stringify(segment.name)
    return i === 0 ? name : `.${name}`
  })
  return printable(parts.join(''))
}

function showValues({ before, after }: Difference): string {
  if (before !== undefined && after !== undefined) return showChange(before, after)
  const value = after ?? before
  return value === undefined ? '' : showValue(value)
}

/** Of two sets of one type only what came and went. */
function showChange(before: AttributeValue, after: AttributeValue): string {
  const [type] = Object.keys(before) as [string]
  const elements = (value: AttributeValue) => (value as unknown as Readonly<Record<string, readonly string[]>>)[type]
  const [old, now] = [elements(before), elements(after)]
  if (!/^[SNB]S$/.test(type) || old === undefined || now === undefined)
    return `${showValue(before)} → ${showValue(after)}`
  const came = now.filter(element => !old.includes(element)).map(element => `+${JSON.stringify(element)}`)
  const went = old.filter(element => !now.includes(element)).map(element => `-${JSON.stringify(element)}`)
  return printable([...went, ...came].join(' '))
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
  return `{${Object.entries(value.M)
    .map(([name, inner]) => `${showPath([{ name }])}: ${showValue(inner)}`)
    .join(', ')}}`
}

function showBinary(base64: string): string {
  return `b64(${base64.length > 40 ? `${base64.slice(0, 37)}...` : base64})`
}
