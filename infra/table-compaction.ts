import { Duration, Stack } from 'aws-cdk-lib'
import { type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import {
  answersTable,
  checkpointsTable,
  copyTable,
  type DerivedTable,
  injectedProjection,
} from '../transform/derived.js'
import { derivedPrefix, tablePrefix } from '../transform/layout.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { answersIdentifier, checkpointsIdentifier, copyIdentifier, tableIdentifier } from '../transform/table-names.js'
import { throughService } from './archive-key.js'
import type { AuditTable } from './audit-table.js'
import { BundledFunction } from './bundled-function.js'
import type { DerivedStore } from './derived-store.js'
import { GlueTable } from './glue-table.js'
import { toAskTables } from './permissions.js'
import { bytes, COMPACTION_ANSWERS, type QueryWorkgroup } from './query-workgroup.js'

export interface TableCompactionProps {
  readonly configuration: TableConfiguration
  readonly auditTable: AuditTable
  readonly archive: Bucket
  readonly derived: DerivedStore
  readonly workgroup: QueryWorkgroup
  readonly key: IKey
}

/** How often it looks for days that are over. */
const LOOKS_EVERY = Duration.hours(6)

/** Gigabytes of the archive that a run takes in at most. Where that takes too long, an eighth of it is tried. */
const RUN_GB = 8

/**
 * Keeps a copy of one table's rows, clustered by item, checkpoints, and what does not fit together in each item, so
 * that a question about one item reads its bucket and not every day, and one about a moment not everything before it;
 * how far a list can be believed is told from what was found already. It writes into the bucket for derived files and
 * nowhere else.
 */
export class TableCompaction extends Construct {
  readonly function: IFunction

  constructor(scope: Construct, id: string, props: TableCompactionProps) {
    super(scope, id)
    const { table } = props.configuration
    const { named } = props.auditTable
    const found = `What does not fit together in items of the DynamoDB table ${table}, and from when to when they have changes`
    const tables = [
      this.over(props, 'Copy', copyTable(named), `Changes of the DynamoDB table ${table} by item`),
      this.over(
        props,
        'Checkpoints',
        checkpointsTable(named),
        `What later states of items of the DynamoDB table ${table} depend on`,
      ),
      this.over(props, 'Answers', answersTable(named), found),
    ]
    const compact = this.addFunction(props)
    compact.node.addDependency(...tables)
    // the schedule tries again
    compact.configureAsyncInvoke({ retryAttempts: 0 })
    props.derived.addWriter(compact.role as NonNullable<typeof compact.role>)
    new Rule(this, 'Schedule', {
      description: `Itemtrail: compacts ${table}`,
      schedule: Schedule.rate(LOOKS_EVERY),
      targets: [new FunctionTarget(compact)],
    })
    this.function = compact
  }

  /** Errors of a day, in which it is called four times. */
  metricErrors(): IMetric {
    return this.function.metricErrors({ statistic: Stats.SUM, period: Duration.days(1) })
  }

  /** A table over what is derived, as far as the manifest names it. */
  private over(
    { configuration, auditTable, derived: { bucket } }: TableCompactionProps,
    id: string,
    about: DerivedTable,
    what: string,
  ): GlueTable {
    const made = new GlueTable(this, id, {
      databaseName: auditTable.databaseName,
      tableName: about.identifier,
      description: `${what}; only the manifest in ${derivedPrefix(configuration.table)} says which folders are in use`,
      location: bucket.s3UrlForObject(about.prefix),
      columns: about.columns,
      partitions: about.partitions,
      projection: injectedProjection(about, bucket.s3UrlForObject('')),
    })
    made.node.addDependency(auditTable)
    return made
  }

  private addFunction(props: TableCompactionProps): BundledFunction {
    const { configuration, auditTable, archive, derived, key } = props
    return new BundledFunction(this, 'Function', {
      bundle: 'compact-table',
      description: `Itemtrail: copies rows of ${configuration.table}, clustered by item`,
      timeout: Duration.minutes(15),
      memoryMb: 512,
      key,
      environment: {
        ITEMTRAIL_ARCHIVE_BUCKET: archive.bucketName,
        ITEMTRAIL_DERIVED_BUCKET: derived.bucket.bucketName,
        ITEMTRAIL_DATABASE: auditTable.databaseName,
        ITEMTRAIL_IDENTIFIER: tableIdentifier(auditTable.named),
        ITEMTRAIL_WORKGROUP: derived.workgroup.name,
        ITEMTRAIL_RUN_BYTES: `${bytes(RUN_GB)}`,
      },
      statements: [...this.asking(props), ...this.writing(props)],
      files: { 'table.json': JSON.stringify(configuration) },
    })
  }

  private asking({ auditTable, derived: store }: TableCompactionProps): PolicyStatement[] {
    const { databaseName, tableName, named } = auditTable
    const derived = [copyIdentifier(named), checkpointsIdentifier(named), answersIdentifier(named)]
    return toAskTables(Stack.of(this), store.workgroup, databaseName, [tableName, ...derived])
  }

  private writing(props: TableCompactionProps): PolicyStatement[] {
    const { configuration, archive, workgroup, key } = props
    const { table } = configuration
    const { results } = workgroup
    const derived = props.derived.bucket
    const answers = results.arnForObjects(`${COMPACTION_ANSWERS}*`)
    const objects = derived.arnForObjects(`${derivedPrefix(table)}*`)
    return [
      new PolicyStatement({
        actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [archive.bucketArn, derived.bucketArn, results.bucketArn],
      }),
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [archive.arnForObjects(`${tablePrefix(table)}*`), objects, answers],
      }),
      new PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:PutObject'],
        resources: [objects, answers],
      }),
      new PolicyStatement({ actions: ['s3:DeleteObject'], resources: [objects] }),
      throughService(this, 's3', key, ['kms:Decrypt', 'kms:GenerateDataKey']),
    ]
  }
}
