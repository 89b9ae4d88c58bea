import { randomUUID } from 'node:crypto'
import { type BoundStatement, readInstead } from './derivation.js'
import { isShortage } from './duckdb-error.js'
import type { Narrowing, Scope } from './engine.js'
import { deliveriesOf, quotedName } from './literal.js'
import { ALL_ITEMS, inSlice, type Slice, slicesAt } from './slices.js'
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

  /**
   * `memory`: what DuckDB may hold, in bytes. `catalog`: of the views, and of what is told; a statement's table
   * expression may have the name of a view. `giveBack`: what is done where a table was made, which takes much memory.
   */
  constructor(
    private readonly memory: number,
    private readonly catalog: 'memory.main' | 'temp' = 'memory.main',
    private readonly giveBack: () => Promise<void> = async () => {},
  ) {}

  /** The statement that is to be run in place of one of that scope; itself where nothing is known to narrow it. */
  async statementOf(
    statement: BoundStatement,
    scope: Scope | undefined,
    query: Query,
    slice = ALL_ITEMS,
  ): Promise<BoundStatement> {
    if (scope?.narrowing === undefined) return statement
    const { where, others } = scope.narrowing
    const items = inSlice(slice, await this.itemsOf(scope.narrowing, query))
    const deliveries = inSlice(slice, await this.rowsOf(scope, scope.narrowing, query))
    const some = `select item_key from ${items} where ${where}`
    // where there is none, no file need be opened to find it
    const isAny = (await query(`${some} limit 1`)).length > 0
    const isAsked = isAny ? `item_key in (${some})` : 'false'
    const needed = others?.rows && `${NEEDED} as materialized (${others.rows(items, deliveries)})`
    const from = needed === undefined ? deliveries : NEEDED
    const isKnown = !isAny && others !== undefined
    const found = {
      before: needed,
      rows: isKnown ? [] : [`select * from ${from} where ${isAsked}`],
      known: others?.select(items, from),
    }
    const asked = { ...scope, eachItem: others?.columns ?? scope.eachItem }
    return readInstead(statement, asked, found, ([only]) => `not materialized (${only})`)
  }

  /**
   * What `begin` makes of the statement, in slices of items one after the other. A slice that does not fit in memory,
   * which shows before its first row, is begun again in two.
   */
  async *inSlices<T>(
    statement: BoundStatement,
    scope: Scope | undefined,
    query: Query,
    room: Room,
    begin: (statement: BoundStatement) => Promise<T>,
  ): AsyncGenerator<T> {
    const slices = await this.slicesOf(scope?.narrowing, query, room)
    const left = slices.map(slice => ({ slice, halvings: MOST_HALVINGS }))
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { slice, halvings } = next
      let begun: T
      try {
        begun = await begin(await this.statementOf(statement, scope, query, slice))
      } catch (error) {
        const isSmaller = isShortage(error) && halvings > 0
        const halves = isSmaller ? await this.split(scope?.narrowing, query, slice, 2) : []
        if (halves.length < 2) throw error
        left.unshift(...halves.map(half => ({ slice: half, halvings: halvings - 1 })))
        continue
      }
      yield begun
    }
  }

  /**
   * All items in slices, so that a statement of each holds no more of their images than there is room for. Each of them
   * reads the table again, so there are no more of them than that needs.
   */
  async slicesOf(narrowing: Narrowing | undefined, query: Query, { imageSize, room }: Room): Promise<readonly Slice[]> {
    if (narrowing?.images === undefined) return [ALL_ITEMS]
    const items = await this.itemsOf(narrowing, query)
    const [[held] = []] = await query(`select sum(${narrowing.images}) from ${items}`)
    const bytes = Number(held) * (narrowing.imageBytes ?? (await imageSize()))
    return this.split(narrowing, query, ALL_ITEMS, Math.ceil(bytes / room))
  }

  /** A slice in so many, of about as many images each; in fewer where it has fewer items. */
  private async split(
    narrowing: Narrowing | undefined,
    query: Query,
    slice: Slice,
    parts: number,
  ): Promise<readonly Slice[]> {
    if (narrowing?.images === undefined || parts <= 1) return [slice]
    const items = inSlice(slice, await this.itemsOf(narrowing, query))
    const named = `select item_key, ${narrowing.images} as images from ${items} where item_key is not null`
    const lasts = await query(`
      select max(item_key) from (
        select item_key, sum(images) over (order by item_key) - images as before, sum(images) over () as of_all
        from (${named}) using sample reservoir(${KEYS_LOOKED_AT} rows) repeatable (1)
      ) group by before * ${parts} // of_all order by 1`)
    return slicesAt(slice, lasts.slice(0, -1).map(String))
  }

  /** Lets go of what was told. */
  async forget(query: (sql: string) => Promise<unknown>): Promise<void> {
    for (const name of this.told.values()) await query(`drop table ${name}`)
    this.told.clear()
  }

  /** The name of the table with the items. */
  private itemsOf({ items }: Narrowing, query: Query): Promise<string> {
    return this.keep(items, query)
  }

  /** The name of what a statement reads: a table of the rows that several read, where they are few, or the view. */
  private async rowsOf(scope: Scope, narrowing: Narrowing, query: Query): Promise<string> {
    const deliveries = `${this.catalog}.${deliveriesOf(scope)}`
    if (narrowing.shared === undefined) return deliveries
    const items = await this.itemsOf(narrowing, query)
    const { where, columns } = narrowing.shared
    const [[rowCount, others] = []] = await query(`
      select sum(row_count) filter (${where}), count(*) filter ((${narrowing.where}) and (${where}) is not true)
      from ${items}`)
    const isMuch = Number(rowCount) * SHARED_ROW > this.memory * SHARE_OF_MEMORY
    if (isMuch || Number(others) > 0) return deliveries
    const some = `select item_key from ${items} where ${where}`
    const rows = `select ${columns.join(', ')} from ${deliveries} where item_key in (${some})`
    return this.keep(rows, query)
  }

  /** A table of what a SELECT gives; of several that are made at a time one is kept. */
  private async keep(select: string, query: Query): Promise<string> {
    const known = this.told.get(select)
    if (known !== undefined) return known
    const name = `${this.catalog}.${quotedName(`told_${randomUUID()}`)}`
    await query(`create ${this.catalog === 'temp' ? 'temp ' : ''}table ${name} as ${namedAsInDuckDb(select)}`)
    await this.giveBack()
    const first = this.told.get(select)
    if (first === undefined) this.told.set(select, name)
    else await query(`drop table ${name}`)
    return first ?? name
  }
}

/** No statement of ours has such a name in it. */
const NEEDED = '"needed rows"'

/** How much a statement that is streamed may hold at a time. */
export interface Room {
  /** Bytes of an image, on average. */
  readonly imageSize: () => Promise<number>
  /** Bytes of images. */
  readonly room: number
}

/** Bytes of a row without images, measured: its key, ids and hashes. */
const SHARED_ROW = 500

/** Of what DuckDB may hold, for rows that several statements read. */
const SHARE_OF_MEMORY = 1 / 16

/** What does not fit in so much less than was estimated needs more memory. */
const MOST_HALVINGS = 4

/** Runs a statement of ours, which gives rows of values. */
type Query = (sql: string) => Promise<readonly (readonly unknown[])[]>

/** Keys from which it is told where slices end: all of a table may not fit. */
const KEYS_LOOKED_AT = 50_000
