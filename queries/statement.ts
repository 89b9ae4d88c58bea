/** A statement's text, as far as an engine must know it to put values or another statement around it. */
export interface StatementText {
  /** Without a closing semicolon, and without comments after the end. */
  readonly text: string
  /** True for what answers with rows and can stand in a FROM clause: SELECT, WITH, VALUES, TABLE. */
  readonly isQuery: boolean
  /** Where each `?` stands in `text`. */
  readonly placeholders: readonly number[]
  /** What the answer as a whole is ordered by, item by item; empty where it has no order. */
  readonly orderBy: readonly string[]
}

interface Token {
  /** In lower case. */
  readonly text: string
  readonly start: number
  readonly end: number
  /** How many brackets are open around it; both brackets of a pair have the number outside. */
  readonly depth: number
}

/** Comments, strings, quoted names, words and numbers, single signs. `'it''s'` is two strings, which does no harm here. */
const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'[^']*'|"[^"]*"|[a-z_0-9]+|\S/gi
const COMMENT = /^(--|\/\*)/
const QUERY = new Set(['select', 'with', 'values', 'table'])
const AFTER_ORDER = new Set(['limit', 'offset', 'fetch'])

/** Reads a statement's outline. Text that is no SQL has some outline too; an engine says better what is wrong with it. */
export function readStatement(sql: string): StatementText {
  const tokens = tokensOf(sql)
  while (tokens.at(-1)?.text === ';') tokens.pop()
  const [first, last] = [tokens[0], tokens.at(-1)]
  if (first === undefined || last === undefined) return { text: '', isQuery: false, placeholders: [], orderBy: [] }
  if (first.text === '(' && tokens.find(({ text, depth }) => text === ')' && depth === 0) === last) {
    return readStatement(sql.slice(first.end, last.start))
  }
  return {
    text: sql.slice(first.start, last.end),
    isQuery: QUERY.has(first.text) || first.text === '(',
    placeholders: tokens.filter(({ text }) => text === '?').map(({ start }) => start - first.start),
    orderBy: orderOf(sql, tokens),
  }
}

function tokensOf(sql: string): Token[] {
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
function orderOf(sql: string, tokens: readonly Token[]): readonly string[] {
  const outer = tokens.filter(({ depth }) => depth === 0)
  const by = outer.findIndex(({ text }, i) => text === 'by' && outer[i - 1]?.text === 'order')
  if (by < 0) return []
  const after = outer.slice(by + 1)
  const end = after.findIndex(({ text }) => AFTER_ORDER.has(text))
  const clause = end < 0 ? after : after.slice(0, end)
  const commas = clause.filter(({ text }) => text === ',')
  const starts = [outer[by] as Token, ...commas].map(token => token.end)
  const ends = [...commas.map(token => token.start), clause.at(-1)?.end ?? (outer[by] as Token).end]
  return starts.map((start, i) => sql.slice(start, ends[i]).trim())
}
