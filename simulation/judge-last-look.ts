/** What the owner of an archive may be told of it, held against what truly happened. */
import { groupBy } from '../delivery/redrive.js'
import { isDoubtful } from '../queries/verdict/findings.js'
import type { BaselineFact, Fact, ReconciliationFact } from '../transform/fact.js'
import { type Archived, hasTicks, type Identity, keyOf, type Row } from './judge-versions.js'
import type { LastLook } from './last-look.js'
import type { Version } from './table.js'

/** What an archive has, and what truly happened. */
export interface Looked {
  readonly versions: readonly Version[]
  readonly archived: Archived
  readonly identity: Identity
  readonly facts: readonly Fact[]
  readonly baselines: readonly Row[]
}

const SECOND_US = 1_000_000

/** Each a sentence. `reconcile` finds exactly the items whose last state is not archived. */
export function wrongLastLook({ histories, findings }: LastLook, looked: Looked): readonly string[] {
  const { versions, archived, identity, facts, baselines } = looked
  // an archive without a row cannot be compared
  if (archived.size === 0) return []
  const taken = facts.filter((fact): fact is BaselineFact => fact.kind === 'baseline')
  const compared = facts.filter((fact): fact is ReconciliationFact => fact.kind === 'reconciliation')
  const wasSeen = new Set(baselines.map(({ item_key }) => item_key))
  return [...groupBy(versions, ({ item }) => item)].flatMap(([item, all]) => {
    const there = all.filter(version => archived.has(identity.ofVersion(version)))
    const isWhole = there.length === all.length
    // which of two changes of one time was last, nobody knows
    if (hasTicks(all, identity)) return []
    const isBehind = stateOf(all) !== stateOf(there)
    const found = findings.get(keyOf(item))
    const confidence = histories.get(keyOf(item))?.confidence ?? 'none'
    const isCompared = isWhole || !wasSeen.has(keyOf(item))
    // a look at the table that does not name it says that it was as the archive has it
    const agreed = [...taken, ...compared.filter(fact => !isNamed(fact, keyOf(item)))].map(({ from }) =>
      Date.parse(from),
    )
    const anchorUs = Math.max(...agreed) * 1000 - 2 * SECOND_US
    const atAnchor = ({ timeUs }: Version) => timeUs < anchorUs
    const differed = compared.filter(fact => fact.differing.some(({ key }) => key === keyOf(item)))
    const isTold = differed.some(({ from }) => Date.parse(from) >= Math.max(...agreed))
    const isOther = stateOf(all.filter(atAnchor)) !== stateOf(there.filter(atAnchor))
    return [
      ...(isCompared && isBehind === (found === undefined)
        ? [
            `reconcile says ${found ?? 'nothing'} of ${item}, which ${isBehind ? 'lacks its last version' : 'is as it was'}`,
          ]
        : []),
      ...(isWhole && isDoubtful(confidence) && !(isTold && confidence === 'DIFFERS')
        ? [`archive says ${confidence} of ${item}, though it has all versions`]
        : []),
      ...(confidence === 'COMPLETE' && isOther
        ? [`archive says COMPLETE of ${item}, whose state it does not have`]
        : []),
    ]
  })
}

function isNamed({ differing, unsettled }: ReconciliationFact, itemKey: string): boolean {
  return unsettled.includes(itemKey) || differing.some(({ key }) => key === itemKey)
}

function stateOf(versions: readonly Version[]): string | null {
  return versions.at(-1)?.after ?? null
}
