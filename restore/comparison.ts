/** A comparison as a whole: what it found, and the fact that an archive keeps of it. */
import { digestOfStates } from '../queries/verdict/states-digest.js'
import { comparedAsOf, type ReconciliationFact } from '../transform/fact.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type ComparedArchive, findingsOf, type SidedFinding } from './reconcile-findings.js'
import type { ReconcileSource } from './reconcile-source.js'
import { type ComparedItems, NO_DIGEST, nameUnequal, reconciliationFact } from './reconciliation-fact.js'

/** How many items were compared, and all that are not equal. */
export type UnequalItems = Pick<ComparedItems, 'items' | 'differing' | 'unsettled'>

/** Who is told while it is compared. */
export interface ComparisonListener {
  /** How many items there are, before the first finding. */
  readonly onCompared: (items: number) => void
  readonly onFinding: (found: SidedFinding) => void
}

/** Compares an archive with what its source tells. Throws `ComparisonError` where that cannot be done. */
export async function compareAll(
  source: ReconcileSource,
  table: TableConfiguration,
  archived: ComparedArchive,
  { onCompared, onFinding }: ComparisonListener,
): Promise<UnequalItems> {
  let items = 0
  const [differing, unsettled] = [new Map<string, number | null>(), new Set<string>()]
  const begin = (count: number) => {
    items = count
    onCompared(count)
  }
  for await (const found of findingsOf(source, table, archived, begin)) {
    onFinding(found)
    const { kind, itemKey, lastChangeUs } = found.finding
    if (/^(changed-meanwhile|unknown|erased|config-boundary)$/.test(kind)) unsettled.add(itemKey)
    else differing.set(itemKey, lastChangeUs)
  }
  return { items, differing, unsettled }
}

/** What an archive keeps of a comparison, recorded at `nowMs`. The archive is opened for it once more. */
export async function comparisonFact(
  { kind, source, fromUs, toUs }: ReconcileSource,
  table: TableConfiguration,
  { open }: Pick<ComparedArchive, 'open'>,
  { items, differing, unsettled }: UnequalItems,
  nowMs: number,
): Promise<ReconciliationFact> {
  const named = nameUnequal(differing, unsettled)
  const compared = {
    table: table.table,
    method: kind === 'scan' ? 'scan' : 'export',
    source,
    fromUs,
    toUs: toUs(),
  } as const
  const digest = async () => {
    const engine = await open()
    try {
      const except = [...named.differing.keys(), ...named.unsettled]
      return await digestOfStates(engine, table, comparedAsOf(fromUs), except)
    } finally {
      engine.close()
    }
  }
  const judged = named.further === undefined ? await digest() : NO_DIGEST
  return reconciliationFact(compared, { items, ...named, digest: judged }, nowMs)
}
