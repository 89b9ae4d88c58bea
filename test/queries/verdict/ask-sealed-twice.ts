/** What an engine answers of changes that were sealed twice. */
import { bindQuery } from '../../../queries/bind.js'
import { savedQuery } from '../../../queries/catalog.js'
import type { QueryEngine } from '../../../queries/engines/engine.js'
import { type Row, rowsOf } from '../../../queries/engines/rows.js'
import { NO_FACTS } from '../../../queries/verdict/archive-facts.js'
import { findingsByItem, namedBreaks } from '../../../queries/verdict/continuity.js'
import { BOUNDARIES, SEALED_TWICE, TWICE } from './sealed-twice.js'

const caseOf = (eventId: unknown) => SEALED_TWICE.findIndex(({ rows }) => rows[0]?.event_id === eventId)
const saidOf = (eventId: unknown) => SEALED_TWICE[caseOf(eventId)]?.said

/** Of each what `item-history` says. */
export async function historiesTold(engine: QueryEngine) {
  const { sql, values } = bindQuery(savedQuery('item-history'), TWICE, { item_key: 'none' })
  const rows = [...rowsOf(await engine.run(sql.replace('item_key = ?', 'item_key <> ?'), values))]
  return inOrder(rows).map(row => ({
    said: saidOf(row.event_id),
    conflict: row.conflict,
    repeats: Number(row.repeats),
  }))
}

/** Of each what `continuity` says: item by item, as the saved query is asked, and as somebody pastes it. */
export async function findingsTold(engine: QueryEngine) {
  const byItem: object[] = []
  for await (const { findings } of findingsByItem(engine, TWICE, { ...NO_FACTS, boundaries: BOUNDARIES }))
    for (const { eventId, finding, changes } of findings) byItem.push({ said: saidOf(eventId), finding, changes })
  const query = async (parameters: Readonly<Record<string, string>>) => {
    const { sql, values } = bindQuery(savedQuery('continuity'), TWICE, parameters)
    const rows = inOrder([...rowsOf(await engine.run(sql, values))])
    return rows.map(row => ({ said: saidOf(row.event_id), finding: row.finding, changes: Number(row.changes) }))
  }
  const explained = await namedBreaks(engine, TWICE, BOUNDARIES)
  return { byItem, queried: await query({ explained }), pasted: await query({}) }
}

function inOrder(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort((a, b) => caseOf(a.event_id) - caseOf(b.event_id))
}
