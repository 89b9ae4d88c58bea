import { Duration } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { closedBucket } from './archive-bucket.js'

export interface RefusedBucketProps {
  readonly key: IKey
  /** Days that its objects are kept. */
  readonly refusedDays: number
  readonly accessLogs: Bucket
}

/** Keeps what never reached Firehose: records too large for it, and batches that Lambda gave up after a day. */
export class RefusedBucket extends Bucket {
  constructor(scope: Construct, id: string, { key, refusedDays, accessLogs }: RefusedBucketProps) {
    super(scope, id, {
      ...closedBucket(key, accessLogs, 'refused'),
      lifecycleRules: [
        {
          id: 'forget',
          expiration: Duration.days(refusedDays),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
    })
  }
}
