import { readFacts } from '../store/facts.js'
import type { Objects } from '../store/objects.js'
import { type Fact, factMicroseconds } from '../transform/fact.js'

/** A time whose changes of a table are not all in the archive, in microseconds since 1970. */
export interface LostStretch {
  /** Null where nobody knows when it began. */
  readonly fromUs: number | null
  readonly toUs: number
}

/** What a table's facts say is lost: records that were gone before they were read, and the time without a stream. */
export async function readLostStretches(archive: Objects, table: string): Promise<readonly LostStretch[]> {
  return (await readFacts(archive, table)).flatMap(fact => lostIn(fact))
}

function lostIn(fact: Fact): readonly LostStretch[] {
  if (fact.kind === 'gap') {
    return [{ fromUs: fact.from === null ? null : factMicroseconds(fact.from), toUs: factMicroseconds(fact.to) }]
  }
  return fact.kind === 'stream-changed' ? [{ fromUs: null, toUs: factMicroseconds(fact.recorded) }] : []
}

/** True where something was lost between an item's last change, if it had one, and a moment: it may have been the item's. */
export function isLostBetween(lastUs: number | undefined, atUs: number, lost: readonly LostStretch[]): boolean {
  return lost.some(
    ({ fromUs, toUs }) => (fromUs === null || fromUs <= atUs) && (lastUs === undefined || toUs >= lastUs),
  )
}
