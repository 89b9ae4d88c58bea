import { readBounded } from '../../../config/gate.js'
import type { SealEntry, SealedEntry } from '../../../journal/entry.js'
import type { JournalFinding } from '../../../journal/finding.js'
import { type Head, type JournalIdentity, openHead } from '../../../journal/head.js'
import { JournalError } from '../../../journal/journal-error.js'
import { KeptLog } from '../../../journal/kept-log.js'
import { claimPath } from '../../../journal/log-store.js'
import { checkTimestamp, TimestampError, timestampPath } from '../../../journal/timestamp.js'
import { VerifiedBefore, verifiedPath } from '../../../journal/verified-before.js'
import { type VerifiedLog, verifyLog } from '../../../journal/verify-log.js'
import { type VerifiedObjects, verifyObjects } from '../../../journal/verify-objects.js'
import { LOG_PREFIX } from '../../../transform/layout.js'
import { identityOrAny } from '../../ask/journal-identity.js'
import { type BelievedKey, believedKey, existingArchive, withSealedObjects } from '../../ask/journal-options.js'
import { CommandError, EXIT, type Options } from '../../io.js'

/** The archive held against its journal, and the journal against its anchors. */
export interface JournalCheck {
  readonly origin: string
  readonly key: BelievedKey | undefined
  /** The size of the checkpoint that somebody kept; undefined where none was given. */
  readonly since: number | undefined
  readonly log: VerifiedLog
  /** Undefined where they were not looked at. */
  readonly objects: VerifiedObjects | undefined
  readonly stamps: readonly Stamp[]
  readonly findings: readonly PartFinding[]
}

/** What is wrong, and in which part. */
export type PartFinding = JournalFinding & { readonly part: 'log' | 'objects' }

/** What an authority said of a checkpoint. */
export interface Stamp {
  readonly size: number
  readonly time: string
}

/**
 * Verifies the journal of the archive that the flags name, and unless `logAlone` every object that it names. Undefined
 * where nothing is sealed. Throws a `CommandError` where that cannot be, because somebody holds a key of it.
 */
export async function checkJournal(options: Options, logAlone: boolean): Promise<JournalCheck | undefined> {
  const { root, archive } = existingArchive(options)
  const store = new KeptLog(archive)
  const key = believedKey(options, root)
  const kept = readKept(options)
  const identity = await identityOrAny(store, key?.verifier, kept)
  const isThere = (await store.list('')).some(path => !path.startsWith('staging/'))
  if (!isThere && kept === undefined) {
    if (typeof options.key !== 'string') return undefined
    throw new CommandError('archive is not sealed, so no key vouches for it', EXIT.unchecked)
  }
  if (identity === undefined) throw unreadable(kept === undefined ? `${LOG_PREFIX} has` : `--since ${options.since} is`)
  const since = kept && keptHead(kept, identity, options)
  const entries = new Map<string, SealedEntry>()
  const log = await verifyLog(store, identity, {
    since,
    onEntry: (_, entry) => {
      if (entry.type === 'object@1' && !entries.has(entry.key)) entries.set(entry.key, entry)
    },
  })
  const { stamps, findings } = await checkStamps(store, log)
  const looksAtObjects = !logAlone && log.head.size > 0
  const objects = looksAtObjects
    ? await withSealedObjects(archive, sealed => checkObjects(root, sealed, entries, log.seals, options.full === true))
    : undefined
  const inLog = [...log.findings, ...findings].map(finding => ({ part: 'log', ...finding }) as const)
  const inObjects = (objects?.findings ?? []).map(finding => ({ part: 'objects', ...finding }) as const)
  const { origin } = identity
  return { origin, key, since: since?.size, log, objects, stamps, findings: [...inLog, ...inObjects] }
}

function unreadable(subject: string): CommandError {
  return new CommandError(`${subject} no checkpoint that can be read`, EXIT.unchecked)
}

/** A checkpoint and its signatures are short. */
const MAX_KEPT = 64 * 1024

function readKept({ since }: Options): Uint8Array | undefined {
  if (typeof since !== 'string') return undefined
  const bytes = readBounded(since, since, { maxBytes: MAX_KEPT })
  if (bytes === undefined) throw new CommandError(`--since ${since} is not there`)
  return bytes
}

function keptHead(kept: Uint8Array, identity: JournalIdentity, { since }: Options): Head {
  try {
    return openHead(kept, String(since), identity)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    throw new CommandError(`--since ${since} ${error.problem}`)
  }
}

/** What is unchanged by size and tag since it was hashed on this machine is not hashed again, unless `full`. */
async function checkObjects(
  root: string,
  archive: Parameters<typeof verifyObjects>[0],
  entries: ReadonlyMap<string, SealedEntry>,
  seals: readonly SealEntry[],
  full: boolean,
): Promise<VerifiedObjects> {
  const before = VerifiedBefore.read(verifiedPath(root))
  const verified = await verifyObjects(archive, entries, seals, {
    ...(!full && { wasVerified: (listed, entry) => before.has(listed, entry) }),
    onSound: (listed, entry) => before.add(listed, entry),
  })
  before.write()
  return verified
}

/** The time stamps that are kept, each held against the checkpoint of its size. */
async function checkStamps(
  store: KeptLog,
  { seals, head }: VerifiedLog,
): Promise<{ readonly stamps: readonly Stamp[]; readonly findings: readonly JournalFinding[] }> {
  const stamps: Stamp[] = []
  const findings: JournalFinding[] = []
  for (const [i, { previous_size: previous }] of seals.entries()) {
    const size = seals[i + 1]?.previous_size ?? head.size
    const path = timestampPath(size)
    const [answer, note] = [await store.read(path), await store.read(claimPath(previous))]
    if (answer === undefined || note === undefined) continue
    try {
      stamps.push({ size, time: checkTimestamp(answer, note) })
    } catch (error) {
      if (!(error instanceof TimestampError)) throw error
      findings.push({ kind: 'altered', key: `${LOG_PREFIX}${path}`, message: error.message })
    }
  }
  return { stamps, findings }
}
