/** What a comparison found, as the archive keeps it. */
import { FACT_VERSION, factInstant, type ReconciliationFact } from '../transform/fact.js'
import { compareUtf8 } from '../transform/json.js'

/** An archive that differs in more than this is another table's, or broken: no list of keys says it better. */
export const MOST_EXCEPTED = 1000

/** How many items were compared, and those that are not equal, by key. */
export interface ComparedItems {
  readonly items: number
  /** With the time of the archive's last change in microseconds since 1970; null where it had none. */
  readonly differing: ReadonlyMap<string, number | null>
  readonly unsettled: ReadonlySet<string>
  /** `StatesDigest` of what was judged equal. */
  readonly digest: string
}

/** What was compared, and when it was so, in microseconds since 1970. */
export interface ComparedSource extends Pick<ReconciliationFact, 'table' | 'method' | 'source'> {
  readonly fromUs: number
  readonly toUs: number
}

/** The fact of a comparison, in the order in which its file has it. */
export function reconciliationFact(
  { table, method, source, fromUs, toUs }: ComparedSource,
  { items, differing, unsettled, digest }: ComparedItems,
  nowMs: number,
): ReconciliationFact {
  return {
    version: FACT_VERSION,
    kind: 'reconciliation',
    table,
    recorded: factInstant(nowMs * 1000),
    method,
    source,
    from: factInstant(fromUs),
    to: factInstant(toUs),
    items,
    differing: [...differing]
      .sort(([a], [b]) => compareUtf8(a, b))
      .map(([key, us]) => ({ key, since: us === null ? null : factInstant(us) })),
    unsettled: [...unsettled].filter(key => !differing.has(key)).sort(compareUtf8),
    digest,
  }
}
