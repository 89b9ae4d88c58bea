import { describeConfidence } from '../cli/show/confidence.js'
import { pageVerdict } from '../cli/show/table-verdict.js'
import type { AnswerVerdict } from '../queries/answers/asked.js'
import type { ItemHistory } from '../queries/verdict/fold-history.js'
import { NOT_SHOWN } from '../queries/verdict/table-verdict.js'
import type { PageAsking, Sureness } from './screen.js'

/** How long a screen waits for its verdict; later looks have it. */
const PATIENCE_MS = 700

/** The verdict about the changes of a table in a period: found out once, and not waited for long. */
export async function surenessOf(
  asking: PageAsking,
  table: string,
  parameters: Readonly<Record<string, string>>,
  query = 'changes-between',
): Promise<Sureness> {
  const asked = { query, table, parameters: new Map(Object.entries(parameters)), sql: '' }
  const judging = asking.verdict(asked)
  if (asking.waits) return judgedBy(await judging, asking.root)
  const verdict = await Promise.race([judging, later()])
  return verdict === PENDING ? { kind: 'pending' } : judgedBy(verdict, asking.root)
}

const PENDING = Symbol('pending')

function later(): Promise<typeof PENDING> {
  return new Promise(resolve => setTimeout(() => resolve(PENDING), PATIENCE_MS).unref())
}

/** A verdict in the words of the command line. */
export function judgedBy(verdict: AnswerVerdict | undefined, root: string): Sureness {
  const { word, text } = pageVerdict(verdict, root)
  const lines = text
    .split('; ')
    .map(line => line.replace(NOT_SHOWN, ''))
    .filter(line => line !== '')
  return { kind: 'judged', verdict, word, lines }
}

/** The verdict about one item, or about its history up to a moment. */
export function judgedItem(history: ItemHistory): Sureness {
  const { confidence: word } = history
  const text = describeConfidence(history).slice(word.length).replace(/^: /, '').trim()
  const verdict = { confidence: word, isDoubtful: false, tables: [], item: history }
  return { kind: 'judged', verdict, word, lines: [text] }
}
