import type { TableConfiguration } from '../transform/table-configuration.js'
import { Answer } from './answer.js'
import { type ArchiveFacts, readArchiveFacts } from './archive-facts.js'
import { anchorFindings } from './continuity.js'
import type { QueryEngine } from './engine.js'
import { momentsOf } from './moments.js'
import type { Row } from './rows.js'

/**
 * The same answer, with a remark where complete baselines say otherwise than a saved query, which reads rows and no facts:
 * an item that a complete baseline since its last change lacks was gone by then. Nothing is asked where no baseline is.
 */
export async function withBaselineRemarks(
  engine: QueryEngine,
  table: TableConfiguration,
  answer: Answer,
): Promise<Answer> {
  const moments = momentsOf(answer.asked)
  if (moments === undefined) return answer
  const facts = await readArchiveFacts(engine, table)
  const gones = await Promise.all(moments.map(us => goneAt(engine, table, facts, us)))
  const before = gones.length > 1 ? gones[0] : undefined
  const gone = [...(gones.at(-1) ?? [])].filter(([key, us]) => before?.get(key) !== us)
  const told = answer.asked.query === 'diff-of-table' ? gone : gone.filter(([key, us]) => tells(answer, key, us))
  if (told.length === 0) return answer
  const keys = told.slice(0, SHOWN).map(([key]) => key)
  const more = told.length > SHOWN ? `, and ${told.length - SHOWN} more` : ''
  const remark = `complete baselines say otherwise of ${told.length} ${told.length === 1 ? 'item' : 'items'}, which they lack, so that a REMOVE is missing: ${keys.join(', ')}${more}; as-of and diff know it`
  return new Answer(answer.table, answer.asked, [remark])
}

const SHOWN = 5

/** Items that were gone at a moment although the archive has no REMOVE of them, with the time of the last change of each. */
async function goneAt(
  engine: QueryEngine,
  table: TableConfiguration,
  { baselines }: ArchiveFacts,
  us: number,
): Promise<ReadonlyMap<string, number>> {
  const gone = new Map<string, number>()
  for (const baseline of baselines.filter(anchor => anchor.us <= us))
    for await (const { itemKey, absence, eventTimeUs } of anchorFindings(engine, table, baseline))
      if (absence?.missing === 'REMOVE') gone.set(itemKey, eventTimeUs)
  return gone
}

/** True where an answer has the item as that change left it. */
function tells(answer: Answer, itemKey: string, us: number): boolean {
  const [parameter] = [answer.asked.parameters.get('item_key')]
  if (parameter !== undefined && parameter !== itemKey) return false
  const timeOf = ({ event_time_us }: Row) => (event_time_us === undefined ? us : Number(event_time_us))
  return [...answer].some(row => row.item_key === itemKey && timeOf(row) === us && row.last_event !== 'REMOVE')
}
