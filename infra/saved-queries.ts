import { NestedStack } from 'aws-cdk-lib'
import { CfnNamedQuery, CfnPreparedStatement } from 'aws-cdk-lib/aws-athena'
import type { Construct } from 'constructs'
import { renderQuery, SAVED_QUERIES, type SavedQuery } from '../queries/catalog.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import type { AuditTable } from './audit-table.js'
import type { QueryWorkgroup } from './query-workgroup.js'

export interface SavedQueriesProps {
  readonly configuration: TableConfiguration
  readonly auditTable: AuditTable
  readonly workgroup: QueryWorkgroup
}

/**
 * Every saved query of one table, in the console as a text to read and change, and as a prepared statement to execute. A stack of
 * its own, because a stack holds 500 resources.
 */
export class SavedQueries extends NestedStack {
  constructor(scope: Construct, id: string, { configuration, auditTable, workgroup }: SavedQueriesProps) {
    const { table } = configuration
    super(scope, id, { description: `Itemtrail: saved queries of ${table}` })
    const { databaseName, tableName } = auditTable
    const workGroup = workgroup.resource.ref
    for (const { query, column } of questionsOf(configuration)) {
      const about = { ...(column !== undefined && { column }) }
      const name = column === undefined ? query.name : `${query.name}-${column}`
      const { sql, placeholders } = renderQuery(query, { changes: `"${tableName}"`, ...about })
      new CfnNamedQuery(this, `${name}-text`, {
        database: databaseName,
        workGroup,
        name: `${table.slice(0, 60)}: ${name}`.slice(0, 128),
        description: query.question,
        queryString: `${explain(query, placeholders)}\n${sql}`,
      })
      new CfnPreparedStatement(this, name, {
        workGroup,
        statementName: statementName(name, tableName),
        description: query.question,
        // a prepared statement knows no database of its own
        queryStatement: renderQuery(query, { changes: `"${databaseName}"."${tableName}"`, ...about }).sql,
      })
    }
  }
}

interface Question {
  readonly query: SavedQuery
  /** The configured column that it is about. */
  readonly column?: string
}

/** What can be asked of a table: a question about one configured column is there for each of them. */
function questionsOf({ columns }: TableConfiguration): readonly Question[] {
  return [...SAVED_QUERIES.values()].flatMap(query =>
    query.asksForColumn ? columns.map(({ column }) => ({ query, column })) : [{ query }],
  )
}

/** What `EXECUTE` calls a saved query of a table: `item_history_orders`. */
export function statementName(query: string, identifier: string): string {
  return `${query.replaceAll('-', '_')}_${identifier}`.slice(0, 256)
}

/** A comment over the text. It has no question mark, which the console would take for a value to ask for. */
function explain(query: SavedQuery, placeholders: readonly string[]): string {
  const meanings = query.parameters.map(
    ({ name, meaning, example }) => `--   ${name}: ${meaning}, such as '${example}'`,
  )
  return [`-- ${query.question}`, `-- values, in this order: ${placeholders.join(', ')}`, ...meanings]
    .join('\n')
    .replaceAll('?', '')
}
