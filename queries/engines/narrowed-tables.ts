import { randomUUID } from 'node:crypto'
import type { DuckDBConnection } from '@duckdb/node-api'
import { type BoundStatement, readInstead } from './derivation.js'
import type { Narrowing, Scope } from './engine.js'
import { deliveriesOf, quotedName } from './literal.js'
import { namedAsInDuckDb } from './trino-macros.js'

/**
 * Asks narrow, then wide: what is told of each item from few columns is kept in the engine's memory, or beside it where
 * that does not hold it, and then the rows of those items alone are read of which a statement may say something. An
 * engine's views are of the objects that it found when it was opened, so that what was told once is so for good.
 */
export class NarrowedTables {
  /** By the statement that told them. */
  private readonly told = new Map<string, string>()

  /** The statement that is to be run in place of one of that scope; itself where nothing is known to narrow it. */
  async statementOf(
    statement: BoundStatement,
    scope: Scope | undefined,
    connection: DuckDBConnection,
  ): Promise<BoundStatement> {
    if (scope?.narrowing === undefined) return statement
    const { where, others } = scope.narrowing
    const items = await this.itemsOf(scope.narrowing, connection)
    const deliveries = `${CATALOG}.${deliveriesOf(scope)}`
    const rows = `select * from ${deliveries} where item_key in (select item_key from ${items} where ${where})`
    const found = { rows: [rows], known: others?.select(items, deliveries) }
    const asked = { ...scope, eachItem: others?.columns ?? scope.eachItem }
    return readInstead(statement, asked, found, ([only]) => `not materialized (${only})`)
  }

  /** The name of the table with the items; whoever asks for it while it is made makes another, and the last is kept. */
  private async itemsOf({ items }: Narrowing, connection: DuckDBConnection): Promise<string> {
    const known = this.told.get(items)
    if (known !== undefined) return known
    const name = `${CATALOG}.${quotedName(`items_${randomUUID()}`)}`
    await connection.run(`create table ${name} as ${namedAsInDuckDb(items)}`)
    this.told.set(items, name)
    return name
  }
}

/** The engine's own, where its views are, too: a statement's table expression may have the name of one. */
const CATALOG = 'memory.main'
