import { hash } from 'node:crypto'
import { Lazy, NestedStack } from 'aws-cdk-lib'
import { CfnNamedQuery, CfnPreparedStatement } from 'aws-cdk-lib/aws-athena'
import type { Construct } from 'constructs'
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
}

/**
 * Every saved query of one table, in the console as a text to read and change, and as a prepared statement to execute.
 * A stack of its own, because a stack holds 500 resources.
 */
export class TableQueries extends NestedStack {
  constructor(scope: Construct, id: string, { configuration, auditTable, workgroup }: TableQueriesProps) {
    const { table } = configuration
    super(scope, id, { description: `Itemtrail: saved queries of ${table}` })
    const { databaseName, tableName, named } = auditTable
    const workGroup = workgroup.resource.ref
    for (const { query, column } of questionsOf(configuration)) {
      const about = { ...(column !== undefined && { column }) }
      const name = column === undefined ? query.name : `${query.name}-${column}`
      const { sql, placeholders } = renderQuery(query, { changes: quotedName(tableName), ...about })
      new CfnNamedQuery(this, `${name}-text`, {
        database: databaseName,
        workGroup,
        name: `${shortened(table, 60)}: ${shortened(name, 66)}`,
        description: query.question,
        queryString: `${explain(query, placeholders)}\n${sql}`,
      })
      new CfnPreparedStatement(this, name, {
        workGroup,
        statementName: Lazy.uncachedString({
          produce: ({ resolve }) => statementName(query.name, column, resolve(tableIdentifier(named)) as string),
        }),
        description: query.question,
        // a prepared statement knows no database of its own
        queryStatement: renderQuery(query, {
          changes: `${quotedName(databaseName)}.${quotedName(tableName)}`,
          ...about,
        }).sql,
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

/**
 * What `EXECUTE` calls a saved query of a table: `item_history_orders`. About a column it ends with a hash: where the
 * column's name ends and the table's begins does not show.
 */
function statementName(query: string, column: string | undefined, identifier: string): string {
  const name = query.replaceAll('-', '_')
  if (column === undefined) return shortened(`${name}_${identifier}`, MAX_NAME)
  const hash8 = hash('sha256', `${query}\n${column}\n${identifier}`).slice(0, 8)
  return `${`${name}_${column}_${identifier}`.slice(0, MAX_NAME - 9)}_${hash8}`
}

/** Athena takes names of 256 characters. */
const MAX_NAME = 256

/** A comment over the text. It has no question mark, which the console would take for a value to ask for. */
function explain(query: SavedQuery, placeholders: readonly string[]): string {
  const meanings = query.parameters.map(
    ({ name, meaning, example }) => `--   ${name}: ${meaning}, such as '${example}'`,
  )
  return [`-- ${query.question}`, `-- values, in this order: ${placeholders.join(', ')}`, ...meanings]
    .join('\n')
    .replaceAll('?', '')
}
