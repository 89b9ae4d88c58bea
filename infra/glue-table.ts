import { Stack } from 'aws-cdk-lib'
import { CfnTable } from 'aws-cdk-lib/aws-glue'
import type { Construct } from 'constructs'
import type { Column } from '../transform/audit-row.js'

const PARQUET = 'org.apache.hadoop.hive.ql.io.parquet'

export interface GlueTableProps {
  readonly databaseName: string
  readonly tableName: string
  readonly description: string
  /** Where its objects are, `s3://bucket/prefix/`. */
  readonly location: string
  readonly columns: readonly Column[]
  /** All of them are texts. */
  readonly partitions: readonly { readonly name: string; readonly comment: string }[]
  /** By which Athena works out the partitions. */
  readonly projection: Readonly<Record<string, string>>
}

/** A table over Parquet objects whose partitions are projected: nothing is ever registered. */
export class GlueTable extends CfnTable {
  constructor(scope: Construct, id: string, props: GlueTableProps) {
    const { databaseName, tableName, description, location, columns, partitions, projection } = props
    super(scope, id, {
      catalogId: Stack.of(scope).account,
      databaseName,
      tableInput: {
        name: tableName,
        description,
        tableType: 'EXTERNAL_TABLE',
        parameters: { EXTERNAL: 'TRUE', classification: 'parquet', ...projection },
        partitionKeys: partitions.map(({ name, comment }) => ({ name, type: 'string', comment })),
        storageDescriptor: {
          location,
          columns: glueColumns(columns),
          inputFormat: `${PARQUET}.MapredParquetInputFormat`,
          outputFormat: `${PARQUET}.MapredParquetOutputFormat`,
          serdeInfo: { serializationLibrary: `${PARQUET}.serde.ParquetHiveSerDe` },
        },
      },
    })
  }
}

/** Columns as Glue takes them. */
export function glueColumns(columns: readonly Column[]): CfnTable.ColumnProperty[] {
  return columns.map(({ name, type, meaning }) => ({ name, type, ...commentOf(meaning) }))
}

/** Glue takes comments of one line and 255 bytes; an attribute's path may hold anything. */
function commentOf(meaning: string): { comment?: string } {
  return /^[\x20-\x7e]{1,255}$/.test(meaning) ? { comment: meaning } : {}
}
