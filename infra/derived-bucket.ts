import { Duration } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { closedBucket } from './archive-bucket.js'

export interface DerivedBucketProps {
  readonly key: IKey
  readonly accessLogs: Bucket
}

/** Keeps what is made from the archive and can be made again. A bucket of its own, because nothing in the archive may be removed. */
export class DerivedBucket extends Bucket {
  constructor(scope: Construct, id: string, { key, accessLogs }: DerivedBucketProps) {
    super(scope, id, {
      ...closedBucket(key, accessLogs, 'derived'),
      lifecycleRules: [
        {
          id: 'forget-replaced',
          noncurrentVersionExpiration: Duration.days(1),
          expiredObjectDeleteMarker: true,
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    })
  }
}
