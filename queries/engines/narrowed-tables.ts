import { randomUUID } from 'node:crypto'
import { type BoundStatement, readInstead } from './derivation.js'
import type { Narrowing, Scope } from './engine.js'
import { deliveriesOf, quotedName } from './literal.js'
import { namedAsInDuckDb } from './trino-macros.js'

/**
 * Asks narrow, then wide: what is told of each item from few columns is kept in DuckDB's memory, or beside it where
 * that does not hold it, and then the rows of those items alone are read of which a statement may say something. The
 * view of a table's rows is to be of the same rows for as long as this is used, so that what was told once is so for
 * good.
 */
export class NarrowedTables {
  /** By the statement that told them. */
  private readonly told = new Map<string, string>()

  /** `views` is the catalog of the views: a statement's table expression may have the name of one. */
  constructor(private readonly views = CATALOG) {}

  /** The statement that is to be run in place of one of that scope; itself where nothing is known to narrow it. */
  async statementOf(
    statement: BoundStatement,
    scope: Scope | undefined,
    query: (sql: string) => Promise<readonly unknown[]>,
  ): Promise<BoundStatement> {
    if (scope?.narrowing === undefined) return statement
    const { where, others } = scope.narrowing
    const items = await this.itemsOf(scope.narrowing, query)
    const deliveries = `${this.views}.${deliveriesOf(scope)}`
    const some = `select item_key from ${items} where ${where}`
    // where there is none, no file need be opened to find it
    const isAny = (await query(`${some} limit 1`)).length > 0
    const rows = `select * from ${deliveries} where ${isAny ? `item_key in (${some})` : 'false'}`
    const found = { rows: [rows], known: others?.select(items, deliveries) }
    const asked = { ...scope, eachItem: others?.columns ?? scope.eachItem }
    return readInstead(statement, asked, found, ([only]) => `not materialized (${only})`)
  }

  /** The name of the table with the items; whoever asks for it while it is made makes another, and the last is kept. */
  private async itemsOf({ items }: Narrowing, query: (sql: string) => Promise<unknown>): Promise<string> {
    const known = this.told.get(items)
    if (known !== undefined) return known
    const name = `${CATALOG}.${quotedName(`items_${randomUUID()}`)}`
    await query(`create table ${name} as ${namedAsInDuckDb(items)}`)
    this.told.set(items, name)
    return name
  }
}

/** DuckDB's own. */
const CATALOG = 'memory.main'
