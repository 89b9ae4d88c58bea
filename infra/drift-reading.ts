import type { Stack } from 'aws-cdk-lib'
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { may } from './permissions.js'

/**
 * What CloudFormation reads of a resource when it looks for drift, which it does with the rights of whoever had it look
 * (user guide, "Detect unmanaged configuration changes"), by the actions that the schema of the resource's type lists
 * for its read handler. Settings all of them, and of a function its code.
 */
const READ = {
  athena: ['athena:GetNamedQuery', 'athena:GetPreparedStatement', 'athena:GetWorkGroup', 'athena:ListTagsForResource'],
  cloudwatch: ['cloudwatch:DescribeAlarms', 'cloudwatch:GetDashboard', 'cloudwatch:ListTagsForResource'],
  dynamodb: [
    'dynamodb:DescribeContinuousBackups',
    'dynamodb:DescribeContributorInsights',
    'dynamodb:DescribeTimeToLive',
    'dynamodb:GetResourcePolicy',
    'dynamodb:ListTagsOfResource',
  ],
  events: ['events:DescribeRule', 'events:ListTagsForResource', 'events:ListTargetsByRule'],
  firehose: ['firehose:DescribeDeliveryStream', 'firehose:ListTagsForDeliveryStream'],
  role: ['iam:GetRole', 'iam:GetRolePolicy', 'iam:ListAttachedRolePolicies', 'iam:ListRolePolicies'],
  policy: ['iam:GetPolicy', 'iam:GetPolicyVersion', 'iam:ListEntitiesForPolicy'],
  kinesis: ['kinesis:DescribeStreamSummary', 'kinesis:ListTagsForResource', 'kinesis:ListTagsForStream'],
  lambda: [
    'lambda:GetFunction',
    'lambda:GetFunctionCodeSigningConfig',
    'lambda:GetFunctionEventInvokeConfig',
    'lambda:GetFunctionRecursionConfig',
    'lambda:GetFunctionScalingConfig',
    'lambda:GetPolicy',
    'lambda:GetRuntimeManagementConfig',
  ],
  mapping: ['lambda:GetEventSourceMapping', 'lambda:ListTags'],
  logs: [
    'logs:DescribeIndexPolicies',
    'logs:DescribeLogStreams',
    'logs:DescribeMetricFilters',
    'logs:GetDataProtectionPolicy',
    'logs:ListTagsForResource',
  ],
  s3: [
    's3:GetAccelerateConfiguration',
    's3:GetAnalyticsConfiguration',
    's3:GetBucketAbac',
    's3:GetBucketCORS',
    's3:GetBucketLogging',
    's3:GetBucketMetadataTableConfiguration',
    's3:GetBucketNotification',
    's3:GetBucketObjectLockConfiguration',
    's3:GetBucketOwnershipControls',
    's3:GetBucketPolicy',
    's3:GetBucketPublicAccessBlock',
    's3:GetBucketTagging',
    's3:GetBucketVersioning',
    's3:GetBucketWebsite',
    's3:GetEncryptionConfiguration',
    's3:GetIntelligentTieringConfiguration',
    's3:GetInventoryConfiguration',
    's3:GetLifecycleConfiguration',
    's3:GetMetricsConfiguration',
    's3:GetReplicationConfiguration',
    's3:ListBucket',
    's3:ListTagsForResource',
  ],
  sns: [
    'sns:GetDataProtectionPolicy',
    'sns:GetSubscriptionAttributes',
    'sns:GetTopicAttributes',
    'sns:ListSubscriptionsByTopic',
    'sns:ListTagsForResource',
  ],
  sqs: ['sqs:GetQueueAttributes', 'sqs:ListQueueTags'],
} as const

/** IAM knows no resource to limit these to. */
const LIST = ['logs:DescribeLogGroups', 'logs:DescribeResourcePolicies']

/**
 * To have CloudFormation look for drift in an archive's stack and in those nested in it: the settings of whatever is
 * named after the stack, and of tables. Of anything else that an app has in the same stack nothing can be read.
 */
export function toSeeDrift(stack: Stack, workgroup: string): PolicyStatement[] {
  const name = nameOfAll(stack)
  const own = (service: string, resource: string, region?: '') =>
    stack.formatArn({ service, resource: `${resource}${name}*`, ...(region !== undefined && { region }) })
  const of = (service: string, resource: string) => stack.formatArn({ service, resource })
  return [
    may(READ.athena, of('athena', `workgroup/${workgroup}*`)),
    may(READ.cloudwatch, own('cloudwatch', 'alarm:'), own('cloudwatch', 'dashboard/', '')),
    may(READ.dynamodb, of('dynamodb', 'table/*')),
    may(READ.events, own('events', 'rule/')),
    may(READ.firehose, own('firehose', 'deliverystream/')),
    may(READ.role, own('iam', 'role/', '')),
    may(READ.policy, own('iam', 'policy/', '')),
    may(READ.kinesis, own('kinesis', 'stream/')),
    may(READ.lambda, own('lambda', 'function:')),
    // they have no names
    may(READ.mapping, of('lambda', 'event-source-mapping:*')),
    may(READ.logs, own('logs', 'log-group:')),
    // a bucket's name is in lower case
    may(READ.s3, `arn:${stack.partition}:s3:::${name.toLowerCase()}*`),
    may(READ.sns, own('sns', '')),
    may(READ.sqs, own('sqs', '')),
    may(LIST, '*'),
  ]
}

/** Where a kind has short names, CloudFormation cuts the stack's, though not to less than this. */
const UNCUT_CHARACTERS = 20

/** What the names of all that CloudFormation makes of a stack, or of one nested in it, begin with. */
function nameOfAll(stack: Stack): string {
  const { nestedStackParent } = stack
  return nestedStackParent === undefined ? stack.stackName.slice(0, UNCUT_CHARACTERS) : nameOfAll(nestedStackParent)
}
