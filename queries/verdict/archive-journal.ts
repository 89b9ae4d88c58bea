/** The journal of the archive that an engine reads, opened once for all of its answers. */
import { FileError } from '../../config/gate.js'
import { REFUSED_DAYS } from '../../config/schema.js'
import { type Attested, readAttested } from '../../journal/attested.js'
import type { JournalFinding } from '../../journal/finding.js'
import { type KeptIndex, keepIndex, readIndex } from '../../journal/kept-index.js'
import { KeptLog } from '../../journal/kept-log.js'
import { CHECKPOINT } from '../../journal/log-store.js'
import { RefusedExpiry } from '../../journal/refused-expiry.js'
import type { Objects, ReplaceableObjects } from '../../store/objects.js'
import { LOG_PREFIX } from '../../transform/layout.js'
import type { KnownJournal, QueryEngine, SeenCheckpoint } from '../engines/engine.js'
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
  /** What else a reader should know, for people: what was kept of it could not be used. */
  readonly remarks: readonly string[]
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
  const { kept, damage } = readKept(known)
  const attested = isThere ? await readAttested(log, { believed: known.believed, kept, expiry }) : undefined
  const against = await contradictions(attested, known, kept)
  if (attested === undefined && against.length === 0) return null
  const toKeep = against.length === 0 ? attested?.toKeep : undefined
  if (known.kept !== undefined && toKeep !== undefined) keepIndex(known.kept, toKeep)
  // some show when an entry is looked at
  const problems = () => [...(attested?.problems ?? []), ...against]
  const isUnfit = attested?.isAnew === true && against.length === 0
  const remarks = [...damage, ...(isUnfit ? [`${known.kept} does not lead to the journal's end${ANEW}`] : [])]
  return { archive, attested, expiry, problems, remarks }
}

const ANEW = ': the journal was read anew, and the file written anew'

/** What was read before; a file that is damaged costs time alone. */
function readKept({ kept: path }: KnownJournal): {
  readonly kept: KeptIndex | undefined
  readonly damage: readonly string[]
} {
  try {
    return { kept: path === undefined ? undefined : readIndex(path), damage: [] }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return { kept: undefined, damage: [`${error.message}${ANEW}`] }
  }
}

/** What is known from elsewhere of a journal, and is not so. */
async function contradictions(
  attested: Attested | undefined,
  { sealedBy, seen, kept: path }: KnownJournal,
  kept: KeptIndex | undefined,
): Promise<readonly string[]> {
  const before = [
    ...(seen === undefined ? [] : [seen]),
    ...(kept === undefined ? [] : [{ ...kept.head, where: `${path}` }]),
  ]
  if (attested === undefined) {
    const [first] = before
    const says = first === undefined ? sealedBy : `${first.where}, which is of size ${first.size}`
    return says === undefined
      ? []
      : [`the journal is gone, or nothing was sealed yet: ${LOG_PREFIX} is empty, against ${says}`]
  }
  const found: string[] = []
  for (const { where, size, root } of before) {
    const why = await attested.whyNotGrown({ size, root: Buffer.from(root) })
    if (why !== undefined) found.push(contradiction(attested, why, { where, size }))
  }
  return found
}

function contradiction(
  { head }: Attested,
  { kind, message }: Pick<JournalFinding, 'kind' | 'message'>,
  { where, size }: Pick<SeenCheckpoint, 'where' | 'size'>,
): string {
  if (kind === 'cut-off')
    return `the journal is cut off: it has ${head.size} entries, against ${where}, which is of size ${size}`
  if (kind === 'forked') return `the journal is another: its first ${size} entries are not those of ${where}`
  return `the journal cannot be held against ${where}: ${message}`
}
