import { Aws, Duration } from 'aws-cdk-lib'
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { closedBucket } from './archive-bucket.js'

/** Days that answers of Athena are kept: long enough to come back to, and no second archive. */
const RESULT_DAYS = 30

/** Below these the answers of each lie, of what is compacted, and of what is compared each night. */
const PEOPLE = 'people/'
const AUDITORS = 'auditors/'
export const COMPACTION_ANSWERS = 'compaction/'
export const NIGHTLY_ANSWERS = 'nightly/'

export interface QueryWorkgroupProps {
  /** Its name, which people choose in the console. */
  readonly name: string
  /** A query that scans more gigabytes is cancelled. */
  readonly scanCutoffGb: number
  readonly key: IKey
  readonly accessLogs: Bucket
}

/** Where people and the command line ask the archive: Athena with its own settings enforced. */
export class QueryWorkgroup extends Construct {
  readonly results: Bucket
  readonly name: string
  readonly scanCutoffGb: number
  readonly resource: CfnWorkGroup
  /** Where auditors ask: what they ask, and what they were answered, is nobody else's. */
  readonly auditors: CfnWorkGroup
  private readonly key: IKey

  constructor(scope: Construct, id: string, { name, scanCutoffGb, key, accessLogs }: QueryWorkgroupProps) {
    super(scope, id)
    this.name = name
    this.scanCutoffGb = scanCutoffGb
    this.key = key
    this.results = new Bucket(this, 'Results', {
      ...closedBucket(key, accessLogs, 'results'),
      lifecycleRules: [
        {
          id: 'forget',
          expiration: Duration.days(RESULT_DAYS),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    })
    this.resource = this.workgroup('Workgroup', name, PEOPLE, 'Questions to the audit archive; settings are enforced')
    this.auditors = this.workgroup('Auditors', `${name}_audit`, AUDITORS, 'Questions of auditors to the audit archive')
  }

  /** Where the answers of a workgroup are: of a role's it may read and write these and no others. */
  answersOf(workgroup: CfnWorkGroup): string {
    return this.results.arnForObjects(`${workgroup === this.auditors ? AUDITORS : PEOPLE}*`)
  }

  private workgroup(id: string, name: string, prefix: string, description: string): CfnWorkGroup {
    return new CfnWorkGroup(this, id, {
      name,
      description,
      // saved queries are the only thing in it, and they come from here
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        ...this.configuration(prefix),
        bytesScannedCutoffPerQuery: bytes(this.scanCutoffGb),
      },
    })
  }

  /** The settings of a workgroup whose answers go below a prefix of the results. */
  configuration(prefix: string): CfnWorkGroup.WorkGroupConfigurationProperty {
    return {
      enforceWorkGroupConfiguration: true,
      engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
      publishCloudWatchMetricsEnabled: true,
      requesterPaysEnabled: false,
      resultConfiguration: {
        outputLocation: this.results.s3UrlForObject(prefix),
        encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: this.key.keyArn },
        expectedBucketOwner: Aws.ACCOUNT_ID,
      },
    }
  }
}

/** Gigabytes as Athena counts them. */
export function bytes(gigabytes: number): number {
  return gigabytes * 1024 ** 3
}
