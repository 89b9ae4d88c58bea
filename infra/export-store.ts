import { Duration } from 'aws-cdk-lib'
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { EXPORTS_PREFIX } from '../config/nightly.js'
import { closedBucket } from './archive-bucket.js'
import { NIGHTLY_ANSWERS, type QueryWorkgroup } from './query-workgroup.js'

export interface ExportStoreProps {
  readonly key: IKey
  readonly accessLogs: Bucket
  /** The workgroup of people. */
  readonly workgroup: QueryWorkgroup
}

/** Days that an export is kept: it has items in clear, and is needed for hours. */
const EXPORT_DAYS = 7

/**
 * Where exports of tables go that the archive is compared with, each for some days, and what the comparisons remember;
 * and a workgroup of their own, so that what they scan is not counted as people's.
 */
export class ExportStore extends Construct {
  readonly bucket: Bucket
  readonly workgroup: CfnWorkGroup

  constructor(scope: Construct, id: string, { key, accessLogs, workgroup }: ExportStoreProps) {
    super(scope, id)
    this.bucket = new Bucket(this, 'Bucket', {
      ...closedBucket(key, accessLogs, 'exports'),
      lifecycleRules: [
        // what is remembered stays: without it a comparison that was never made would seem to be about to begin
        { id: 'forget', prefix: EXPORTS_PREFIX, expiration: Duration.days(EXPORT_DAYS) },
        {
          id: 'forget-replaced',
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    })
    this.workgroup = new CfnWorkGroup(this, 'Workgroup', {
      name: `${workgroup.name}_nightly`,
      description: 'Statements that compare tables with the audit archive',
      recursiveDeleteOption: true,
      workGroupConfiguration: workgroup.configuration(NIGHTLY_ANSWERS),
    })
  }
}
