import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { columnsOf } from '../transform/audit-row.js'
import { PARTITION_COLUMN, partitionProjection, tablePrefix } from '../transform/partition.js'
import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'
import { GlueTable } from './glue-table.js'

export interface AuditTableProps {
  readonly databaseName: string
  readonly configuration: TableConfiguration
  /** First day of the archive, `YYYY-MM-DD`: the projection begins there. */
  readonly since: string
  readonly bucket: Bucket
}

/** The Glue table of one DynamoDB table: by it Firehose converts to Parquet, and Athena reads. */
export class AuditTable extends Construct {
  readonly databaseName: string
  readonly tableName: string
  readonly resource: GlueTable

  constructor(scope: Construct, id: string, props: AuditTableProps) {
    super(scope, id)
    const { databaseName, configuration, since, bucket } = props
    const { table } = configuration
    this.databaseName = databaseName
    this.tableName = tableIdentifier(table)
    const location = bucket.s3UrlForObject(tablePrefix(table))
    this.resource = new GlueTable(this, 'Table', {
      databaseName,
      tableName: this.tableName,
      description: `Every change of the DynamoDB table ${table}, one row each; event_id tells repeats apart`,
      location,
      columns: columnsOf(configuration),
      partitions: [{ name: PARTITION_COLUMN, comment: "the change's own day, UTC: YYYY-MM-DD" }],
      projection: partitionProjection(since, location),
    })
  }
}
