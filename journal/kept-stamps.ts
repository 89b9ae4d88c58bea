import { LOG_PREFIX } from '../transform/layout.js'
import { type Authorities, leadsTo } from './authorities.js'
import type { JournalFinding } from './finding.js'
import { claimPath, type LogStore } from './log-store.js'
import { readTimestamp, timestampPath } from './timestamp.js'
import { TimestampError } from './timestamp-error.js'
import { UnknownSignature } from './timestamp-signature.js'
import type { VerifiedLog } from './verify-log.js'

/** What an authority said of a checkpoint. */
export interface Stamp {
  readonly size: number
  /** ISO 8601 in UTC. */
  readonly time: string
  /** Whom the certificate names that it is signed by; null where nobody can tell. */
  readonly authority: string | null
  /** `believed` by the certificates that were given; `sound` is a signature of somebody. */
  readonly signature: 'believed' | 'sound' | 'not checked'
  /** Why it is not checked. */
  readonly reason: string | null
}

/** The time stamps of a journal, and what is wrong with them. */
export interface KeptStamps {
  readonly stamps: readonly Stamp[]
  readonly findings: readonly JournalFinding[]
}

/**
 * Holds each time stamp that is kept against the checkpoint of its size, its own certificate, and the authorities that
 * are believed; without any its signature is somebody's.
 */
export async function keptStamps(
  store: Pick<LogStore, 'read'>,
  { seals, head }: Pick<VerifiedLog, 'seals' | 'head'>,
  believed: Authorities | undefined,
): Promise<KeptStamps> {
  const stamps: Stamp[] = []
  const findings: JournalFinding[] = []
  for (const [i, { previous_size: previous }] of seals.entries()) {
    const size = seals[i + 1]?.previous_size ?? head.size
    const path = timestampPath(size)
    const answer = await store.read(path)
    if (answer === undefined) continue
    const note = await store.read(claimPath(previous))
    if (note === undefined) continue
    const find = (kind: JournalFinding['kind'], message: string) =>
      findings.push({ kind, key: `${LOG_PREFIX}${path}`, message })
    try {
      const stamp = { size, ...judge(answer, note, believed) }
      if (believed !== undefined && stamp.signature === 'sound')
        find('foreign-key', `is signed by ${stamp.authority}, whom no certificate that was given vouches for`)
      stamps.push(stamp)
    } catch (error) {
      // certificates above the one that signed may be anything
      if (!(error instanceof TimestampError) && !(error instanceof RangeError)) throw error
      find('altered', error.message)
    }
  }
  return { stamps, findings }
}

function judge(answer: Uint8Array, note: Uint8Array, believed: Authorities | undefined): Omit<Stamp, 'size'> {
  const { time, signer } = readTimestamp(answer, note)
  if (signer instanceof UnknownSignature)
    return { time, authority: null, signature: 'not checked', reason: signer.message }
  const authority = signer.certificate.subject?.split('\n').join(', ') || 'a certificate without a name'
  const isBelieved = believed !== undefined && leadsTo(believed, signer, new Date(time))
  return { time, authority, signature: isBelieved ? 'believed' : 'sound', reason: null }
}
