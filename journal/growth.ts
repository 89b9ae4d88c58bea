import { ProofError } from '../proof/proof-error.js'
import { type ReadFile, TileReader } from '../proof/tiles.js'
import { consistencyRanges, provesConsistency } from '../proof/tree.js'
import type { JournalFinding } from './finding.js'
import type { Head } from './head.js'

/**
 * Why a journal that ends in `head` does not begin with what a checkpoint of it says that was kept; undefined where it
 * does, which a handful of hashes out of its tiles prove (RFC 9162, section 2.1.4). From size 0 nothing is proven.
 */
export async function whyNotGrown(
  read: ReadFile,
  kept: Pick<Head, 'size' | 'root'>,
  head: Pick<Head, 'size' | 'root'>,
): Promise<Pick<JournalFinding, 'kind' | 'message'> | undefined> {
  if (kept.size > head.size)
    return { kind: 'cut-off', message: `is of size ${kept.size}, the journal ends at ${head.size}` }
  try {
    const path = await new TileReader(read, head.size).hashesOf(consistencyRanges(kept.size, head.size))
    if (provesConsistency(kept, head, path)) return undefined
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    return { kind: 'altered', message: `cannot be held against the journal: ${error.message}` }
  }
  return { kind: 'forked', message: `has another root at size ${kept.size} than the journal` }
}
