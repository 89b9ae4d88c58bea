import { type EachItemStatement, statementHash } from '../queries/each-item.js'
import type { BoundValue } from '../queries/engines/engine.js'
import { deliveriesOf } from '../queries/engines/literal.js'
import { answersFolderPrefix, FOLDER_COLUMN } from '../transform/derived.js'
import type { NamedTable } from '../transform/table-names.js'
import { type BoundStatement, type CopyTables, daysSql, digestSql, NAMES, unload } from './unload-statements.js'

/**
 * Kept answers in the SQL of Athena: of the statements whose every row tells of one item, what they answer of all days that the copy
 * covers, each in a folder of its own.
 */
export interface PlannedAnswer {
  readonly name: string
  /** The days that it is of, `YYYY-MM-DD`, in order. */
  readonly days: readonly string[]
}

/** What the kept answer of a statement is known by. */
export function answerHash({ sql, values }: Pick<EachItemStatement, 'sql' | 'values'>, table: NamedTable): string {
  return statementHash(sql, values, deliveriesOf(table))
}

/** Writes an answer below `location`, an `s3://` address ending in "/". */
export function answerStatement(
  tables: CopyTables,
  planned: PlannedAnswer,
  statement: EachItemStatement,
  table: NamedTable,
  location: string,
): BoundStatement {
  const target = `${location}${answersFolderPrefix(table.table, planned.name)}`
  return { sql: unload(answerOfDays(tables, planned, statement, table), target), values: statement.values }
}

/** How many rows the statement has of the days, and a digest of them, from the archive. */
export function answerBefore(
  tables: CopyTables,
  planned: PlannedAnswer,
  statement: EachItemStatement,
  table: NamedTable,
): BoundStatement {
  return {
    sql: digestOf(statement, answerOfDays(tables, planned, statement, table)),
    values: statement.values,
  }
}

/** The same from what was written. */
export function answerAfter(tables: CopyTables, { name }: PlannedAnswer, statement: EachItemStatement): BoundStatement {
  return { sql: digestOf(statement, keptRows(tables, name, statement.columns)), values: [] }
}

function answerOfDays(
  { archive }: CopyTables,
  { days }: PlannedAnswer,
  { columns, sql }: EachItemStatement,
  table: NamedTable,
): string {
  return `with ${deliveriesOf(table)} as (
  select ${NAMES}
  from ${archive}
  where ${daysSql(days)}
)
select ${columns.join(', ')}
from (
${sql}
) as answer
order by item_key`
}

function digestOf({ columns }: EachItemStatement, rows: string): string {
  return `select cast(count(*) as varchar) as rows_kept, ${digestSql(`json_format(cast(row(${columns.join(', ')}) as json))`, '1')} as digest
from (
${rows}
) as answer`
}

function keptRows({ answers }: CopyTables, name: string, columns: readonly string[]): string {
  return `select ${columns.join(', ')}
from ${answers}
where ${FOLDER_COLUMN} = '${name}'`
}

/** What a statement answers when nothing has come since its answer was kept. */
export function keptAnswer(tables: CopyTables, name: string, columns: readonly string[]): BoundStatement {
  return { sql: `${keptRows(tables, name, columns)}\norder by item_key`, values: [] }
}

/**
 * What a statement answers now, from its answer of some days: that of items without a change on other days as it was kept,
 * that of all others from the archive.
 */
export function answerSince(
  tables: CopyTables,
  { name, days }: PlannedAnswer,
  {
    columns,
    sql,
    values,
  }: { readonly columns: readonly string[]; readonly sql: string; readonly values: readonly BoundValue[] },
  table: NamedTable,
): BoundStatement {
  const { archive } = tables
  // NOT IN would leave out every row for the sake of one that is null
  const touched = `(
    select item_key
    from ${archive}
    where not ${daysSql(days)}
      and item_key is not null
  )`
  return {
    sql: `with ${deliveriesOf(table)} as (
  select ${NAMES}
  from ${archive}
  where item_key in ${touched}
)
${keptRows(tables, name, columns)}
  and item_key not in ${touched}
union all
select ${columns.join(', ')}
from (
${sql}
) as answer
order by item_key`,
    values,
  }
}
