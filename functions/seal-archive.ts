import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Counts } from '../capture/metrics.js'
import { BucketObjects } from '../journal/bucket-objects.js'
import { JournalError } from '../journal/journal-error.js'
import { KeptLog } from '../journal/kept-log.js'
import { openKmsKey } from '../journal/kms-key.js'
import { JOURNAL_METRICS } from '../journal/metrics.js'
import { type Sealed, seal } from '../journal/seal.js'
import { Bucket } from '../store/s3.js'

export interface SealerOptions {
  readonly s3: S3Client
  readonly kms: KMSClient
  readonly bucket: string
  /** The journal's name, as which its key signs. */
  readonly origin: string
  /** Id or ARN of the key that signs. */
  readonly sealKey: string
  /** ARN of the key that the archive is encrypted with. */
  readonly archiveKey: string
  /** Who seals, for people. */
  readonly name: string
  readonly writeMetrics: (counts: Counts) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** An invocation's time. */
export interface SealingTime {
  /** Milliseconds until Lambda ends the invocation. */
  remaining(): number
}

/** Kept at the end of an invocation to write what was described: some forty files of a claim. */
const RESERVE_MS = 120_000

/** Objects that are read at once: S3 answers each after some tens of milliseconds, and a function has one processor. */
const PARALLEL = 8

/**
 * Seals what is new in an archive on S3, with a key in KMS. What does not fit into its time is left to the next call,
 * which finishes one that died, too. It throws where nothing could be sealed, and counts why people have to look.
 */
export function createArchiveSealer(options: SealerOptions): (time: SealingTime) => Promise<Sealed> {
  return async time => {
    const [keys, sealed] = await Promise.allSettled([countClosing(options), sealArchive(options, time)])
    // the keys first: where one is closed, nothing can be sealed, and that is why
    if (keys.status === 'fulfilled') options.writeMetrics({ [JOURNAL_METRICS.keysClosing]: keys.value })
    if (sealed.status === 'rejected') {
      if (sealed.reason instanceof JournalError) options.writeMetrics({ [JOURNAL_METRICS.forked]: 1 })
      throw sealed.reason
    }
    const { objects, left } = sealed.value
    const { seals, objectsSealed, objectsLeft } = JOURNAL_METRICS
    options.writeMetrics({ [seals]: 1, [objectsSealed]: objects, [objectsLeft]: left })
    if (keys.status === 'rejected') throw keys.reason
    return sealed.value
  }
}

async function sealArchive(options: SealerOptions, time: SealingTime): Promise<Sealed> {
  const { s3, kms, origin, sealKey, name, now = Date.now } = options
  const bucket = new Bucket(s3, options.bucket)
  const { signer, verifier } = await openKmsKey(kms, sealKey, origin)
  return seal({
    store: new UndeletedLog(bucket),
    objects: new BucketObjects(bucket),
    identity: { origin, known: [verifier] },
    signers: [signer],
    name,
    now,
    hasTime: () => time.remaining() > RESERVE_MS,
    parallel: PARALLEL,
  })
}

/** Nobody may delete below `log/`, the sealer neither: what was staged the bucket itself forgets, after some weeks. */
class UndeletedLog extends KeptLog {
  override async remove(): Promise<void> {}
}

/** How many of the keys are disabled, wait for their deletion, or lost their material. */
async function countClosing({ kms, sealKey, archiveKey }: SealerOptions): Promise<number> {
  const states = await Promise.all(
    [sealKey, archiveKey].map(async KeyId => (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState),
  )
  return states.filter(state => state !== 'Enabled').length
}
