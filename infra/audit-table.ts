import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { columnsOf } from '../transform/audit-row.js'
import { PARTITION_COLUMN, tablePrefix } from '../transform/layout.js'
import { partitionProjection } from '../transform/partition.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { deliveriesIdentifier, type NamedTable } from '../transform/table-names.js'
import { ChangesView } from './changes-view.js'
import { GlueTable } from './glue-table.js'

export interface AuditTableProps {
  readonly databaseName: string
  readonly configuration: TableConfiguration
  /** The table with its name in SQL, which may be known only when all tables are. */
  readonly named: NamedTable
  /** First day of the archive, `YYYY-MM-DD`: the projection begins there. */
  readonly since: string
  readonly bucket: Bucket
}

/**
 * The Glue table of one DynamoDB table, of its rows as delivered: by it Firehose converts to Parquet, and Athena reads.
 * Beside it the view that counts each change once.
 */
export class AuditTable extends Construct {
  readonly databaseName: string
  readonly tableName: string
  readonly named: NamedTable
  readonly view: ChangesView
  readonly resource: GlueTable

  constructor(scope: Construct, id: string, props: AuditTableProps) {
    super(scope, id)
    const { databaseName, configuration, named, since, bucket } = props
    const { table } = configuration
    this.databaseName = databaseName
    this.named = named
    this.tableName = deliveriesIdentifier(named)
    const location = bucket.s3UrlForObject(tablePrefix(table))
    this.resource = new GlueTable(this, 'Table', {
      databaseName,
      tableName: this.tableName,
      description: `Changes of the DynamoDB table ${table} as they were delivered; event_id tells repeats apart`,
      location,
      columns: columnsOf(configuration),
      partitions: [{ name: PARTITION_COLUMN, comment: "the change's own day, UTC: YYYY-MM-DD" }],
      projection: partitionProjection(since, location),
    })
    this.view = new ChangesView(this, 'View', { databaseName, configuration, named })
    this.view.addResourceDependency(this.resource)
  }
}
