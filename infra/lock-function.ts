import { Duration } from 'aws-cdk-lib'
import { Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Lock } from '../config/schema.js'
import { EVIDENCE_PREFIXES } from '../transform/layout.js'
import type { ArchiveBucket } from './archive-bucket.js'
import { throughService } from './archive-key.js'
import { BundledFunction } from './bundled-function.js'

export interface LockFunctionProps {
  readonly archive: ArchiveBucket
  readonly lock: Locking
  readonly key: IKey
  /** Who locks what it writes by itself. */
  readonly alsoLock: readonly IRole[]
}

/** A lock that there is. */
export type Locking = Exclude<Lock, { mode: 'none' }>

/** What tells a function how to lock. */
export function lockEnvironment({ mode, days }: Locking): Record<string, string> {
  return { ITEMTRAIL_LOCK_MODE: mode.toUpperCase(), ITEMTRAIL_LOCK_DAYS: `${days}` }
}

const TIMEOUT = Duration.minutes(1)

/**
 * Locks each object as soon as it is there, by its version. For archives whose bucket has no default retention, because
 * nobody has confirmed yet that Firehose can write into one that has. Events wait in a queue, so that one that could
 * not be served is not forgotten.
 */
export class LockFunction extends Construct {
  readonly function: IFunction
  /** Holds the events of objects that are not locked yet. */
  readonly waiting: Queue
  /** Holds the events of objects that could not be locked. */
  readonly failed: Queue
  /** Hands an event to the queue, and after a day of attempts drops it. */
  readonly delivered: Rule

  constructor(scope: Construct, id: string, { archive, lock, key, alsoLock }: LockFunctionProps) {
    super(scope, id)
    const queue = {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: key,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    }
    this.failed = new Queue(this, 'Failed', queue)
    this.waiting = new Queue(this, 'Waiting', {
      ...queue,
      // what Lambda asks for a queue that calls a function
      visibilityTimeout: Duration.minutes(6 * TIMEOUT.toMinutes()),
      // two hours of attempts
      deadLetterQueue: { queue: this.failed, maxReceiveCount: 20 },
    })
    const locker = new BundledFunction(this, 'Function', {
      bundle: 'lock-objects',
      description: 'Itemtrail: locks objects of the archive when they are delivered',
      timeout: TIMEOUT,
      memoryMb: 256,
      key,
      environment: lockEnvironment(lock),
      statements: this.statements(archive, key),
    })
    new EventSourceMapping(this, 'Events', { target: locker, eventSourceArn: this.waiting.queueArn, batchSize: 1 })
    archive.onlyLockers([locker.role as NonNullable<typeof locker.role>, ...alsoLock])
    archive.sendEvents()
    this.delivered = this.listen(archive)
    this.function = locker
  }

  private statements({ bucket }: ArchiveBucket, key: IKey): PolicyStatement[] {
    return [
      new PolicyStatement({
        actions: ['s3:GetObjectRetention', 's3:PutObjectRetention'],
        resources: EVIDENCE_PREFIXES.map(prefix => bucket.arnForObjects(`${prefix}*`)),
      }),
      new PolicyStatement({
        actions: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
        resources: [this.waiting.queueArn],
      }),
      throughService(this, 'sqs', key, ['kms:Decrypt']),
    ]
  }

  private listen({ bucket }: ArchiveBucket): Rule {
    return new Rule(this, 'Delivered', {
      description: 'Itemtrail: an object was added to the archive',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [bucket.bucketName] },
          object: { key: EVIDENCE_PREFIXES.map(prefix => ({ prefix })) },
        },
      },
      targets: [new SqsQueue(this.waiting)],
    })
  }
}
