import { Duration, Lazy } from 'aws-cdk-lib'
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { DERIVED_PREFIX } from '../transform/layout.js'
import { closedBucket, deny } from './archive-bucket.js'
import { COMPACTION_ANSWERS, type QueryWorkgroup } from './query-workgroup.js'

export interface DerivedStoreProps {
  readonly key: IKey
  readonly accessLogs: Bucket
  /** The workgroup of people. */
  readonly workgroup: QueryWorkgroup
}

/**
 * Where what is made from the archive is kept and made. A bucket of its own, because nothing in the archive may be
 * removed; and a workgroup of its own, so that what it scans is neither limited by what people may scan nor counted as
 * theirs.
 */
export class DerivedStore extends Construct {
  readonly bucket: Bucket
  readonly workgroup: CfnWorkGroup
  private readonly writers: IRole[] = []

  constructor(scope: Construct, id: string, { key, accessLogs, workgroup }: DerivedStoreProps) {
    super(scope, id)
    this.bucket = new Bucket(this, 'Bucket', {
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
    this.denyWriting()
    this.workgroup = new CfnWorkGroup(this, 'Workgroup', {
      name: `${workgroup.name}_compaction`,
      description: 'Statements that compact the audit archive',
      recursiveDeleteOption: true,
      workGroupConfiguration: workgroup.configuration(COMPACTION_ANSWERS),
    })
  }

  /**
   * Lets a role write what is derived, and nobody else; it needs the permission besides, which is for its own table:
   * whoever else could write there could make answers up.
   */
  addWriter(role: IRole): void {
    this.writers.push(role)
  }

  private denyWriting(): void {
    const writers = Lazy.uncachedList({ produce: () => this.writers.map(role => role.roleArn) })
    deny(this.bucket, 'Writing', ['s3:PutObject'], `${DERIVED_PREFIX}*`, {
      ArnNotEquals: { 'aws:PrincipalArn': writers },
    })
  }
}
