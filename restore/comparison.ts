/** A comparison as a whole: what it found, and the fact that an archive keeps of it. */
import type { QueryEngine } from '../queries/engines/engine.js'
import { digestOfStates } from '../queries/verdict/states-digest.js'
import { comparedAsOf, type ReconciliationFact } from '../transform/fact.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { type ComparedArchive, findingsOf, type SidedFinding } from './reconcile-findings.js'
import type { ReconcileSource } from './reconcile-source.js'
import { type ComparedItems, NO_DIGEST, nameUnequal, reconciliationFact } from './reconciliation-fact.js'

/** How many items were compared, and which are not equal: the first of them, and how many more. */
export interface UnequalItems extends Omit<ComparedItems, 'digest'> {
  /** Over what was equal, in the very archive that was compared; not told where that is to be asked anew. */
  readonly digest?: string
}

/** Who is told while it is compared. */
export interface ComparisonListener {
  /** How many items there are, before the first finding. */
  readonly onCompared: (items: number) => void
  readonly onFinding: (found: SidedFinding) => void
  /** True where a fact of it is to be kept, for which the archive is asked while it is open. */
  readonly isKept: boolean
}

/** Compares an archive with what its source tells. Throws `ComparisonError` where that cannot be done. */
export async function compareAll(
  source: ReconcileSource,
  table: TableConfiguration,
  archived: ComparedArchive,
  { onCompared, onFinding, isKept }: ComparisonListener,
): Promise<UnequalItems> {
  let [items, digest]: [number, string?] = [0]
  const [differing, unsettled] = [new Map<string, number | null>(), new Set<string>()]
  const begin = (count: number) => {
    items = count
    onCompared(count)
  }
  let named = nameUnequal(differing, unsettled)
  const end = async (engine: QueryEngine) => {
    named = nameUnequal(differing, unsettled)
    // a live table may have been found equal by what has arrived since
    if (isKept && source.kind !== 'scan' && named.further === undefined)
      digest = await digestOfEqual(engine, source, table, named)
  }
  for await (const found of findingsOf(source, table, archived, begin, end)) {
    onFinding(found)
    const { kind, itemKey, lastChangeUs } = found.finding
    if (/^(changed-meanwhile|unknown|erased|config-boundary)$/.test(kind)) unsettled.add(itemKey)
    else differing.set(itemKey, lastChangeUs)
  }
  return { items, ...named, ...(digest !== undefined && { digest }) }
}

/** What an archive keeps of a comparison, recorded at `nowMs`; where it was not asked yet, it is opened once more. */
export async function comparisonFact(
  source: ReconcileSource,
  table: TableConfiguration,
  { open }: Pick<ComparedArchive, 'open'>,
  unequal: UnequalItems,
  nowMs: number,
): Promise<ReconciliationFact> {
  const compared = {
    table: table.table,
    method: source.kind === 'scan' ? 'scan' : 'export',
    source: source.source,
    fromUs: source.fromUs,
    toUs: source.toUs(),
  } as const
  const askAnew = async () => {
    const engine = await open()
    try {
      return await digestOfEqual(engine, source, table, unequal)
    } finally {
      engine.close()
    }
  }
  const anew = async () => (unequal.further === undefined ? askAnew() : NO_DIGEST)
  return reconciliationFact(compared, { ...unequal, digest: unequal.digest ?? (await anew()) }, nowMs)
}

/** What the archive's rows say of all items but those, at the moment that a fact of the comparison is about. */
function digestOfEqual(
  engine: QueryEngine,
  { fromUs }: ReconcileSource,
  table: TableConfiguration,
  { differing, unsettled }: Pick<ComparedItems, 'differing' | 'unsettled'>,
): Promise<string> {
  return digestOfStates(engine, table, comparedAsOf(fromUs), [...differing.keys(), ...unsettled])
}
