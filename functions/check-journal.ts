import type { KMSClient } from '@aws-sdk/client-kms'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Counts } from '../capture/write-metrics.js'
import { BucketVersions } from '../journal/bucket-objects.js'
import { type KeptCheck, keepCheckState, readCheckState, type TurnsSince } from '../journal/check-state.js'
import type { JournalFinding } from '../journal/finding.js'
import { type Head, type JournalIdentity, readerTo } from '../journal/head.js'
import { JOURNAL_METRICS, LATE_DAYS } from '../journal/journal-metrics.js'
import { KeptLog } from '../journal/kept-log.js'
import { readKmsVerifier } from '../journal/kms-key.js'
import { logVersions } from '../journal/second-versions.js'
import { Bucket } from '../store/s3.js'
import { LOG_PREFIX, SEALED_PREFIXES } from '../transform/layout.js'
import { checkLog } from './check-log.js'
import { checkObjects } from './check-objects.js'

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
  /** Told what is no finding and people should know. @default - nobody is told */
  readonly tell?: (problem: string) => void
  /** Told the checkpoint of a journal of which nothing is wrong. @default - nobody is told */
  readonly publish?: (head: Head) => Promise<void>
  /** Milliseconds since 1970. @default - the clock */
  readonly now?: () => number
}

/** An invocation's time. */
export interface CheckingTime {
  /** Milliseconds until Lambda ends the invocation. */
  remaining(): number
}

/** What a check looked at. */
export interface CheckedJournal {
  /** As far as the journal was verified, now or before. */
  readonly size: number
  /** False where the time was over before its end: the next check goes on. */
  readonly isEnd: boolean
  /** As far as it was verified again since all of it was: 0 where all was today. */
  readonly again: number
  /** The days before this one were held against it since all were; an empty text where all were today. */
  readonly heldBefore: string
  /** When these two turns began, in milliseconds since 1970. */
  readonly since: TurnsSince
  /** Objects that are what was sealed, of those that were looked at. */
  readonly sound: number
  /** Of these, those whose bytes were hashed. */
  readonly hashed: number
  readonly notSealed: number
  readonly findings: number
}

/**
 * What has to be left of a call's time, in milliseconds, for new claims to be verified, for old ones to be verified
 * again, and for days before the last ones to be held against the journal.
 */
const LEAST_LEFT = { front: 600_000, again: 420_000, days: 120_000 } as const

/**
 * Holds an archive on S3 against its journal, and the journal against itself and its key: what is new since the check
 * before, the days in which something may be new, and by turns as much of all that came before as there is time for.
 */
export function createJournalCheck(options: JournalCheckOptions): (time: CheckingTime) => Promise<CheckedJournal> {
  const { s3, kms, sealKey, origin, report, tell = () => {}, writeMetrics, publish = async () => {} } = options
  const { now = Date.now, refusedDays } = options
  const bucket = new Bucket(s3, options.bucket)
  return async time => {
    const hasTime = (what: keyof typeof LEAST_LEFT) => time.remaining() > LEAST_LEFT[what]
    const kept = await readCheckState(bucket, tell)
    const identity: JournalIdentity = { origin, known: [await readKmsVerifier(kms, sealKey, origin)] }
    const store = new KeptLog(bucket)
    // before the claims: of a journal that is being sealed it would say more
    const versions = await logVersions(bucket)
    const log = await checkLog({ store, identity, there: versions.paths }, kept.state, hasTime)
    // its end may be that of a sealing that died: what it had not written yet lies where it was staged
    const read = log.findings.length > 0 ? (path: string) => store.read(path) : await readerTo(store, log.state.front)
    const about = { refusedDays, now, hasTime: () => hasTime('days'), read }
    const objects = await checkObjects(bucket, { ...kept.state, ...log.state }, about)
    const gone = log.state.front.size === 0 && log.findings.length === 0 ? await goneJournal(bucket, now) : []
    const findings = [...log.findings, ...gone, ...versions.findings, ...objects.findings]
    for (const finding of findings) report(finding)
    const isDone = log.isEnd || findings.length > 0
    writeMetrics(countByKind(findings))
    const since = sinceWhen(kept.state.since, { again: log.isRound, days: objects.isRound }, now())
    const state: KeptCheck['state'] = { ...kept.state, ...log.state, ...objects.state, since }
    if (state.front.size > 0) await keepCheckState(bucket, { ...kept, state })
    // a check that cannot keep how far it came would do the same each day
    writeMetrics({ [JOURNAL_METRICS.turnsLate]: late(since, now()), ...(isDone && { [JOURNAL_METRICS.checks]: 1 }) })
    const { front, again, heldBefore } = state
    if (findings.length === 0 && log.isEnd && front.note !== undefined) await publish(front)
    const { sound, hashed, notSealed } = objects
    const reached = { size: front.size, isEnd: log.isEnd, again: again.size, heldBefore, since }
    return { ...reached, sound, hashed, notSealed, findings: findings.length }
  }
}

const DAY_MS = 86_400_000

/** The next turn begins when one came round. */
function sinceWhen(
  kept: TurnsSince,
  isRound: { readonly again: boolean; readonly days: boolean },
  nowMs: number,
): TurnsSince {
  return { again: isRound.again ? nowMs : (kept.again ?? nowMs), days: isRound.days ? nowMs : (kept.days ?? nowMs) }
}

function late({ again, days }: TurnsSince, nowMs: number): number {
  return [again, days].filter(ms => ms !== null && nowMs - ms > LATE_DAYS * DAY_MS).length
}

/** A stack seals each hour: an archive that is older than a day had a journal. */
async function goneJournal(bucket: Bucket, now: () => number): Promise<readonly JournalFinding[]> {
  const archive = new BucketVersions(bucket)
  const listed = (await Promise.all(SEALED_PREFIXES.map(prefix => archive.list(prefix)))).flat()
  if (!listed.some(({ modified }) => modified < now() - DAY_MS)) return []
  const message = 'is empty, and objects are older than a day: the journal is gone, or nothing was sealed yet'
  return [{ kind: 'missing', key: LOG_PREFIX, message }]
}

function countByKind(findings: readonly JournalFinding[]): Counts {
  const { altered, unlisted, forked } = JOURNAL_METRICS
  const ofLog = findings.filter(({ key }) => key.startsWith(LOG_PREFIX))
  const ofObjects = findings.filter(finding => !ofLog.includes(finding))
  const without = ofObjects.filter(({ kind }) => kind === 'unlisted')
  return { [forked]: ofLog.length, [altered]: ofObjects.length - without.length, [unlisted]: without.length }
}
