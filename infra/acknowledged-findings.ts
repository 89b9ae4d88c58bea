import { type IResolvable, Names, Reference, Stack, Tokenization, Validations } from 'aws-cdk-lib'
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct, IConstruct } from 'constructs'

// Rule packs ask whether these were decided or forgotten. They were decided; each reason is what a reviewer may hold us
// to.

const EVERY_FUNCTION = {
  LambdaInsideVPC:
    'It has no listener and calls only AWS by its own role over TLS. In a VPC it would need routes to the same endpoints, whose outage would then stop the archive.',
  LambdaConcurrency:
    'A reservation is a ceiling too: what is throttled here waits in a stream that forgets after a day. Throttling has an alarm.',
  LambdaDLQ:
    'A dead-letter queue catches asynchronous calls, and all of these are synchronous: by Firehose, by event source mappings with destinations of their own, by CloudFormation.',
}

const ARCHIVE_WIDE = {
  IAMNoInlinePolicy:
    'Each policy belongs to one role, is made and changed with it in one step, and can be attached to nothing else. A managed policy could.',
  S3BucketReplicationEnabled:
    'Versions and Object Lock protect against deletion. A copy in another region or account is a decision about cost and residency: docs/deploy.md says how.',
}

const PACKS = ['NIST.800.53.R5', 'PCI.DSS.321']

/** Tells rule packs why findings about the whole archive are no faults. */
export function acknowledgeArchive(archive: IConstruct): void {
  acknowledgeInPacks(archive, { ...EVERY_FUNCTION, ...ARCHIVE_WIDE })
}

/** Tells why the access log bucket has S3's own key. */
export function acknowledgeAccessLogs(bucket: IConstruct): void {
  const reason =
    'S3 delivers access logs only into buckets with its own key (user guide, "Enabling server access logging").'
  acknowledgeInPacks(bucket, { S3DefaultEncryptionKMS: reason })
}

/** Tells why the keys of persons are in no backup plan. */
export function acknowledgeKeyBackups(table: IConstruct): void {
  const reason =
    'A key that was destroyed lives on in every backup. Point-in-time recovery has a window of days, after which an erasure is effective; a plan would keep it for longer.'
  acknowledgeInPacks(table, { DynamoDBInBackupPlan: reason })
}

/** Tells why the canary's table is backed up by nothing. */
export function acknowledgeCanaryBackups(table: IConstruct): void {
  const reason = 'All that it ever held is in the archive, and without its item the canary begins anew.'
  acknowledgeInPacks(table, { DynamoDBInBackupPlan: reason, DynamoDBPITREnabled: reason })
  Validations.of(table).acknowledge({ id: 'AwsSolutions-DDB3', reason })
}

/** Tells why a delivery stream that reads Kinesis has no encryption of its own. */
export function acknowledgeKinesisSource(stream: IConstruct): void {
  const reason = 'Firehose refuses encryption of its own where it reads a Kinesis stream; that stream is encrypted.'
  Validations.of(stream).acknowledge({ id: 'AwsSolutions-KDF1', reason })
}

/** Tells why the statements of a role have wildcards, for each of these alone: a new one is a finding again. */
export function acknowledgeWildcards(role: Construct, statements: readonly PolicyStatement[], reason: string): void {
  const stack = Stack.of(role)
  const wild = statements.flatMap(statement => statement.resources).filter(text => text.includes('*'))
  for (const resource of new Set(wild.map(text => describe(text, stack)))) {
    const why =
      resource === '*' ? 'IAM knows no resource to limit these actions to; they only list and measure.' : reason
    Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason: why })
  }
}

function acknowledgeInPacks(construct: IConstruct, reasons: { readonly [rule: string]: string }): void {
  for (const [rule, reason] of Object.entries(reasons)) {
    for (const pack of PACKS) Validations.of(construct).acknowledge({ id: `${pack}-${rule}`, reason })
  }
}

/** A text with tokens as cdk-nag names it once it is resolved: `<LogicalId.Arn>/data/*`. */
function describe(text: string, stack: Stack): string {
  const { tokens } = Tokenization.reverseString(text)
  return tokens.reduce((shown, token) => shown.replace(`${token}`, () => describeToken(token, stack)), text)
}

function describeToken(token: IResolvable, stack: Stack): string {
  // what belongs to the stack that this one is nested in comes as a parameter
  if (Reference.isReference(token) && Stack.of(token.target) !== stack)
    return `<referenceto${Names.nodeUniqueId(token.target.node)}${token.displayName}>`
  const resolved: unknown = stack.resolve(token)
  if (typeof resolved === 'string') return resolved
  const [[intrinsic, of]] = Object.entries(resolved as object) as [[string, string | string[]]]
  return `<${intrinsic === 'Ref' ? of : (of as string[]).join('.')}>`
}
