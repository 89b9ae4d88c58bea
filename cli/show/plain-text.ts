import type { PlainText, ReadPlain } from '../../queries/answers/plain-text.js'
import { tryParseObject } from '../../transform/json.js'
import { showItemKey } from './item-key.js'

/** Columns of saved queries and commands that hold one attribute value in DynamoDB JSON. */
const VALUES: ReadonlySet<string> = new Set(['old_value', 'new_value', 'before', 'after', 'value', 'example'])
const TIMES = /^(as_of|hour|minute|time|.*_time)$/
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z$/

/** Texts of files for people: by the name of the column, because a text of an item may look like anything. */
export const readPlain: ReadPlain = (column, text) => {
  if (column === 'item_key') return plainKey(text)
  if (VALUES.has(column)) return plainValue(text)
  return { text, kind: isTimeColumn(column) && TIME.test(text) ? 'time' : 'text' }
}

/** True for the name of a column that holds times of the archive: those of items stay as the items have them. */
export function isTimeColumn(name: string): boolean {
  return TIMES.test(name)
}

function plainKey(key: string): PlainText {
  const [only, ...others] = Object.values(tryParseObject(key) ?? {})
  const isNumber = others.length === 0 && typeof (only as { N?: unknown } | undefined)?.N === 'string'
  return { text: showItemKey(key), kind: isNumber ? 'number' : 'text' }
}

/** Of lists, maps, sets and bytes the DynamoDB JSON stays: no shorter form would say the same. */
function plainValue(text: string): PlainText {
  const [[type, value] = [], ...others] = Object.entries(tryParseObject(text) ?? {})
  if (others.length > 0 || (typeof value !== 'string' && typeof value !== 'boolean')) return { text, kind: 'text' }
  if (type === 'S' || type === 'N') return { text: String(value), kind: type === 'N' ? 'number' : 'text' }
  if (type === 'BOOL') return { text: String(value), kind: 'text' }
  return type === 'NULL' ? { text: 'null', kind: 'text' } : { text, kind: 'text' }
}
