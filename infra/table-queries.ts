import { Lazy } from 'aws-cdk-lib'
import { CfnNamedQuery, CfnPreparedStatement } from 'aws-cdk-lib/aws-athena'
import { Construct } from 'constructs'
import { renderQuery, SAVED_QUERIES, type SavedQuery } from '../queries/catalog.js'
import { quotedName } from '../queries/engines/literal.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { shortened, tableIdentifier } from '../transform/table-names.js'
import type { AuditTable } from './audit-table.js'
import type { QueryWorkgroup } from './query-workgroup.js'

export interface TableQueriesProps {
  readonly configuration: TableConfiguration
  readonly auditTable: AuditTable
  readonly workgroup: QueryWorkgroup
  /** Whether there are prepared statements, too, which a workgroup has only so many of. */
  readonly prepared: boolean
  /** The Glue table of the calls that CloudTrail keeps. @default - none are kept */
  readonly calls?: string | undefined
}

/**
 * Every saved query of one table, in the console as a text to read and change, and as a prepared statement to execute.
 */
export class TableQueries extends Construct {
  constructor(scope: Construct, id: string, props: TableQueriesProps) {
    const { configuration, auditTable, workgroup, prepared, calls } = props
    const { table } = configuration
    super(scope, id)
    const { databaseName, tableName, named } = auditTable
    const workGroup = workgroup.resource.ref
    const columns = configuration.columns.map(({ column }) => column)
    for (const query of SAVED_QUERIES.values()) {
      if (query.asksForColumn && columns.length === 0) continue
      // without a trail there is no table to ask
      if (query.readsCalls && calls === undefined) continue
      const about = query.asksForColumn ? { column: columns } : {}
      const { sql, placeholders } = renderQuery(query, { changes: quotedName(tableName), ...about })
      const inDatabase = (name: string) => `${quotedName(databaseName)}.${quotedName(name)}`
      new CfnNamedQuery(this, `${query.name}-text`, {
        database: databaseName,
        workGroup,
        name: `${shortened(table, 60)}: ${query.name}`,
        description: query.question,
        queryString: `${explain(query, placeholders, columns)}\n${sql}`,
      })
      if (!prepared) continue
      new CfnPreparedStatement(this, query.name, {
        workGroup,
        statementName: Lazy.uncachedString({
          produce: ({ resolve }) => statementName(query.name, resolve(tableIdentifier(named)) as string),
        }),
        description: query.question,
        // a prepared statement knows no database of its own
        queryStatement: renderQuery(query, {
          changes: inDatabase(tableName),
          ...(calls !== undefined && { calls: inDatabase(calls) }),
          ...about,
        }).sql,
      })
    }
  }
}

/** What `EXECUTE` calls a saved query of a table: `item_history_orders`. */
function statementName(query: string, identifier: string): string {
  return shortened(`${query.replaceAll('-', '_')}_${identifier}`, MAX_NAME)
}

/** Athena takes names of 256 characters. */
const MAX_NAME = 256

/** Athena takes 1,000 prepared statements in a workgroup (user guide, "Use prepared statements"). */
const MAX_PREPARED = 1000

/** How many tables of a workgroup can have their questions prepared. */
export const PREPARED_TABLES = Math.floor(MAX_PREPARED / SAVED_QUERIES.size)

/** A comment over the text. It has no question mark, which the console would take for a value to ask for. */
function explain(query: SavedQuery, placeholders: readonly string[], columns: readonly string[]): string {
  const meanings = [
    ...(query.asksForColumn ? [`--   column: one of ${columns.join(', ')}`] : []),
    ...query.parameters.map(({ name, meaning, example }) => `--   ${name}: ${meaning}, such as '${example}'`),
  ]
  return [`-- ${query.question}`, `-- values, in this order: ${placeholders.join(', ')}`, ...meanings]
    .join('\n')
    .replaceAll('?', '')
}
