import type { Child } from 'hono/jsx'
import type { Row, Value } from '../../queries/engines/rows.js'
import { endsOf } from '../../transform/ends.js'

/** Each word of a verdict has a shape and how grave it is, so that no state is only a colour. */
const SHAPES: Readonly<Record<string, readonly [shape: string, level: 'good' | 'fair' | 'bad']>> = {
  COMPLETE: ['✓', 'good'],
  UNBROKEN: ['–', 'good'],
  ERASED: ['∅', 'good'],
  'CONFIG-BOUNDARY': ['¦', 'good'],
  'PRE-ARCHIVE': ['…', 'fair'],
  'KEYS-ONLY': ['○', 'fair'],
  GAP: ['✗', 'bad'],
  DIFFERS: ['≠', 'bad'],
  CONFLICT: ['⇄', 'bad'],
  UNCHECKED: ['?', 'bad'],
  ALTERED: ['!', 'bad'],
  DOUBTFUL: ['?', 'bad'],
}

/** A verdict's word, with its shape. */
export function Chip({ word }: { readonly word: string }) {
  const [shape, level] = SHAPES[word] ?? ['?', 'fair']
  return (
    <strong class={`chip ${level}`}>
      {word} <span aria-hidden="true">{shape}</span>
    </strong>
  )
}

/** How sure something is: the word, and what explains it. */
export function ConfidenceLine({ word, text }: { readonly word: string; readonly text: string }) {
  return (
    <p class="confidence">
      <Chip word={word} /> <span>{text}</span>
    </p>
  )
}

/** Named facts, each on its own. */
export function FactList({ of, rows }: { readonly of: Readonly<Record<string, Child>>; readonly rows?: boolean }) {
  const entries = Object.entries(of)
  if (entries.length === 0) return null
  return (
    <dl class={rows ? 'facts rows' : 'facts'}>
      {entries.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** A text of a longer line, or of more lines, is folded, so that a row stays a row. */
const FOLDED = { characters: 100, lines: 20 } as const
/** Up to here a text without spaces is kept on one line. */
const UNBROKEN = 40

/** A longer word may be broken. */
const A_WORD = 24
/** Characters that stand beside one another on paper, with what is between columns. */
const PAPER = 170
const LOOKED_AT = 2000

/** True where a table of so many columns fits on paper with its words whole. */
export function fitsPaper(columns: readonly string[], rows: readonly Row[]): boolean {
  const widthOf = (name: string) => {
    const texts = [name, ...rows.map(row => String(row[name] ?? '').slice(0, LOOKED_AT))]
    return endsOf(texts.flatMap(text => text.split(/\s+/)).map(({ length }) => Math.min(length, A_WORD)))[1]
  }
  return columns.reduce((sum, name) => sum + widthOf(name) + 3, 0) <= PAPER
}

/** A value of an answer in a table: what is null, empty or long shows as what it is. */
export function Cell({ value, isNumber, label }: CellOf) {
  const about = label === undefined ? {} : { 'data-label': label }
  if (value === null)
    return (
      <td class="dim" {...about}>
        null
      </td>
    )
  const text = typeof value === 'object' ? value.map(element => element ?? 'null').join(', ') : String(value)
  if (isNumber)
    return (
      <td class="n" {...about}>
        {text}
      </td>
    )
  if (text === '')
    return (
      <td class="dim" {...about}>
        ""
      </td>
    )
  const lines = text.split('\n')
  const isLong = lines.length > FOLDED.lines || lines.some(line => line.length > FOLDED.characters)
  if (isLong)
    return (
      <td {...about}>
        <details>
          <summary>
            <bdi>{[...text.slice(0, FOLDED.characters)].slice(0, -20).join('')}…</bdi>
          </summary>
          <pre>{text}</pre>
        </details>
      </td>
    )
  // a date or an identifier breaks at its hyphens otherwise
  const name = classOf(text)
  return (
    <td {...(name !== '' && { class: name })} {...about}>
      <bdi>{text}</bdi>
    </td>
  )
}

interface CellOf {
  readonly value: Value
  readonly isNumber: boolean
  /** The column's name, for a screen too narrow for columns. @default - none */
  readonly label?: string
}

const LONG_WORD = new RegExp(`\\S{${A_WORD + 1}}`)

/** Lines stand under one another, and a word or a moment on one line. */
function classOf(text: string): string {
  if (text.includes('\n')) return 'm'
  const isOne = (!/\s/.test(text) && text.length <= UNBROKEN) || /^\d{4}-\d{2}-\d{2} [\d:.]+Z$/.test(text)
  const isLong = LONG_WORD.test(text)
  return [...(isOne ? ['t'] : []), ...(isLong ? ['long'] : [])].join(' ')
}
