import { ArnFormat, Lazy, Stack } from 'aws-cdk-lib'
import { AccountRootPrincipal, type IPrincipal, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import type { IDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { REFUSED_PREFIX } from '../transform/layout.js'
import { acknowledgeWildcards } from './acknowledged-findings.js'
import { throughService } from './archive-key.js'
import type { QueryWorkgroup } from './query-workgroup.js'

export interface RolesProps {
  readonly archive: Bucket
  readonly refused: Bucket
  /** What is made from the archive, where there is something. */
  readonly derived?: Bucket | undefined
  readonly workgroup: QueryWorkgroup
  readonly databaseName: string
  readonly key: IKey
  /** Who may take a role on, if their own policies allow it besides. @default - the account */
  readonly people?: IPrincipal
}

/**
 * What people may do, apart from one another. None of them may write, lock or delete anything in the archive; each is exactly what its
 * statements list.
 */
export class Roles extends Construct {
  /** Asks questions in Athena. */
  readonly queryUser: Role
  /** Asks questions, and reads the evidence itself: versions, locks, settings. */
  readonly auditor: Role
  /** Reads what was refused and sends it again, and checks what is deployed. */
  readonly operator: Role
  private readonly replayStreams: IDeliveryStream[] = []
  private readonly props: RolesProps

  constructor(scope: Construct, id: string, props: RolesProps) {
    super(scope, id)
    this.props = props
    const role = (name: string, description: string, statements: PolicyStatement[]) => {
      const made = new Role(this, name, {
        assumedBy: props.people ?? new AccountRootPrincipal(),
        description,
        inlinePolicies: { [name]: new PolicyDocument({ statements }) },
      })
      acknowledgeWildcards(
        made,
        statements,
        'People read whatever tables the archive has, under the prefixes listed and no others.',
      )
      return made
    }
    this.queryUser = role('QueryUser', 'Itemtrail: asks questions in Athena', this.query())
    this.auditor = role('Auditor', 'Itemtrail: asks questions and reads the evidence', [
      ...this.query(),
      ...this.evidence(),
    ])
    this.operator = role('Operator', 'Itemtrail: sends refused records again', [...this.replay(), ...this.checks()])
  }

  /** Lets the operator send records again by a delivery stream. */
  addReplay(stream: IDeliveryStream): void {
    this.replayStreams.push(stream)
  }

  private query(): PolicyStatement[] {
    const { archive, derived, workgroup, databaseName, key } = this.props
    const { results, resource } = workgroup
    const arn = (service: string, name: string) => Stack.of(this).formatArn({ service, resource: name })
    return [
      new PolicyStatement({
        actions: [
          'athena:BatchGetNamedQuery',
          'athena:BatchGetPreparedStatement',
          'athena:BatchGetQueryExecution',
          'athena:GetNamedQuery',
          'athena:GetPreparedStatement',
          'athena:GetQueryExecution',
          'athena:GetQueryResults',
          'athena:GetQueryRuntimeStatistics',
          'athena:GetWorkGroup',
          'athena:ListNamedQueries',
          'athena:ListPreparedStatements',
          'athena:ListQueryExecutions',
          'athena:StartQueryExecution',
          'athena:StopQueryExecution',
        ],
        resources: [arn('athena', `workgroup/${resource.ref}`)],
      }),
      new PolicyStatement({
        actions: [
          'glue:GetDatabase',
          'glue:GetDatabases',
          'glue:GetPartition',
          'glue:GetPartitions',
          'glue:GetTable',
          'glue:GetTables',
        ],
        resources: [
          arn('glue', 'catalog'),
          arn('glue', `database/${databaseName}`),
          arn('glue', `table/${databaseName}/*`),
        ],
      }),
      new PolicyStatement({
        actions: ['s3:GetBucketLocation', 's3:ListBucket'],
        resources: [archive.bucketArn, ...(derived ? [derived.bucketArn] : []), results.bucketArn],
      }),
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [
          ...['data/*', 'config/*', 'facts/*'].map(objects => archive.arnForObjects(objects)),
          ...(derived ? [derived.arnForObjects('*')] : []),
          results.arnForObjects('*'),
        ],
      }),
      new PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:PutObject'],
        resources: [results.arnForObjects('*')],
      }),
      throughService(this, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
    ]
  }

  private evidence(): PolicyStatement[] {
    const { archive } = this.props
    return [
      new PolicyStatement({ actions: [...SETTINGS, 's3:ListBucketVersions'], resources: [archive.bucketArn] }),
      new PolicyStatement({
        actions: ['s3:GetObject', 's3:GetObjectLegalHold', 's3:GetObjectRetention', 's3:GetObjectVersion'],
        resources: ['data/*', 'config/*', 'facts/*', 'log/*'].map(objects => archive.arnForObjects(objects)),
      }),
    ]
  }

  private replay(): PolicyStatement[] {
    const { archive, refused, key } = this.props
    const streams = Lazy.uncachedList({ produce: () => this.replayStreams.map(stream => stream.deliveryStreamArn) })
    return [
      new PolicyStatement({
        actions: ['firehose:DescribeDeliveryStream', 'firehose:PutRecordBatch'],
        resources: streams,
      }),
      new PolicyStatement({
        actions: ['s3:GetBucketLocation', 's3:ListBucket'],
        resources: [archive.bucketArn, refused.bucketArn],
      }),
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [
          archive.arnForObjects(`${REFUSED_PREFIX}*`),
          archive.arnForObjects('config/*'),
          refused.arnForObjects('*'),
        ],
      }),
      throughService(this, 's3', key, ['kms:Decrypt']),
    ]
  }

  /** What `itemtrail doctor` reads. */
  private checks(): PolicyStatement[] {
    const { archive, refused, workgroup, databaseName, key } = this.props
    const stack = Stack.of(this)
    const arn = (service: string, name: string) => stack.formatArn({ service, resource: name })
    return [
      new PolicyStatement({ actions: SETTINGS, resources: [archive.bucketArn, refused.bucketArn] }),
      new PolicyStatement({ actions: ['kms:DescribeKey', 'kms:GetKeyRotationStatus'], resources: [key.keyArn] }),
      new PolicyStatement({
        actions: ['athena:GetWorkGroup'],
        resources: [arn('athena', `workgroup/${workgroup.resource.ref}`)],
      }),
      new PolicyStatement({
        actions: ['glue:GetTable'],
        resources: [
          arn('glue', 'catalog'),
          arn('glue', `database/${databaseName}`),
          arn('glue', `table/${databaseName}/*`),
        ],
      }),
      new PolicyStatement({
        actions: [
          'cloudformation:DescribeStackResourceDrifts',
          'cloudformation:DescribeStacks',
          'cloudformation:DetectStackDrift',
          'cloudformation:DetectStackResourceDrift',
          'cloudformation:ListStackResources',
        ],
        // nested stacks are named after the one that holds them
        resources: [
          stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName: `${stack.stackName}*/*` }),
        ],
      }),
      new PolicyStatement({
        actions: ['dynamodb:DescribeKinesisStreamingDestination', 'dynamodb:DescribeTable'],
        resources: [stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName: '*' })],
      }),
      new PolicyStatement({
        actions: ['cloudwatch:DescribeAlarms'],
        resources: [
          stack.formatArn({
            service: 'cloudwatch',
            resource: 'alarm',
            resourceName: '*',
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        ],
      }),
      new PolicyStatement({
        actions: ['lambda:GetEventSourceMapping'],
        resources: [
          stack.formatArn({
            service: 'lambda',
            resource: 'event-source-mapping',
            resourceName: '*',
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        ],
      }),
      // IAM knows no resource to limit these to
      new PolicyStatement({
        actions: [
          'cloudformation:BatchDescribeTypeConfigurations',
          'cloudformation:DescribeStackDriftDetectionStatus',
          'cloudwatch:GetMetricData',
          'lambda:ListEventSourceMappings',
        ],
        resources: ['*'],
      }),
    ]
  }
}

/** The settings of a bucket that its promises rest on. */
const SETTINGS = [
  's3:GetBucketLogging',
  's3:GetBucketObjectLockConfiguration',
  's3:GetBucketPolicy',
  's3:GetBucketPublicAccessBlock',
  's3:GetBucketVersioning',
  's3:GetEncryptionConfiguration',
  's3:GetLifecycleConfiguration',
]
