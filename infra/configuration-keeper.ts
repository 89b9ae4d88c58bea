import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CustomResource, Duration } from 'aws-cdk-lib'
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'
import { readKeptConfiguration } from '../config/kept-configuration.js'
import { CONFIG_PREFIX, configurationKey, configurationPrefix } from '../transform/layout.js'
import { rowConfiguration, type TableConfiguration } from '../transform/table-configuration.js'
import { shortened } from '../transform/table-names.js'
import type { ArchiveBucket } from './archive-bucket.js'
import { throughService } from './archive-key.js'
import { BundledFunction } from './bundled-function.js'
import { type Locking, lockEnvironment } from './lock-function.js'

export interface ConfigurationKeeperProps {
  readonly archive: ArchiveBucket
  readonly key: IKey
  /** How what it writes is locked. @default - not at all, or by the bucket itself */
  readonly lock?: Locking | undefined
}

/**
 * Keeps the configurations that rows are made under in the archive, as `config/<table>/<id>.json`: once written one is
 * never written again, and nothing removes it. One function for all tables, and nobody else may write there.
 */
export class ConfigurationKeeper extends Construct {
  private readonly bucketName: string
  /** May lock what it writes, where the bucket does not by itself. */
  readonly writer: IRole
  private readonly keeper: BundledFunction

  constructor(scope: Construct, id: string, { archive, key, lock }: ConfigurationKeeperProps) {
    super(scope, id)
    const { bucket } = archive
    this.bucketName = bucket.bucketName
    const actions = ['s3:PutObject', ...(lock ? ['s3:PutObjectRetention'] : [])]
    this.keeper = new BundledFunction(this, 'Function', {
      bundle: 'keep-configuration',
      description: 'Itemtrail: keeps the configurations of tables in the archive',
      timeout: Duration.minutes(2),
      memoryMb: 256,
      key,
      ...(lock && { environment: lockEnvironment(lock) }),
      statements: [
        new PolicyStatement({ actions, resources: [bucket.arnForObjects(`${CONFIG_PREFIX}*`)] }),
        throughService(this, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
      ],
    })
    this.writer = this.keeper.role as IRole
    archive.onlyWriters(CONFIG_PREFIX, [this.writer])
  }

  /** Keeps the configuration of a table; what makes rows under it is to depend on what this answers. */
  keep(configuration: TableConfiguration): Construct {
    return new CustomResource(this, shortened(configuration.table, 100), {
      resourceType: 'Custom::ItemtrailConfiguration',
      serviceToken: this.keeper.functionArn,
      properties: {
        Bucket: this.bucketName,
        Key: configurationKey(configuration),
        Body: rowConfiguration(configuration),
      },
    })
  }
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
