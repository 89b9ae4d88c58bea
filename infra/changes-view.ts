import { Lazy, Stack } from 'aws-cdk-lib'
import { CfnTable } from 'aws-cdk-lib/aws-glue'
import type { Construct } from 'constructs'
import { changesView } from '../queries/engines/changes-view.js'
import { quotedName } from '../queries/engines/literal.js'
import { type ColumnType, columnsOf } from '../transform/audit-row.js'
import { PARTITION_COLUMN } from '../transform/layout.js'
import { configurationId, type TableConfiguration } from '../transform/table-configuration.js'
import { deliveriesIdentifier, type NamedTable, tableIdentifier } from '../transform/table-names.js'
import { glueColumns } from './glue-table.js'

export interface ChangesViewProps {
  readonly databaseName: string
  readonly configuration: TableConfiguration
  readonly named: NamedTable
}

/**
 * The view in Athena that a DynamoDB table's name stands for: each change once. Glue keeps it as Athena itself keeps a
 * view that it has made: the statement and its columns' types as JSON, in base64.
 */
export class ChangesView extends CfnTable {
  constructor(scope: Construct, id: string, { databaseName, configuration, named }: ChangesViewProps) {
    const columns = [
      ...columnsOf(configuration),
      {
        name: PARTITION_COLUMN,
        type: 'string',
        required: true,
        meaning: "the change's own day, UTC: YYYY-MM-DD",
      } as const,
    ]
    super(scope, id, {
      catalogId: Stack.of(scope).account,
      databaseName,
      tableInput: {
        name: tableIdentifier(named),
        description: `Changes of the DynamoDB table ${named.table}, each once, however often it was delivered`,
        tableType: 'VIRTUAL_VIEW',
        parameters: { presto_view: 'true', comment: 'Presto View' },
        partitionKeys: [],
        storageDescriptor: { columns: glueColumns(columns), location: '', serdeInfo: {} },
        viewExpandedText: '/* Presto View */',
        viewOriginalText: Lazy.uncachedString({
          produce: ({ resolve }) => {
            const identifier = resolve(tableIdentifier(named)) as string
            const table = deliveriesIdentifier({ ...named, identifier })
            const deliveries = `${quotedName(databaseName)}.${quotedName(table)}`
            const definition = {
              originalSql: changesView(deliveries, columnsOf(configuration), configurationId(configuration)),
              catalog: 'awsdatacatalog',
              schema: databaseName,
              columns: columns.map(({ name, type }) => ({ name, type: trinoType(type) })),
            }
            return `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`
          },
        }),
      },
    })
  }
}

/** Glue's type names as Trino's. */
function trinoType(type: ColumnType): string {
  if (type === 'string') return 'varchar'
  if (type === 'timestamp') return 'timestamp(3)'
  return type === 'array<string>' ? 'array(varchar)' : type
}
