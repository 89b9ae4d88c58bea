/** What the owner of an archive may be told of it, held against what truly happened. */
import { groupBy } from '../delivery/redrive.js'
import { isDoubtful } from '../queries/verdict/findings.js'
import { type Archived, type Identity, keyOf } from './judge-versions.js'
import type { LastLook } from './last-look.js'
import type { Version } from './table.js'

/** Each a sentence. `reconcile` finds exactly the items whose last state is not archived. */
export function wrongLastLook(
  { histories, findings }: LastLook,
  versions: readonly Version[],
  archived: Archived,
  { ofVersion, isOrdered }: Identity,
): readonly string[] {
  // an archive without a row cannot be compared
  if (archived.size === 0) return []
  return [...groupBy(versions, ({ item }) => item)].flatMap(([item, all]) => {
    const there = all.filter(version => archived.has(ofVersion(version)))
    const isWhole = there.length === all.length
    // which of two changes of one time was last, nobody knows
    if (!isOrdered && all.some(({ timeUs }, i) => timeUs === all[i - 1]?.timeUs)) return []
    const [state, known] = [all.at(-1)?.after ?? null, there.at(-1)?.after ?? null]
    const found = findings.get(keyOf(item))
    const confidence = histories.get(keyOf(item))?.confidence ?? 'none'
    const isBehind = state !== known
    return [
      ...(isBehind === (found === undefined)
        ? [
            `reconcile says ${found ?? 'nothing'} of ${item}, which ${isBehind ? 'lacks its last version' : 'is as it was'}`,
          ]
        : []),
      ...(isWhole && isDoubtful(confidence)
        ? [`archive says ${confidence} of ${item}, though it has all versions`]
        : []),
      ...(confidence === 'COMPLETE' && isBehind ? [`archive says COMPLETE of ${item}, whose last is missing`] : []),
    ]
  })
}
