/** What a comparison found, as the archive keeps it. */
import { FACT_VERSION, factInstant, type ReconciliationFact, StatesDigest } from '../transform/fact.js'
import { compareUtf8 } from '../transform/json.js'

/** An archive that differs in more than this is another table's, or broken: no list of keys says it better. */
const MOST_NAMED = 1000

/** How many items were compared, and those that are not equal, by key. */
export interface ComparedItems {
  readonly items: number
  /** With the time of the archive's last change in microseconds since 1970; null where it had none. */
  readonly differing: ReadonlyMap<string, number | null>
  readonly unsettled: ReadonlySet<string>
  /** How many more there were than these. @default - none */
  readonly further?: ReconciliationFact['further']
  /** `StatesDigest` of what was judged equal. */
  readonly digest: string
}

/** Of what was unequal that which a fact names, the first by their keys, and how many more there were. */
export function nameUnequal<T>(
  differing: ReadonlyMap<string, T>,
  unsettled: ReadonlySet<string>,
): Pick<ComparedItems, 'unsettled' | 'further'> & { readonly differing: ReadonlyMap<string, T> } {
  const all = [...differing].sort(([a], [b]) => compareUtf8(a, b))
  const open = [...unsettled].filter(key => !differing.has(key)).sort(compareUtf8)
  const some = all.slice(0, MOST_NAMED)
  const others = open.slice(0, MOST_NAMED - some.length)
  const further = { differing: all.length - some.length, unsettled: open.length - others.length }
  const isCut = further.differing + further.unsettled > 0
  return { differing: new Map(some), unsettled: new Set(others), ...(isCut && { further }) }
}

/** The digest of a comparison that does not name all that was unequal, so that nobody can work it out again. */
export const NO_DIGEST = new StatesDigest().hex()

/** What was compared, and when it was so, in microseconds since 1970. */
export interface ComparedSource extends Pick<ReconciliationFact, 'table' | 'method' | 'source'> {
  readonly fromUs: number
  readonly toUs: number
}

/** The fact of a comparison, in the order in which its file has it. */
export function reconciliationFact(
  { table, method, source, fromUs, toUs }: ComparedSource,
  { items, differing, unsettled, further, digest }: ComparedItems,
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
    ...(further !== undefined && { further }),
    digest,
  }
}
