import { Duration, Size, Stack, Token } from 'aws-cdk-lib'
import { type IMetric, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { type CfnGlobalTable, CfnTable } from 'aws-cdk-lib/aws-dynamodb'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets'
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { METRICS_NAMESPACE } from '../capture/write-metrics.js'
import { exportsPrefix, NIGHTLY_MINUTES, nightlyKey, RECONCILE_METRICS } from '../config/nightly.js'
import { ConfigurationError } from '../config/problems.js'
import { factPrefix, tablePrefix } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { tableIdentifier } from '../transform/table-names.js'
import { throughService } from './archive-key.js'
import type { AuditTable } from './audit-table.js'
import { BundledFunction } from './bundled-function.js'
import type { ExportStore } from './export-store.js'
import { toAskTables } from './permissions.js'
import { NIGHTLY_ANSWERS, type QueryWorkgroup } from './query-workgroup.js'
import type { SourceTable } from './source-table.js'

export interface TableReconciliationProps {
  readonly source: SourceTable
  readonly configuration: TableConfiguration
  readonly auditTable: AuditTable
  readonly archive: Bucket
  readonly exports: ExportStore
  readonly workgroup: QueryWorkgroup
  readonly key: IKey
}

/**
 * Compares a table with its archive night by night: an incremental export of each day, which DynamoDB makes of its own
 * log and not of a stream, against the rows of that day. What it finds is a fact in the archive.
 */
export class TableReconciliation extends Construct {
  readonly function: IFunction
  /** Adds facts of the table. */
  readonly role: IRole
  private readonly tableName: string

  constructor(scope: Construct, id: string, props: TableReconciliationProps) {
    super(scope, id)
    const { source, configuration, auditTable, archive, exports, key } = props
    const { table } = configuration
    this.tableName = table
    requireExportable(this, source, configuration)
    const reconcile = new BundledFunction(this, 'Function', {
      bundle: 'reconcile-table',
      description: `Itemtrail: compares ${table} with its archive each night`,
      timeout: Duration.minutes(15),
      // a million items by their keys and hashes
      memoryMb: 2048,
      disk: Size.gibibytes(4),
      key,
      environment: {
        ITEMTRAIL_ARCHIVE_BUCKET: archive.bucketName,
        ITEMTRAIL_ARCHIVE_KEY: key.keyArn,
        ITEMTRAIL_DATABASE: auditTable.databaseName,
        ITEMTRAIL_EXPORTS_BUCKET: exports.bucket.bucketName,
        ITEMTRAIL_IDENTIFIER: tableIdentifier(auditTable.named),
        ITEMTRAIL_TABLE_ARN: source.table.tableArn,
        ITEMTRAIL_WORKGROUP: exports.workgroup.name,
      },
      statements: [...this.exporting(props), ...this.comparing(props)],
      files: { 'table.json': JSON.stringify(configuration) },
    })
    reconcile.node.addDependency(auditTable)
    // the schedule tries again
    reconcile.configureAsyncInvoke({ retryAttempts: 0 })
    new Rule(this, 'Schedule', {
      description: `Itemtrail: compares ${table} with its archive`,
      schedule: Schedule.rate(Duration.minutes(NIGHTLY_MINUTES)),
      targets: [new FunctionTarget(reconcile)],
    })
    this.function = reconcile
    this.role = reconcile.role as NonNullable<typeof reconcile.role>
  }

  /** What is counted of the table in each hour. */
  metric(which: keyof typeof RECONCILE_METRICS): IMetric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: RECONCILE_METRICS[which],
      dimensionsMap: { Table: this.tableName },
      statistic: Stats.MAXIMUM,
      period: Duration.hours(1),
    })
  }

  /** Errors of a day, in which it is called 96 times. */
  metricErrors(): IMetric {
    return this.function.metricErrors({ statistic: Stats.SUM, period: Duration.days(1) })
  }

  /** An export is written with the rights of whoever asks for it (developer guide, "Requesting a table export"). */
  private exporting({ source, exports: { bucket }, key }: TableReconciliationProps): PolicyStatement[] {
    const { table, name } = source
    const objects = bucket.arnForObjects(`${exportsPrefix(name)}/*`)
    const state = bucket.arnForObjects(nightlyKey(name))
    return [
      new PolicyStatement({ actions: ['dynamodb:ExportTableToPointInTime'], resources: [table.tableArn] }),
      new PolicyStatement({ actions: ['dynamodb:DescribeExport'], resources: [`${table.tableArn}/export/*`] }),
      ...(table.encryptionKey ? [throughService(this, 'dynamodb', table.encryptionKey, ['kms:Decrypt'])] : []),
      new PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject', 's3:PutObjectAcl'],
        resources: [objects],
      }),
      new PolicyStatement({ actions: ['s3:GetObject', 's3:PutObject'], resources: [state] }),
      throughService(this, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
    ]
  }

  private comparing(props: TableReconciliationProps): PolicyStatement[] {
    const { configuration, auditTable, archive, exports, workgroup } = props
    const { table } = configuration
    const { results } = workgroup
    const answers = results.arnForObjects(`${NIGHTLY_ANSWERS}*`)
    return [
      ...toAskTables(Stack.of(this), exports.workgroup, auditTable.databaseName, [auditTable.tableName]),
      new PolicyStatement({
        actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [archive.bucketArn, exports.bucket.bucketArn, results.bucketArn],
      }),
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [archive.arnForObjects(`${tablePrefix(table)}*`), answers],
      }),
      new PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:PutObject'],
        resources: [answers],
      }),
      new PolicyStatement({ actions: ['s3:PutObject'], resources: [archive.arnForObjects(`${factPrefix(table)}*`)] }),
    ]
  }
}

/** Throws where a table cannot be exported, or its export not be compared. */
function requireExportable(scope: Construct, source: SourceTable, configuration: TableConfiguration): void {
  const { name, table, resource } = source
  const fail = (problem: string) => {
    throw new ConfigurationError(scope.node.path, [`table ${name} ${problem}, which reconcile needs`])
  }
  if (configuration.erasable !== undefined)
    throw new ConfigurationError(scope.node.path, [
      `table ${name} has erasable, expected none with reconcile: an export has its values in clear`,
    ])
  if (resource !== undefined && !hasRecovery(resource))
    fail('has no point-in-time recovery, expected pointInTimeRecoverySpecification with it enabled')
  const { account } = Stack.of(scope)
  const [, , , , owner] = Token.isUnresolved(table.tableArn) ? [] : table.tableArn.split(':')
  if (owner !== undefined && !Token.isUnresolved(account) && owner !== account)
    fail(
      `is of account ${owner}, expected one of ${account}, where the stack is: a table is exported by its own account`,
    )
}

interface Recovery {
  readonly pointInTimeRecoveryEnabled?: boolean
}

/** Whether a table of the app has it, in the region of the app where it is a global one. */
function hasRecovery(resource: CfnTable | CfnGlobalTable): boolean {
  const resolve = <T>(value: unknown) => Stack.of(resource).resolve(value) as T | undefined
  if (resource instanceof CfnTable)
    return resolve<Recovery>(resource.pointInTimeRecoverySpecification)?.pointInTimeRecoveryEnabled === true
  const replicas = resolve<readonly { region: string; pointInTimeRecoverySpecification?: Recovery }[]>(
    resource.replicas,
  )
  const { region } = Stack.of(resource)
  const own = replicas?.find(replica => replica.region === region) ?? replicas?.at(-1)
  return own?.pointInTimeRecoverySpecification?.pointInTimeRecoveryEnabled === true
}
