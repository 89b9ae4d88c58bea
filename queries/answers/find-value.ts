import type { TableConfiguration } from '../../transform/table-configuration.js'
import { savedQuery } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import { readHistories } from '../verdict/histories.js'
import { spansOfValue, type ValueSpan } from '../verdict/value-spans.js'
import type { Answer } from './answer.js'
import { answerQuery } from './ask.js'

/** What is looked for. */
export interface ValueQuestion {
  readonly value: string
  /** Only where it stands at this path, or below it. @default - anywhere */
  readonly attribute?: string | undefined
  /** How many items are told at most. @default - all */
  readonly limit?: number | undefined
}

/** Where a value stood, and the answer that its items come from. */
export interface ValueSearch {
  /** Items that have the value in their images, some perhaps as the name of an attribute only. */
  readonly answer: Answer
  /** How many of these were looked at; right when all spans are taken. */
  readonly tally: { items: number }
  /** Each place and stretch of time, item by item. */
  readonly spans: () => AsyncGenerator<ValueSpan>
}

/** Histories in memory at once. */
const ITEMS_AT_ONCE = 100

/** Looks for a value in all images that a table ever had. */
export async function findValue(
  engine: QueryEngine,
  table: TableConfiguration,
  { value, attribute, limit = Number.POSITIVE_INFINITY }: ValueQuestion,
): Promise<ValueSearch> {
  const answer = await answerQuery(engine, savedQuery('items-with-value'), table, { value: JSON.stringify(value) })
  const keys = [...answer].map(({ item_key: key }) => String(key))
  const tally = { items: 0 }
  const spans = async function* () {
    let told = 0
    for (let i = 0; i < keys.length; i += ITEMS_AT_ONCE) {
      const histories = await readHistories(engine, table, keys.slice(i, i + ITEMS_AT_ONCE))
      for (const history of histories.values()) {
        if (told >= limit) return
        tally.items++
        const found = spansOfValue(history, value).filter(({ path }) => isAt(path, attribute))
        if (found.length > 0) told++
        yield* found
      }
    }
  }
  return { answer, tally, spans }
}

function isAt(path: string, attribute: string | undefined): boolean {
  if (attribute === undefined || path === attribute) return true
  return path.startsWith(`${attribute}.`) || path.startsWith(`${attribute}[`)
}
