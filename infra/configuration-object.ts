import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import {
  AwsCustomResource,
  AwsCustomResourcePolicy,
  type AwsSdkCall,
  PhysicalResourceId,
} from 'aws-cdk-lib/custom-resources'
import { Construct } from 'constructs'
import { readKeptConfiguration } from '../config/kept-configuration.js'
import { configurationKey, configurationPrefix } from '../transform/layout.js'
import { rowConfiguration, type TableConfiguration } from '../transform/table-configuration.js'
import { throughService } from './archive-key.js'

export interface KeptConfigurationProps {
  readonly configuration: TableConfiguration
  readonly bucket: Bucket
  readonly key: IKey
}

/**
 * Keeps the configuration that rows are made under in the archive, as `config/<table>/<id>.json`: once written it is
 * never written again, and nothing removes it.
 */
export class KeptConfiguration extends Construct {
  constructor(scope: Construct, id: string, { configuration, bucket, key }: KeptConfigurationProps) {
    super(scope, id)
    const objectKey = configurationKey(configuration)
    const put: AwsSdkCall = {
      service: 'S3',
      action: 'putObject',
      parameters: {
        Bucket: bucket.bucketName,
        Key: objectKey,
        Body: rowConfiguration(configuration),
        IfNoneMatch: '*',
      },
      physicalResourceId: PhysicalResourceId.of(objectKey),
      outputPaths: ['ETag'],
      // the key holds the content's hash, so what is there already is the same
      ignoreErrorCodesMatching: 'PreconditionFailed',
    }
    new AwsCustomResource(this, 'Object', {
      resourceType: 'Custom::ItemtrailConfiguration',
      onCreate: put,
      onUpdate: put,
      installLatestAwsSdk: false,
      timeout: Duration.minutes(2),
      logGroup: logGroupOf(this, key),
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects(objectKey)] }),
        throughService(this, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
      ]),
    })
  }
}

/** All custom resources of a stack that call AWS share one function, so they share its log. */
function logGroupOf(scope: Construct, encryptionKey: IKey): LogGroup {
  const stack = Stack.of(scope)
  const id = 'ItemtrailConfigurationLog'
  return (
    (stack.node.tryFindChild(id) as LogGroup | undefined) ??
    new LogGroup(stack, id, { encryptionKey, retention: RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.DESTROY })
  )
}

/**
 * The configurations that the archive holds of a table, from a copy of its `config/` folder: `aws s3 sync
 * s3://<archive>/config <folder>`. Throws a `FileError` for a file that is none.
 */
export function readKeptConfigurations(folder: string | undefined, table: string): readonly TableConfiguration[] {
  const path = folder === undefined ? undefined : join(folder, table)
  if (path === undefined || !existsSync(path)) return []
  const files = readdirSync(path).filter(name => name.endsWith('.json'))
  return files
    .sort()
    .map(name => readKeptConfiguration(readFileSync(join(path, name)), `${configurationPrefix(table)}${name}`))
}
