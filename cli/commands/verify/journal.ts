import { REFUSED_DAYS } from '../../../config/schema.js'
import type { Entry, SealEntry, SealedEntry } from '../../../journal/entry.js'
import type { JournalFinding } from '../../../journal/finding.js'
import { type JournalIdentity, NOT_BEGUN } from '../../../journal/head.js'
import { identityOrAny } from '../../../journal/identity.js'
import { type KeptStamps, keptStamps } from '../../../journal/kept-stamps.js'
import { CHECKPOINT, isOfHistory } from '../../../journal/log-store.js'
import { RefusedExpiry } from '../../../journal/refused-expiry.js'
import { readSeen, type SeenHead } from '../../../journal/seen-checkpoint.js'
import { type VerifiedLog, verifyLog } from '../../../journal/verify-log.js'
import { type VerifiedArchive, type VerifiedObjects, verifyObjects } from '../../../journal/verify-objects.js'
import { openByPolicy } from '../../../proof/policy.js'
import { ProofError } from '../../../proof/proof-error.js'
import { LOG_PREFIX } from '../../../transform/layout.js'
import type { BelievedKey } from '../../ask/journal-options.js'
import { keepSeenOrTell } from '../../ask/keep-seen.js'
import { type KeptCheckpoint, keptHead, readKeptCheckpoint } from '../../ask/kept-checkpoint.js'
import { loadConfiguration } from '../../ask/workspace.js'
import type { Io, Options } from '../../io.js'
import { Progress } from '../../show/progress.js'
import { type JournalPlace, openJournalPlace } from './journal-place.js'

/** The archive held against its journal, and the journal against its anchors. */
export interface JournalCheck {
  readonly origin: string
  readonly key: BelievedKey | undefined
  /** The size of the checkpoint that somebody kept; undefined where none was given. */
  readonly since: number | undefined
  /** The same of the one that this machine saw before. */
  readonly seen: number | undefined
  readonly log: VerifiedLog
  /** Undefined where they were not looked at. */
  readonly objects: VerifiedObjects | undefined
  /** Days after which the archive's bucket forgets what was refused. */
  readonly refusedDays: number
  /** How it is told of objects that were not hashed that they are the same. */
  readonly sameBy: string
  readonly stamps: KeptStamps['stamps']
  /** The largest checkpoint that a policy's witnesses cosigned; undefined where none are asked for, or none did. */
  readonly cosigned: Cosigned | undefined
  readonly findings: readonly PartFinding[]
}

/** What is wrong, and in which part. */
export type PartFinding = JournalFinding & { readonly part: 'log' | 'objects' }

/**
 * Verifies the journal of the archive that the flags name, and unless `logAlone` every object that it names. Undefined
 * where nothing is sealed, and nothing from outside says that something was.
 */
export async function checkJournal(options: Options, logAlone: boolean, io: Io): Promise<JournalCheck | undefined> {
  const place = await openJournalPlace(options)
  const { root, store, key } = place
  const kept = readKeptCheckpoint(options)
  const seen = readSeen(root)
  const identity = (await identityOrAny(store, key?.verifier, kept?.note)) ?? nobody(kept?.origin ?? seen?.origin)
  if ((kept?.size ?? 0) === 0 && !(await store.list('')).some(isOfHistory)) {
    const gone = whoSaysSealed({ key, kept, seen, stack: place.stack, configured: loadConfiguration(options)?.seal })
    return gone && goneJournal(gone, key)
  }
  const since = kept && keptHead(kept, identity)
  const expiry = new RefusedExpiry(loadConfiguration(options)?.refusedDays ?? REFUSED_DAYS)
  const entries = new Map<string, SealedEntry>()
  const reading = new Progress(io, 'journal entry', 'journal entries')
  const onEntry = (index: number, entry: Entry) => {
    reading.update(index + 1, 0, undefined)
    expiry.add(entry)
    if (entry.type === 'object@1' && !entries.has(entry.key)) entries.set(entry.key, entry)
  }
  const log = await verifyLog(store, identity, { since, seen, onEntry })
  reading.end()
  const { stamps, findings } = await keptStamps(store, log, place.authorities)
  const cosigned = cosignedBy(key, await store.read(CHECKPOINT), kept)
  const lacking = asksForWitnesses(key) && cosigned === undefined ? [LACKING] : []
  const full = options.full === true
  const check = (sealed: VerifiedArchive) =>
    checkObjects({ place, sealed, entries, seals: log.seals, expiry, full }, io)
  const objects = !logAlone && log.head.size > 0 ? await place.withObjects(check) : undefined
  const another = seen !== undefined && seen.origin !== identity.origin ? [anotherJournal(seen, identity)] : []
  const inLog = [...another, ...log.findings, ...findings, ...lacking, ...(await place.writtenTwice())].map(
    finding => ({ part: 'log', ...finding }) as const,
  )
  const inObjects = (objects?.findings ?? []).map(finding => ({ part: 'objects', ...finding }) as const)
  const { origin } = identity
  if (inLog.length === 0 && log.head.size > 0) keepSeenOrTell(root, origin, log.head, io)
  return {
    origin,
    key,
    since: since?.size,
    seen: seen?.size,
    log,
    objects,
    refusedDays: expiry.days,
    sameBy: place.sameBy,
    stamps,
    cosigned,
    findings: [...inLog, ...inObjects],
  }
}

