import { hash } from 'node:crypto'
import type { KMSClient } from '@aws-sdk/client-kms'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Counts } from '../capture/write-metrics.js'
import { BucketVersions } from '../journal/bucket-objects.js'
import type { Entry, SealEntry, SealedEntry } from '../journal/entry.js'
import type { JournalFinding } from '../journal/finding.js'
import type { Head } from '../journal/head.js'
import { JOURNAL_METRICS } from '../journal/journal-metrics.js'
import { KeptLog } from '../journal/kept-log.js'
import { readKmsVerifier } from '../journal/kms-key.js'
import { RefusedExpiry } from '../journal/refused-expiry.js'
import { secondVersions } from '../journal/second-versions.js'
import { verifyLog } from '../journal/verify-log.js'
import { type ListedForVerifying, verifyObjects } from '../journal/verify-objects.js'
import { Bucket } from '../store/s3.js'
import { LOG_PREFIX, SEALED_PREFIXES } from '../transform/layout.js'

export interface JournalCheckOptions {
  readonly s3: S3Client
  readonly kms: KMSClient
  readonly bucket: string
  /** The journal's name, as which its key signs. */
  readonly origin: string
  /** Id or ARN of the key that signs. */
  readonly sealKey: string
  /** Days after which S3 forgets a refused object. */
  readonly refusedDays: number
  readonly writeMetrics: (counts: Counts) => void
  /** Told each finding. */
  readonly report: (finding: JournalFinding) => void
  /** Told the checkpoint of a journal of which nothing is wrong. @default - nobody is told */
  readonly publish?: (head: Head) => Promise<void>
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** What a check looked at. */
export interface CheckedJournal {
  readonly size: number
  /** Objects that are what was sealed. */
  readonly sound: number
  /** Of these, those whose bytes were hashed. */
  readonly hashed: number
  readonly notSealed: number
  readonly findings: number
}

/**
 * So many objects a day are hashed, drawn by the newest checkpoint from what was sealed in the last days, and all that
 * are not the version sealed. Older ones lie in classes of storage where each reading is paid for.
 */
const SAMPLE = { objects: 64, days: 7 }

const DAY_MS = 86_400_000

/**
 * Holds a whole archive on S3 against its journal, and the journal against itself and its key. That an object is what
 * was sealed is told by its version, which S3 never changes, and of a sample by its hash.
 */
export function createJournalCheck(options: JournalCheckOptions): () => Promise<CheckedJournal> {
  const { s3, kms, sealKey, origin, report, writeMetrics, publish = async () => {}, now = Date.now } = options
  const bucket = new Bucket(s3, options.bucket)
  return async () => {
    const known = [await readKmsVerifier(kms, sealKey, origin)]
    const sealed = new SealedUntilNow()
    const expiry = new RefusedExpiry(options.refusedDays, now)
    const onEntry = (_index: number, entry: Entry) => {
      sealed.add(entry)
      expiry.add(entry)
    }
    const log = await verifyLog(new KeptLog(bucket), { origin, known }, { onEntry })
    const wasVerified = verifiedByVersion(log.head, sealed.since(now() - SAMPLE.days * DAY_MS))
    const mayHaveExpired = (entry: SealedEntry) => expiry.mayHaveExpired(entry)
    const archive = new BucketVersions(bucket)
    const objects = await verifyObjects(archive, sealed.entries, log.seals, { wasVerified, mayHaveExpired })
    const gone = log.head.size === 0 && log.findings.length === 0 ? await goneJournal(archive, now) : []
    const findings = [...log.findings, ...gone, ...(await secondVersions(bucket)), ...objects.findings]
    for (const finding of findings) report(finding)
    writeMetrics({ ...countByKind(findings), [JOURNAL_METRICS.checks]: 1 })
    if (findings.length === 0 && log.head.note !== undefined) await publish(log.head)
    const { sound, hashed, notSealed } = objects
    return { size: log.head.size, sound, hashed, notSealed: notSealed.length, findings: findings.length }
  }
}

/** A stack seals each hour: an archive that is older than a day had a journal. */
async function goneJournal(archive: BucketVersions, now: () => number): Promise<readonly JournalFinding[]> {
  const listed = (await Promise.all(SEALED_PREFIXES.map(prefix => archive.list(prefix)))).flat()
  if (!listed.some(({ modified }) => modified < now() - DAY_MS)) return []
  const message = 'is empty, and objects are older than a day: the journal is gone, or nothing was sealed yet'
  return [{ kind: 'missing', key: LOG_PREFIX, message }]
}

/** What a journal says of an archive's objects. */
class SealedUntilNow {
  readonly entries = new Map<string, SealedEntry>()
  private readonly bySeal: { readonly time: number; readonly keys: readonly string[] }[] = []
  private keys: string[] = []

  add(entry: Entry): void {
    if (entry.type === 'seal@1') this.end(entry)
    // what was said of a key first holds
    if (entry.type !== 'object@1' || this.entries.has(entry.key)) return
    this.entries.set(entry.key, entry)
    this.keys.push(entry.key)
  }

  private end({ time }: SealEntry): void {
    this.bySeal.push({ time: Date.parse(time), keys: this.keys })
    this.keys = []
  }

  /** The objects that were sealed since a time. */
  since(from: number): ReadonlySet<string> {
    return new Set(this.bySeal.filter(({ time }) => time >= from).flatMap(({ keys }) => keys))
  }
}

/** True of an object that is the version that was sealed, but for some that are to be hashed all the same. */
function verifiedByVersion({ root }: Head, recent: ReadonlySet<string>) {
  const share = SAMPLE.objects / recent.size
  return ({ key, etag }: ListedForVerifying, { version_id: sealed }: SealedEntry): boolean => {
    const drawn = hash('sha256', Buffer.concat([root, Buffer.from(key)]), 'buffer').readUInt32BE() / 2 ** 32
    return sealed !== undefined && etag === sealed && !(recent.has(key) && drawn < share)
  }
}

function countByKind(findings: readonly JournalFinding[]): Counts {
  const { altered, unlisted, forked } = JOURNAL_METRICS
  const ofLog = findings.filter(({ key }) => key.startsWith(LOG_PREFIX))
  const ofObjects = findings.filter(finding => !ofLog.includes(finding))
  const without = ofObjects.filter(({ kind }) => kind === 'unlisted')
  return { [forked]: ofLog.length, [altered]: ofObjects.length - without.length, [unlisted]: without.length }
}
