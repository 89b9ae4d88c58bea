/** A statement's text, as far as an engine must know it to put values or another statement around it. */
export interface StatementText {
  /** Without a closing semicolon, and without comments after the end. */
  readonly text: string
  /** True where no further statement follows: of several only the last would answer. */
  readonly isOne: boolean
  /** True for what answers with rows and can stand in a FROM clause: SELECT, WITH, VALUES, TABLE. */
  readonly isQuery: boolean
  /** Where each `?` stands in `text`. */
  readonly placeholders: readonly number[]
  /** What the answer as a whole is ordered by; empty where it has no order. */
  readonly orderBy: readonly OrderItem[]
  /** Where in `text` one more column fits into the answer; undefined where it is not that of one SELECT with a FROM. */
  readonly listEnd: number | undefined
}

export interface OrderItem {
  readonly expression: string
  /** `desc nulls last`, or nothing. */
  readonly direction: string
  /** In lower case, what may be the name of a column, or of the table before a dot. */
  readonly names: readonly string[]
}

/** A word, a string, a sign of a statement. */
export interface Token {
  /** In lower case. */
  readonly text: string
  readonly start: number
  readonly end: number
  /** How many brackets are open around it; both brackets of a pair have the number outside. */
  readonly depth: number
}

/**
 * Comments, strings, quoted names, words and numbers, single signs. `'it''s'` is two strings, which does no harm here.
 */
const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'[^']*'|"[^"]*"|[a-z_0-9]+|\S/gi
const COMMENT = /^(--|\/\*)/
const QUERY = new Set(['select', 'with', 'values', 'table'])
const AFTER_ORDER = new Set(['limit', 'offset', 'fetch'])
const DIRECTION = /(\s+(asc|desc))?(\s+nulls\s+(first|last))?$/i

/**
 * Reads a statement's outline. Text that is no SQL has some outline too; an engine says better what is wrong with it.
 */
export function readStatement(sql: string): StatementText {
  const tokens = tokensOf(sql)
  while (tokens.at(-1)?.text === ';') tokens.pop()
  const [first, last] = [tokens[0], tokens.at(-1)]
  if (first === undefined || last === undefined) return NOTHING
  if (first.text === '(' && tokens.find(({ text, depth }) => text === ')' && depth === 0) === last) {
    return readStatement(sql.slice(first.end, last.start))
  }
  return {
    text: sql.slice(first.start, last.end),
    isOne: tokens.every(({ text }) => text !== ';'),
    isQuery: QUERY.has(first.text) || first.text === '(',
    placeholders: tokens.filter(({ text }) => text === '?').map(({ start }) => start - first.start),
    orderBy: orderOf(sql, tokens),
    listEnd: listEndOf(tokens.map(token => ({ ...token, start: token.start - first.start }))),
  }
}

const NOTHING: StatementText = {
  text: '',
  isOne: true,
  isQuery: false,
  placeholders: [],
  orderBy: [],
  listEnd: undefined,
}

/** The pieces of a statement but for its comments. */
export function tokensOf(sql: string): Token[] {
  let depth = 0
  const tokens: Token[] = []
  for (const match of sql.matchAll(TOKEN)) {
    const text = match[0].toLowerCase()
    if (COMMENT.test(text)) continue
    if (text === ')' || text === ']') depth--
    tokens.push({ text, start: match.index, end: match.index + text.length, depth })
    if (text === '(' || text === '[') depth++
  }
  return tokens
}

/** Every other ORDER BY stands in brackets: of a subquery, a window, an aggregate. */
function orderOf(sql: string, tokens: readonly Token[]): readonly OrderItem[] {
  const by = tokens.findIndex(({ text, depth }, i) => depth === 0 && text === 'by' && tokens[i - 1]?.text === 'order')
  if (by < 0) return []
  const after = tokens.slice(by + 1)
  const end = after.findIndex(({ text, depth }) => depth === 0 && AFTER_ORDER.has(text))
  const clause = end < 0 ? after : after.slice(0, end)
  const commas = clause.flatMap(({ text, depth }, i) => (depth === 0 && text === ',' ? [i] : []))
  const items = [...commas, clause.length].map((to, i) => clause.slice((commas[i - 1] ?? -1) + 1, to))
  return items.map(item => orderItem(sql, item))
}

function orderItem(sql: string, tokens: readonly Token[]): OrderItem {
  const text = sql.slice(tokens[0]?.start ?? sql.length, tokens.at(-1)?.end)
  const direction = DIRECTION.exec(text)?.[0] ?? ''
  const names = tokens.filter(
    (token, i) => /^[a-z_"]/.test(token.text) && tokens[i - 1]?.text !== '.' && tokens[i + 1]?.text !== '(',
  )
  return {
    expression: text.slice(0, text.length - direction.length),
    direction: direction.trim(),
    names: names.map(({ text: name }) => name.replaceAll('"', '')),
  }
}

function listEndOf(tokens: readonly Token[]): number | undefined {
  const outer = tokens.filter(({ depth }) => depth === 0)
  const selects = outer.flatMap(({ text }, i) => (text === 'select' ? [i] : []))
  const first = selects[0] ?? 0
  if (selects.length !== 1 || outer[first + 1]?.text === 'distinct') return undefined
  // `a is distinct from b` is no FROM
  return outer.find(({ text }, i) => text === 'from' && i > first && outer[i - 1]?.text !== 'distinct')?.start
}
