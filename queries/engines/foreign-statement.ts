import type { DuckDBConnection } from '@duckdb/node-api'
import { isObject } from '../../transform/json.js'
import { QueryError } from './engine.js'
import { readStatement } from './statement.js'

/**
 * SQL that somebody else wrote: typed, from a receipt, from a program. DuckDB's own parser says what it is; that it
 * reads no file is held by the engine, but functions that change the engine, or take a text for a statement or a number
 * for an address, are held here.
 */

/** SQL of others that is not run. */
export class RefusedStatement extends QueryError {}

/** Table functions that make rows from their values, or tell what the engine has. */
const HARMLESS = new Set([
  'duckdb_columns',
  'duckdb_functions',
  'duckdb_keywords',
  'duckdb_settings',
  'duckdb_tables',
  'duckdb_types',
  'duckdb_views',
  'generate_series',
  'icu_calendar_names',
  'json_each',
  'json_tree',
  'pg_timezone_names',
  'pragma_table_info',
  'pragma_version',
  'range',
  'repeat',
  'repeat_row',
  'unnest',
])

/**
 * Throws a `RefusedStatement` unless a text is one query that only reads what the engine has views of; with `files`,
 * one statement.
 */
export async function checkForeign(connection: DuckDBConnection, sql: string, files: boolean): Promise<void> {
  if (files) return checkOne((await extracted(connection, sql)).count)
  const answer = await connection.runAndReadAll('select json_serialize_sql(?::varchar)', [sql])
  const parsed: unknown = JSON.parse(String(answer.getRows()[0]?.[0]))
  if (!isObject(parsed)) throw new RefusedStatement('the statement cannot be told apart from others')
  if (parsed.error === true) {
    // what is wrong with its grammar the engine says better when it is run
    if (parsed.error_type === 'parser') throw new RefusedStatement(`Parser Error: ${String(parsed.error_message)}`)
    throw new RefusedStatement('the statement is no query, expected SELECT, WITH, VALUES or TABLE', { hint: HINT })
  }
  const statements = Array.isArray(parsed.statements) ? parsed.statements : []
  checkOne(statements.length)
  const wrong = functionsIn(statements).find(name => !HARMLESS.has(name))
  if (wrong !== undefined)
    throw new RefusedStatement(`the statement calls ${wrong}, which is not for questions of an archive`, { hint: HINT })
}

/** Of several only the last would answer. */
function checkOne(statements: number): void {
  if (statements !== 1)
    throw new RefusedStatement(`the text holds ${statements} statements, expected one`, { hint: 'ask them one by one' })
}

function extracted(connection: DuckDBConnection, sql: string) {
  return connection.extractStatements(sql).catch((error: Error) => {
    throw new RefusedStatement(error.message, { cause: error })
  })
}

const HINT = '--files (of the library: files: true) runs any statement, on files and settings, too'

/**
 * The same for Athena, whose parser cannot be asked beforehand. It takes one statement at a time; what that may do is
 * for the rights of the caller and the workgroup, so the text only has to begin like a question.
 */
export function checkForeignText(sql: string): void {
  const { isOne, isQuery, text } = readStatement(sql)
  if (!isOne)
    throw new RefusedStatement('the text holds more than one statement, expected one', { hint: 'ask them one by one' })
  if (!isQuery && !/^(show|describe|explain)\b/i.test(text))
    throw new RefusedStatement(
      'the statement is no query, expected SELECT, WITH, VALUES, TABLE, SHOW, DESCRIBE or EXPLAIN',
    )
}

/** The names of the table functions in a serialized statement. */
function functionsIn(statement: unknown): readonly string[] {
  const names: string[] = []
  const open: unknown[] = [statement]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== 'object' || node === null) continue
    for (const part of Object.values(node)) open.push(part)
    if (isObject(node) && node.type === 'TABLE_FUNCTION' && isObject(node.function))
      names.push(String(node.function.function_name).toLowerCase())
  }
  return names
}
