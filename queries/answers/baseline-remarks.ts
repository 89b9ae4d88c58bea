import { parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { SAVED_QUERIES } from '../catalog.js'
import type { QueryEngine } from '../engines/engine.js'
import type { Row } from '../engines/rows.js'
import { readArchiveFacts } from '../verdict/archive-facts.js'
import { type GoneItem, goneAt } from '../verdict/gone-items.js'
import { Answer } from './answer.js'

/**
 * The same answer, with a remark where complete baselines say otherwise than a saved query that takes no facts:
 * an item that a complete baseline since its last change lacks was gone by then. Nothing is asked where no baseline is.
 */
export async function withBaselineRemarks(
  engine: QueryEngine,
  table: TableConfiguration,
  answer: Answer,
): Promise<Answer> {
  const us = remarkedMoment(answer)
  if (us === undefined) return answer
  const gone = await goneAt(engine, table, await readArchiveFacts(engine, table), us)
  const told = gone.filter(item => tells(answer, item))
  if (told.length === 0) return answer
  const keys = told.slice(0, MOST_KEYS).map(({ itemKey }) => itemKey)
  const more = told.length > MOST_KEYS ? `, and ${told.length - MOST_KEYS} more` : ''
  const remark = `complete baselines say otherwise of ${told.length} ${told.length === 1 ? 'item' : 'items'}, which they lack, so that a REMOVE is missing: ${keys.join(', ')}${more}; as-of and diff know it`
  return new Answer(answer.table, answer.asked, [remark])
}

/**
 * The moment, in microseconds since 1970, of whose states an answer tells that knows no facts; undefined for every
 * other.
 */
function remarkedMoment({ asked }: Answer): number | undefined {
  const moment = SAVED_QUERIES.get(asked.query ?? '')?.withoutFacts
  return moment === undefined ? undefined : parseInstant(String(asked.parameters.get(moment)))?.us
}

const MOST_KEYS = 5

/** True where an answer has the item as that change left it. */
function tells(answer: Answer, { itemKey, lastUs }: GoneItem): boolean {
  const [parameter] = [answer.asked.parameters.get('item_key')]
  if (parameter !== undefined && parameter !== itemKey) return false
  const timeOf = ({ event_time_us }: Row) => (event_time_us === undefined ? lastUs : Number(event_time_us))
  return [...answer].some(row => row.item_key === itemKey && timeOf(row) === lastUs && row.last_event !== 'REMOVE')
}