function anotherJournal({ origin, where }: SeenHead, identity: JournalIdentity): JournalFinding {
  const message = `is of ${JSON.stringify(identity.origin)}, and ${where} of ${JSON.stringify(origin)}`
  return { kind: 'forked', key: LOG_PREFIX, message }
}

/** Whose journal it is where nothing of it can be read: everything in it is a finding. */
function nobody(origin = 'the journal'): JournalIdentity {
  return { origin, known: [] }
}

/** What may say, from outside of the journal, that there is one. */
interface Outside {
  readonly key: BelievedKey | undefined
  readonly kept: KeptCheckpoint | undefined
  readonly seen: SeenHead | undefined
  readonly stack: { readonly origin: string } | undefined
  readonly configured: { readonly origin?: string | undefined } | undefined
}

/** Who says that something was sealed, of a journal of which nothing is there. */
interface Gone {
  readonly name: string | undefined
  readonly says: string
}

function whoSaysSealed({ key, kept, seen, stack, configured }: Outside): Gone | undefined {
  if (seen !== undefined) return { name: seen.origin, says: `${seen.where} is of its size ${seen.size}` }
  if (stack !== undefined) return { name: stack.origin, says: 'the stack keeps a journal' }
  if (configured !== undefined) return { name: configured.origin, says: 'the configuration says "seal"' }
  if (key !== undefined) return { name: key.verifier.name, says: 'a key of it is given' }
  return kept && { name: kept.origin, says: `${kept.file} is a checkpoint of it` }
}

/** An archive that was sealed, or should be, and has no journal: that would hide whatever was done to it. */
function goneJournal({ name, says }: Gone, key: BelievedKey | undefined): JournalCheck {
  const log = { head: NOT_BEGUN, isEnd: true, claims: 0, entries: 0, seals: [], findings: [], remarks: [] }
  const origin = name ?? key?.verifier.name ?? 'the journal'
  const message = `is empty, and ${says}: the journal is gone, or nothing was sealed yet`
  const findings = [{ part: 'log', kind: 'missing', key: LOG_PREFIX, message }] as const
  const nothing = {
    since: undefined,
    seen: undefined,
    objects: undefined,
    refusedDays: REFUSED_DAYS,
    sameBy: '',
    cosigned: undefined,
  }
  return { origin, key, log, ...nothing, stamps: [], findings }
}

/** What is known to be the same is not hashed again, unless `full`. */
async function checkObjects(
  { place, sealed, entries, seals, expiry, full }: Sealing,
  io: Io,
): Promise<VerifiedObjects> {
  const before = place.openVerified()
  const progress = new Progress(io, 'object')
  const verified = await verifyObjects(sealed, entries, seals, {
    ...(!full && { wasVerified: (listed, entry) => before.has(listed, entry) }),
    mayHaveExpired: entry => expiry.mayHaveExpired(entry),
    onSound: (listed, entry) => before.add(listed, entry),
    onChecked: ({ objects, bytes, ofBytes }) => progress.update(objects, bytes, ofBytes),
  })
  progress.end()
  before.write()
  return verified
}

/** What is sealed of an archive, and where it lies. */
interface Sealing {
  readonly place: JournalPlace
  readonly sealed: VerifiedArchive
  readonly entries: ReadonlyMap<string, SealedEntry>
  readonly seals: readonly SealEntry[]
  readonly expiry: RefusedExpiry
  /** True where everything is hashed, whatever was before. */
  readonly full: boolean
}

/** A checkpoint that a quorum of witnesses cosigned. */
interface Cosigned {
  readonly size: number
  readonly by: readonly string[]
}

const LACKING: JournalFinding = {
  kind: 'quorum',
  key: `${LOG_PREFIX}${CHECKPOINT}`,
  message: 'is not cosigned by the quorum of the policy, nor is the checkpoint of --since',
}

function asksForWitnesses(key: BelievedKey | undefined): boolean {
  return (key?.policy?.quorum ?? null) !== null
}

/** The archive's own checkpoint, or the one that was kept: witnesses' lines may be on either. */
function cosignedBy(
  key: BelievedKey | undefined,
  checkpoint: Uint8Array | undefined,
  kept: KeptCheckpoint | undefined,
): Cosigned | undefined {
  if (key?.policy === undefined || !asksForWitnesses(key)) return undefined
  const { verifier, policy } = key
  const notes = [checkpoint && Buffer.from(checkpoint).toString('utf8'), kept?.note]
  const found = notes.flatMap(note => {
    try {
      return note === undefined ? [] : openByPolicy(note, verifier.name, policy)
    } catch (error) {
      if (error instanceof ProofError) return []
      throw error
    }
  })
  const [largest] = found.sort((a, b) => b.size - a.size)
  return largest && { size: largest.size, by: largest.signedBy.filter(name => name !== verifier.name) }
}
