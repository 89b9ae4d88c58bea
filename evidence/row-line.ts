import { isObject } from '../transform/json.js'
import type { EvidenceRow } from './leaf.js'

/** A row as a line of `rows.ndjson`, both ways: it has one form, so that all who read it read the same row. */

/** A row as one JSON object and a line feed: numbers that are exact keep all their digits. */
export function formatRowLine(row: EvidenceRow): string {
  const fields = Object.entries(row).map(
    ([name, value]) => `${JSON.stringify(name)}:${typeof value === 'bigint' ? value : JSON.stringify(value)}`,
  )
  return `{${fields.join(',')}}\n`
}

/**
 * The rows of a text of such lines; undefined in the place of a line that is not as we write it. White space, a name
 * that is there twice, a null or a last line without its end is read in several ways, and a proof speaks of one.
 */
export function parseRowLines(text: string): readonly (EvidenceRow | undefined)[] {
  const lines = text.split('\n')
  const rest = lines.pop()
  return [...lines.map(parseRowLine), ...(rest === '' ? [] : [undefined])]
}

function parseRowLine(line: string): EvidenceRow | undefined {
  try {
    const row: unknown = JSON.parse(line)
    if (!isObject(row) || Object.values(row).includes(null)) return undefined
    const exact = quoteLongNumbers(line)
    return JSON.stringify(JSON.parse(exact)) === exact ? row : undefined
  } catch {
    return undefined
  }
}

/** A text or a whole number of more digits than JSON.parse keeps. */
const TEXT_OR_LONG = /"(?:[^"\\]|\\.)*"|-?\b[1-9]\d{15,}\b(?![.eE])/g

/** Numbers that JSON.parse would round, as texts of their digits. */
function quoteLongNumbers(json: string): string {
  return json.replace(TEXT_OR_LONG, found => (found.startsWith('"') ? found : `"${found}"`))
}
