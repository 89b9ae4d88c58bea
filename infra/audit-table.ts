import { Stack } from 'aws-cdk-lib'
import { CfnTable } from 'aws-cdk-lib/aws-glue'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { columnsOf } from '../transform/audit-row.js'
import { PARTITION_COLUMN, partitionProjection, tablePrefix } from '../transform/partition.js'
import { type TableConfiguration, tableIdentifier } from '../transform/table-configuration.js'

const PARQUET = 'org.apache.hadoop.hive.ql.io.parquet'

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
  readonly resource: CfnTable

  constructor(scope: Construct, id: string, props: AuditTableProps) {
    super(scope, id)
    const { databaseName, configuration, since, bucket } = props
    const { table } = configuration
    this.databaseName = databaseName
    this.tableName = tableIdentifier(table)
    const location = bucket.s3UrlForObject(tablePrefix(table))
    this.resource = new CfnTable(this, 'Table', {
      catalogId: Stack.of(this).account,
      databaseName,
      tableInput: {
        name: this.tableName,
        description: `Every change of the DynamoDB table ${table}, one row each; event_id tells repeats apart`,
        tableType: 'EXTERNAL_TABLE',
        parameters: {
          EXTERNAL: 'TRUE',
          classification: 'parquet',
          ...partitionProjection(since, location),
        },
        partitionKeys: [{ name: PARTITION_COLUMN, type: 'string', comment: "the change's own day, UTC: YYYY-MM-DD" }],
        storageDescriptor: {
          location,
          columns: columnsOf(configuration).map(({ name, type, meaning }) => ({ name, type, ...commentOf(meaning) })),
          inputFormat: `${PARQUET}.MapredParquetInputFormat`,
          outputFormat: `${PARQUET}.MapredParquetOutputFormat`,
          serdeInfo: { serializationLibrary: `${PARQUET}.serde.ParquetHiveSerDe` },
        },
      },
    })
  }
}

/** Glue takes comments of one line and 255 bytes; an attribute's path may hold anything. */
function commentOf(meaning: string): { comment?: string } {
  return /^[\x20-\x7e]{1,255}$/.test(meaning) ? { comment: meaning } : {}
}
