import {
  GetObjectRetentionCommand,
  type ObjectLockRetentionMode,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { isObject } from '../transform/json.js'
import { isPartialTile } from '../transform/layout.js'

/** How long objects are kept from being deleted or overwritten, and how strictly. */
export interface RetentionRule {
  readonly mode: ObjectLockRetentionMode
  readonly days: number
}

/** One version of an object, and when it was complete. */
interface ObjectVersion {
  readonly bucket: string
  readonly key: string
  readonly versionId: string
  readonly time: Date
}

/** SQS messages, each with one `Object Created` event of EventBridge. */
export type LockEvent = { readonly Records: readonly { readonly body: string }[] }

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Locks each object version that an event names until its own time and the days of the rule. Every one is tried; if any
 * could not be locked it throws, so that the queue keeps the message and the function is called again. That does no
 * harm: a version whose lock is long and strict enough is left alone, and no lock is ever made shorter.
 *
 * EventBridge goes through a queue because a rule that calls a function hands over and forgets: when the function
 * fails, Lambda tries twice more within minutes and drops the event, and the rule's own dead-letter queue never sees
 * it. A queue keeps it for days, until a right or a key is put in order, and its dead letters are what an alarm can
 * watch.
 *
 * The time comes from the event. S3 writes it when the object is complete, so it is never before the object's
 * last-modified and the lock never ends too early; asking S3 for the latter would take the right to read what is in the
 * archive.
 */
export function createLocker(s3: S3Client, rule: RetentionRule): (event: LockEvent) => Promise<void> {
  return async event => {
    const created = event.Records.map(({ body }) => versionOf(JSON.parse(body)))
    // partial tiles of a journal are no evidence: fuller ones take their place
    const versions = created.filter(({ key }) => !isPartialTile(key))
    const outcomes = await Promise.allSettled(versions.map(version => lock(s3, version, rule)))
    const failures = outcomes.flatMap((outcome, i) => {
      if (outcome.status === 'fulfilled') return []
      const { bucket, key, versionId } = versions[i] as ObjectVersion
      return [`s3://${bucket}/${key} version ${versionId}: ${outcome.reason}`]
    })
    if (failures.length > 0) throw new Error(`objects could not be locked, ${failures.join('; ')}`)
  }
}

/** Reads the rule from text. Throws for what S3 would not take. */
export function parseRule(mode: string, days: string): RetentionRule {
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') {
    throw new Error(`lock mode is ${JSON.stringify(mode)}, expected GOVERNANCE or COMPLIANCE`)
  }
  if (!/^[1-9]\d{0,4}$/.test(days) || Number(days) > 36_500) {
    throw new Error(`lock days are ${JSON.stringify(days)}, expected a whole number from 1 to 36500`)
  }
  return { mode, days: Number(days) }
}

async function lock(s3: S3Client, { bucket, key, versionId, time }: ObjectVersion, rule: RetentionRule): Promise<void> {
  const version = { Bucket: bucket, Key: key, VersionId: versionId }
  const { Mode, RetainUntilDate } = await retentionOf(s3, version)
  const present = RetainUntilDate ?? new Date(0)
  const wanted = new Date(time.getTime() + rule.days * DAY_MS)
  const strictEnough = Mode === rule.mode || Mode === 'COMPLIANCE'
  if (strictEnough && present >= wanted) return
  const Retention = {
    Mode: strictEnough ? Mode : rule.mode,
    RetainUntilDate: present > wanted ? present : wanted,
  }
  await s3.send(new PutObjectRetentionCommand({ ...version, Retention }))
}

async function retentionOf(s3: S3Client, version: { Bucket: string; Key: string; VersionId: string }) {
  try {
    return (await s3.send(new GetObjectRetentionCommand(version))).Retention ?? {}
  } catch (error) {
    if ((error as Error).name === 'NoSuchObjectLockConfiguration') return {}
    throw error
  }
}

function versionOf(event: unknown): ObjectVersion {
  const { detail, time } = isObject(event) ? event : {}
  const { bucket, object } = isObject(detail) ? detail : {}
  const name = isObject(bucket) ? bucket.name : undefined
  const { key, 'version-id': versionId } = isObject(object) ? object : {}
  const when = new Date(typeof time === 'string' ? time : Number.NaN)
  if (
    typeof name !== 'string' ||
    typeof key !== 'string' ||
    typeof versionId !== 'string' ||
    Number.isNaN(when.getTime())
  ) {
    throw new Error(
      'event is not "Object Created" of a versioned bucket, expected time, detail.bucket.name, detail.object.key and version-id',
    )
  }
  return { bucket: name, key, versionId, time: when }
}
