import { Duration, Lazy, RemovalPolicy } from 'aws-cdk-lib'
import { AnyPrincipal, Effect, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type CfnBucket,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { Lock } from '../config/schema.js'
import { CHECKED_PREFIX, DATA_PREFIX, LOG_PREFIX, REFUSED_PREFIX, STAGED_PREFIX } from '../transform/layout.js'
import { acknowledgeAccessLogs } from './acknowledged-findings.js'

/** What every bucket of an archive has in common. */
export function closedBucket(key: IKey, accessLogs: Bucket, name: string): BucketProps {
  return {
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    versioned: true,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    // TypeScript's exactOptionalPropertyTypes does not see that a Bucket is one
    serverAccessLogsBucket: accessLogs as IBucket,
    serverAccessLogsPrefix: `${name}/`,
    removalPolicy: RemovalPolicy.RETAIN,
  }
}

/**
 * Where S3 logs who read and wrote the archive. A bucket with Object Lock cannot be its own, and only S3's own key is
 * allowed.
 */
export class AccessLogBucket extends Bucket {
  constructor(scope: Construct, id: string, props: { readonly keep: Duration }) {
    super(scope, id, {
      encryption: BucketEncryption.S3_MANAGED,
      versioned: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        { id: 'forget', expiration: props.keep, noncurrentVersionExpiration: Duration.days(1) },
        { id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    })
    acknowledgeAccessLogs(this)
  }
}

export interface ArchiveBucketProps {
  readonly key: IKey
  readonly lock: Lock
  /** Days that Firehose's own error objects are kept. */
  readonly refusedDays: number
  readonly accessLogs: Bucket
}

/** A sealing that died is finished by the next one; people have this long to let there be one. */
const STAGED_FOR = Duration.days(90)

/** What destroys evidence, or opens the way to it. */
const DESTRUCTION = ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention']

/** The archive itself: versioned, encrypted, closed, and written once. */
export class ArchiveBucket extends Construct {
  readonly bucket: Bucket
  private readonly writers: IRole[] = []

  constructor(scope: Construct, id: string, props: ArchiveBucketProps) {
    super(scope, id)
    const { key, lock, refusedDays, accessLogs } = props
    const byBucket = lock.mode !== 'none' && lock.by === 'bucket'
    this.bucket = new Bucket(this, 'Bucket', {
      ...closedBucket(key, accessLogs, 'archive'),
      objectLockEnabled: lock.mode !== 'none',
      ...(byBucket && { objectLockDefaultRetention: ObjectLockRetention[lock.mode](Duration.days(lock.days)) }),
      lifecycleRules: [
        {
          // the classes that Athena reads at once; it skips objects in any other without a word
          id: 'cheaper-when-old',
          transitions: [
            { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(90) },
            { storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(365) },
          ],
        },
        {
          // Firehose writes what it could not deliver into the bucket of its destination, it has no other
          id: 'refused',
          prefix: REFUSED_PREFIX,
          expiration: Duration.days(refusedDays),
          noncurrentVersionExpiration: Duration.days(1),
        },
        { id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
    })
    this.denyWriting()
    if (lock.mode !== 'none') deny(this.bucket, 'Destruction', DESTRUCTION, '*')
    if (byBucket) deny(this.bucket, 'Retention', ['s3:PutObjectRetention', 's3:PutObjectLegalHold'], '*')
  }

  /** Lets a role write data; it needs the permission besides. */
  addWriter(role: IRole): void {
    this.writers.push(role)
  }

  /** Leaves what is below a prefix to roles of the archive: what anybody else put there would stay for ever. */
  onlyWriters(prefix: string, roles: readonly IRole[]): void {
    const arns = Lazy.uncachedList({ produce: () => roles.map(role => role.roleArn) })
    const name = prefix.slice(0, -1)
    deny(this.bucket, `Writing${name[0]?.toUpperCase()}${name.slice(1)}`, ['s3:PutObject'], `${prefix}*`, {
      ArnNotEquals: { 'aws:PrincipalArn': arns },
    })
  }

  /** Leaves the setting of locks to roles of the archive. */
  onlyLockers(roles: readonly IRole[]): void {
    const others = { ArnNotEquals: { 'aws:PrincipalArn': roles.map(role => role.roleArn) } }
    deny(this.bucket, 'Retention', ['s3:PutObjectRetention'], '*', others)
    deny(this.bucket, 'LegalHold', ['s3:PutObjectLegalHold'], '*')
  }

  /**
   * Leaves the journal to one role, which adds to it. Nobody deletes there: what was staged S3 forgets by itself, long
   * after the next sealing has written it.
   */
  onlySealer(role: IRole): void {
    const journal = `${LOG_PREFIX}*`
    deny(this.bucket, 'Sealing', ['s3:PutObject'], journal, { ArnNotEquals: { 'aws:PrincipalArn': role.roleArn } })
    deny(this.bucket, 'Unsealing', ['s3:DeleteObject', 's3:DeleteObjectVersion'], journal)
    this.bucket.addLifecycleRule({
      id: 'staged',
      prefix: STAGED_PREFIX,
      expiration: STAGED_FOR,
      noncurrentVersionExpiration: Duration.days(1),
    })
  }

  /** Leaves what the check of the journal keeps to its role: whoever wrote there would say what it need not look at. */
  onlyChecker(role: IRole): void {
    this.onlyWriters(CHECKED_PREFIX, [role])
    this.bucket.addLifecycleRule({
      id: 'checked',
      prefix: CHECKED_PREFIX,
      noncurrentVersionExpiration: Duration.days(1),
    })
  }

  /**
   * S3 tells EventBridge of every object. By hand, because the L2 would bring a function with rights over all buckets.
   */
  sendEvents(): void {
    const bucket = this.bucket.node.defaultChild as CfnBucket
    bucket.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } }
  }

  private denyWriting(): void {
    const writers = Lazy.uncachedList({ produce: () => this.writers.map(role => role.roleArn) })
    deny(this.bucket, 'Writing', ['s3:PutObject'], `${DATA_PREFIX}*`, { ArnNotEquals: { 'aws:PrincipalArn': writers } })
  }
}

/** Denies something with a bucket's objects to everybody, or to those for whom the conditions hold. */
export function deny(
  bucket: Bucket,
  sid: string,
  actions: string[],
  objects: string,
  conditions: Record<string, unknown> = {},
): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: `Deny${sid}`,
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions,
      resources: [bucket.arnForObjects(objects)],
      conditions,
    }),
  )
}
