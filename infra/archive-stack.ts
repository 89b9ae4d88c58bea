import { Duration, RemovalPolicy, Size, Stack, type StackProps, Tags } from 'aws-cdk-lib'
import {
  AttributeType,
  BillingMode,
  type ITable,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { type Configuration, deployedName, type TableDeployment } from '../config/configuration.js'
import { ConfigurationError } from '../config/problems.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { AuditArchive } from './audit-archive.js'
import { sourceTableOf } from './source-table.js'

export interface ArchiveStackProps extends StackProps {
  /** What the configuration file says. */
  readonly configuration: Configuration
  /** The configuration file, for messages. */
  readonly configurationPath: string
  /** Makes the tables too, to play with, and lets them go with the stack. @default - tables are there already */
  readonly demo?: boolean
  /** @default - nothing is compared, see `AuditArchiveProps` */
  readonly keptConfigurations?: string
}

/** The archive of the tables of a configuration file, as a stack of its own. */
export class ArchiveStack extends Stack {
  readonly archive: AuditArchive

  constructor(scope: Construct, id: string, props: ArchiveStackProps) {
    const { configuration, configurationPath: path, demo = false, keptConfigurations, ...stackProps } = props
    super(scope, id, { terminationProtection: !demo, ...stackProps })
    const { lock, refusedDays, scanCutoffGb, compact, seal, canary, notify } = configuration
    const { environment, tables, deployments } = configuration
    if (lock === undefined) {
      throw new ConfigurationError(path, [
        'lock is missing, expected { "mode": "none" }, or "governance" or "compliance" with "days"',
      ])
    }
    if (tables.size === 0) throw new ConfigurationError(path, ['tables is empty, expected at least one table'])
    Tags.of(this).add('application', 'itemtrail')
    if (environment !== undefined) Tags.of(this).add('environment', environment)
    this.archive = new AuditArchive(this, 'Audit', {
      lock,
      refusedRetention: Duration.days(refusedDays),
      scanCutoff: Size.gibibytes(scanCutoffGb),
      compact,
      ...(seal !== undefined && { seal }),
      canary,
      notify,
      name: deployedName(configuration),
      ...(keptConfigurations !== undefined && { keptConfigurations }),
    })
    for (const [name, table] of tables) {
      const deployment = deployments.get(name) as TableDeployment
      const source = demo ? this.makeTable(table) : this.findTable(table, deployment, path)
      this.archive.attach(sourceTableOf(this.archive, source, name), table, deployment)
    }
  }

  /** A table that is there already. What CloudFormation cannot find out about it, the configuration has to say. */
  private findTable(
    { table, capture, since, keys }: TableConfiguration,
    deployment: TableDeployment,
    path: string,
  ): ITable {
    const { streamArn, tableKeyArn } = deployment
    const missing = (field: string, expected: string) => `tables.${table}.${field} is missing, expected ${expected}`
    const problems = [
      ...(since === undefined ? [missing('since', 'the first day of the archive as YYYY-MM-DD')] : []),
      ...(keys.length === 0 ? [missing('keys', 'the key attributes of the table, partition key first')] : []),
      ...(capture === 'streams' && streamArn === undefined
        ? [
            missing(
              'streamArn',
              `the ARN of its stream: aws dynamodb describe-table --table-name ${table} --query Table.LatestStreamArn`,
            ),
          ]
        : []),
    ]
    if (problems.length > 0) throw new ConfigurationError(path, problems)
    const tableArn =
      streamArn?.slice(0, streamArn.indexOf('/stream/')) ??
      this.formatArn({ service: 'dynamodb', resource: 'table', resourceName: table })
    return Table.fromTableAttributes(this, `Table-${table}`, {
      tableArn,
      ...(streamArn !== undefined && { tableStreamArn: streamArn }),
      ...(tableKeyArn !== undefined && { encryptionKey: Key.fromKeyArn(this, `TableKey-${table}`, tableKeyArn) }),
    }) as ITable
  }

  private makeTable({ table, capture, keys }: TableConfiguration): ITable {
    const [partitionKey, sortKey] = keys.map(key => ({ name: key.attribute, type: AttributeType.STRING }))
    if (partitionKey === undefined)
      throw new ConfigurationError(this.node.path, [`tables.${table}.keys is missing, expected its key attributes`])
    return new Table(this, `Table-${table}`, {
      tableName: table,
      partitionKey,
      ...(sortKey !== undefined && { sortKey }),
      ...(capture === 'streams' && { stream: StreamViewType.NEW_AND_OLD_IMAGES }),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.DESTROY,
    }) as ITable
  }
}
