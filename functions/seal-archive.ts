import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Counts } from '../capture/write-metrics.js'
import { BucketObjects } from '../journal/bucket-objects.js'
import { newestSeal } from '../journal/entries.js'
import { finishedHead } from '../journal/head.js'
import { JournalError } from '../journal/journal-error.js'
import { JOURNAL_METRICS } from '../journal/journal-metrics.js'
import { KeptLog } from '../journal/kept-log.js'
import { openKmsKey, strangeUse } from '../journal/kms-key.js'
import { SEALER_RESERVE_MS, type Sealed, type Sealer, seal } from '../journal/seal.js'
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
  /** True of a key of another account, of whose use KMS tells nothing here. */
  readonly isForeignKey: boolean
  /** Who seals, for people. */
  readonly name: string
  /** Told what people have to look at. */
  readonly report: (message: string) => void
  readonly writeMetrics: (counts: Counts) => void
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** An invocation's time. */
export interface SealingTime {
  /** Milliseconds until Lambda ends the invocation. */
  remaining(): number
}

/** Objects that are read at once: S3 answers each after some tens of milliseconds, and a function has one processor. */
const PARALLEL = 8

/**
 * Seals what is new in an archive on S3, with a key in KMS. What does not fit into its time is left to the next call,
 * which finishes one that died, too. It throws where nothing could be sealed, and counts why people have to look.
 * Nothing is signed unless a use of the key by others would have been told: KMS names the last use alone.
 */
export function createArchiveSealer(options: SealerOptions): (time: SealingTime) => Promise<Sealed> {
  const { writeMetrics } = options
  return async time => {
    const [watched] = await Promise.allSettled([countClosing(options)])
    const [sealed] = await Promise.allSettled([sealArchive(options, time)])
    if (sealed.status === 'rejected') {
      if (sealed.reason instanceof JournalError) writeMetrics({ [JOURNAL_METRICS.forked]: 1 })
      throw sealed.reason
    }
    const { objects, left, unlisted: keys } = sealed.value
    const { seals, objectsSealed, objectsLeft, unlisted } = JOURNAL_METRICS
    writeMetrics({ [seals]: 1, [objectsSealed]: objects, [objectsLeft]: left })
    // sealed now, they are found by no check any more
    for (const key of keys) options.report(`${key} was passed over by two sealings`)
    if (keys.length > 0) writeMetrics({ [unlisted]: keys.length })
    if (watched.status === 'rejected') throw watched.reason
    return sealed.value
  }
}

async function sealArchive(options: SealerOptions, time: SealingTime): Promise<Sealed> {
  const { kms, sealKey, origin, isForeignKey, name, now = Date.now } = options
  const bucket = new Bucket(options.s3, options.bucket)
  const { signer, verifier } = await openKmsKey(kms, sealKey, origin)
  const log = { store: new UndeletedLog(bucket), identity: { origin, known: [verifier] } }
  // where that fails nothing may be signed: the next call finds the use where it was
  if (!isForeignKey) await countUses(options, log)
  return seal({
    ...log,
    objects: new BucketObjects(bucket),
    signers: [signer],
    name,
    now,
    hasTime: () => time.remaining() > SEALER_RESERVE_MS,
    parallel: PARALLEL,
    tell: options.report,
  })
}

/** Nobody may delete below `log/`, the sealer neither: what was staged the bucket itself forgets, after some weeks. */
class UndeletedLog extends KeptLog {
  override async remove(): Promise<void> {}
}

/** Counts the keys that are closed or soon will be. */
async function countClosing({ kms, sealKey, archiveKey, writeMetrics }: SealerOptions): Promise<void> {
  const states = await Promise.all(
    [sealKey, archiveKey].map(async KeyId => (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState),
  )
  writeMetrics({ [JOURNAL_METRICS.keysClosing]: states.filter(state => state !== 'Enabled').length })
}

/** Counts uses of the journal's key that are no sealing. */
async function countUses(
  { kms, sealKey, report, writeMetrics }: SealerOptions,
  { store, identity }: Pick<Sealer, 'store' | 'identity'>,
): Promise<void> {
  const { size } = await finishedHead(store, identity)
  const use = await strangeUse(kms, sealKey, await newestSeal(path => store.read(path), size))
  if (use !== undefined) report(`the key of the journal was used by no sealing: ${use}`)
  writeMetrics({ [JOURNAL_METRICS.keyUsed]: use === undefined ? 0 : 1 })
}
