/** The journal of the archive that an engine reads, opened once for all of its answers. */
import { REFUSED_DAYS } from '../../config/schema.js'
import { type Attested, readAttested } from '../../journal/attested.js'
import { KeptLog } from '../../journal/kept-log.js'
import { CHECKPOINT } from '../../journal/log-store.js'
import { RefusedExpiry } from '../../journal/refused-expiry.js'
import type { Objects, ReplaceableObjects } from '../../store/objects.js'
import { LOG_PREFIX } from '../../transform/layout.js'
import type { KnownJournal, QueryEngine } from '../engines/engine.js'
import { once } from '../engines/once.js'

/** What a journal says, and what of it contradicts what is known from elsewhere. */
export interface ArchiveJournal {
  /** Where the objects lie that it names. */
  readonly archive: Objects
  /** Undefined where there is none, although there should be. */
  readonly attested: Attested | undefined
  readonly expiry: RefusedExpiry
  /** What of it cannot be read, is not what was signed, or is less than it was, for people. */
  problems(): readonly string[]
}

/** The journal of an engine's archive; null where nothing is sealed and nobody says that it was, or nobody can look. */
export function journalOf(engine: QueryEngine): Promise<ArchiveJournal | null> {
  return once(engine, 'journal', () => readJournal(engine))
}

async function readJournal(engine: QueryEngine): Promise<ArchiveJournal | null> {
  const known = engine.journal ?? {}
  const archive = known.archive ?? engine.facts
  if (archive === undefined) return null
  const expiry = new RefusedExpiry(known.refusedDays ?? REFUSED_DAYS)
  const log = new KeptLog(archive as ReplaceableObjects)
  const isThere =
    (await archive.folders(LOG_PREFIX)).length > 0 || (await archive.entries(LOG_PREFIX + CHECKPOINT)).length > 0
  const attested = isThere ? await readAttested(log, known.believed, entry => expiry.add(entry)) : undefined
  const against = contradictions(attested, known)
  if (attested === undefined && against.length === 0) return null
  // some show when an entry is looked at
  const problems = () => [...(attested?.problems ?? []), ...against]
  return { archive, attested, expiry, problems }
}

/** What is known from elsewhere of a journal, and is not so. */
function contradictions(attested: Attested | undefined, { sealedBy, seen }: KnownJournal): readonly string[] {
  if (attested === undefined) {
    const says = seen === undefined ? sealedBy : `${seen.where}, which is of size ${seen.size}`
    return says === undefined
      ? []
      : [`the journal is gone, or nothing was sealed yet: ${LOG_PREFIX} is empty, against ${says}`]
  }
  if (seen === undefined) return []
  const root = attested.rootAt(seen.size)
  if (root === undefined)
    return [
      `the journal is cut off: it has ${attested.size} entries, against ${seen.where}, which is of size ${seen.size}`,
    ]
  return root.equals(seen.root)
    ? []
    : [`the journal is another: its first ${seen.size} entries are not those of ${seen.where}`]
}
