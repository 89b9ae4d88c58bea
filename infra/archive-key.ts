import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'

/**
 * The key of an archive: its objects, logs, queues and alarms are encrypted with it. Without it the archive cannot be
 * read, so it stays.
 */
export class ArchiveKey extends Key {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      description: 'Itemtrail: the audit archive; whoever deletes this key destroys the archive',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    const { region, account, urlSuffix, partition } = Stack.of(this)
    this.allow(`logs.${region}.${urlSuffix}`, {
      ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
    })
    // alarms of this account; EventBridge is let in by the queue that it sends to, under the same condition
    this.allow('cloudwatch.amazonaws.com', { StringEquals: { 'aws:SourceAccount': account } })
  }

  private allow(service: string, conditions: Record<string, unknown> = {}): void {
    this.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(service)],
        actions: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*', 'kms:DescribeKey'],
        resources: ['*'],
        conditions,
      }),
    )
  }
}

/** Lets a role use a key by way of a service and not otherwise. */
export function throughService(
  scope: Construct,
  service: 's3' | 'sqs' | 'sns' | 'dynamodb',
  key: IKey,
  actions: string[],
): PolicyStatement {
  const { region, urlSuffix } = Stack.of(scope)
  const conditions = { StringEquals: { 'kms:ViaService': `${service}.${region}.${urlSuffix}` } }
  return new PolicyStatement({ actions, resources: [key.keyArn], conditions })
}
