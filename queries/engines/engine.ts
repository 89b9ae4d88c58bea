import type { Table } from 'apache-arrow'
import type { Verifier } from '../../proof/note.js'
import type { ObjectEntry, Objects } from '../../store/objects.js'
import type { NamedTable } from '../../transform/table-names.js'
import type { Row } from './rows.js'

/** A value bound to one `?` of a statement. */
export type BoundValue = string | number

/** How a statement is run. */
export interface RunOptions {
  /**
   * Ends the statement, on the engine too; what was asked is then rejected with a `QueryError` of the signal's reason.
   */
  readonly signal?: AbortSignal | undefined
  /**
   * What the statement reads of a table. An engine may then read a copy that is arranged for it; the answer is the
   * same.
   */
  readonly scope?: Scope | undefined
  /** True for SQL that is not our own: it is run only where it is one query that reads. @default false */
  readonly foreign?: boolean | undefined
}

/**
 * What a statement, of one table only, can be answered from. At most one of `itemKey`, `states` and `eachItem` is
 * given; with none, any rows do.
 */
export interface Scope extends NamedTable {
  /** All changes of one item, by its canonical key. */
  readonly itemKey?: string | undefined
  /** What leads to the states of items at moments from `fromUs` to `toUs`, in microseconds since 1970. */
  readonly states?: { readonly fromUs: number; readonly toUs: number } | undefined
  /** A configured column that it reads beside the columns that every table has. */
  readonly column?: string | undefined
  /**
   * Each row of the answer, which has these columns, tells of one item, from all changes of that item; rows come by
   * `item_key`, those of an item in any order.
   */
  readonly eachItem?: readonly string[] | undefined
  /** Of which items the statement need be asked, which an engine may find out first. */
  readonly narrowing?: Narrowing | undefined
}

/** Which items a statement has to be asked of, whose answer is in the order of `item_key`. */
export interface Narrowing {
  /** A SELECT with a row for each item of the table, read from few of its columns; the same for several statements. */
  readonly items: string
  /** True in that row where the statement has to be asked of the item. */
  readonly where: string
  /**
   * Columns of the rows of some items, in which are all that the statement and `others` read, so that several
   * statements read the table once. Where it is asked of more items it reads the table. @default - each reads the table
   */
  readonly shared?: { readonly where: string; readonly columns: readonly string[] } | undefined
  /** How many images of the item the statement holds until it answers, from that row. @default - none */
  readonly images?: string | undefined
  /** Bytes of each, where only its hash is held, with what else there is of a row. @default - what images take */
  readonly imageBytes?: number | undefined
  /** The other items' rows of the answer. @default - it says nothing of others */
  readonly others?: OthersRows | undefined
}

/** What an answer has of items of which its statement need not be asked. */
export interface OthersRows {
  /** Of the answer. */
  readonly columns: readonly string[]
  /** A SELECT of these, from the name of what was told of each item and that of the table's rows as delivered. */
  readonly select: (items: string, deliveries: string) => string
  /**
   * A SELECT from the same of all the rows that are needed, also for the items of which the statement is asked, to be
   * read once: `select` is given these instead of the table's. @default - both read the table
   */
  readonly rows?: ((items: string, deliveries: string) => string) | undefined
}

/** What is known of a table without reading its rows. */
export interface TableOutline {
  /** When its first change was made, in microseconds since 1970. */
  readonly beganUs: number
  /** Any key, which tells its key attributes and their types. */
  readonly sampleKey: string
}

/**
 * What was derived from an archive's tables and stands for a part of their rows: an engine is given it, and asks it
 * first.
 */
export interface Derived {
  /**
   * Looks at a table: the keys of its objects as they were then; undefined where nothing derived does for any
   * question.
   */
  look(table: string): Promise<readonly string[] | undefined>
  /** What does for a statement of that scope; undefined where the archive has to be asked. */
  rowsFor(scope: Scope, sql: string, values: readonly BoundValue[]): Promise<Derivation | undefined>
  outlineOf(table: string): Promise<TableOutline | undefined>
  /** True where by now there is another than the one that failed, to be asked instead; else that is remarked. */
  giveUp(table: string, failed: Derivation | undefined, reason: string): Promise<boolean>
  /** What a reader of answers should know beside them. */
  readonly remarks: ReadonlySet<string>
  /** By table, what objects of the archive are gone, or others, since something was derived from them. */
  readonly lost: ReadonlyMap<string, readonly string[]>
}

/** What a statement is answered from instead of its table, of which its answer is the same. */
export interface Derivation {
  /** Counts up with what is published. */
  readonly generation: number
  /** A SELECT each: together they have the rows that the statement needs. */
  readonly rows: readonly string[]
  /** A SELECT of the rows of the answer that are known: the statement's own are added, where it has rows to read. */
  readonly known: string | undefined
  /** A Parquet file of such rows, from whose footer it is told how large images are. @default - there is no path */
  readonly sample?: string | undefined
  /** What of the files behind it is missing, where an answer would not show it; to be asked after the answer. */
  whyNotWhole(): Promise<string | undefined>
}

/** Something that answers SQL over an archive: DuckDB on a desk, Athena on AWS. */
export interface QueryEngine {
  /** Runs one statement; `values` are bound to its `?` in order. Throws `QueryError` with the engine's own words. */
  run(sql: string, values?: readonly BoundValue[], options?: RunOptions): Promise<Table>
  /** The same piece by piece, for answers larger than memory. @default - `streamAnswer` gives the whole as one piece */
  stream?(sql: string, values?: readonly BoundValue[], options?: RunOptions): AsyncIterable<Table>
  /** The rows of such an answer, some at a time, as `rowsOf` gives them. @default - they are read from `stream` */
  rows?(sql: string, values?: readonly BoundValue[], options?: RunOptions): AsyncIterable<Iterable<Row>>
  /** True where its rows are those that the archive had when it was opened. @default false */
  readonly isFixed?: boolean | undefined
  /** True where a statement and its values may be of any length, as those of Athena may not. @default false */
  readonly takesLongText?: boolean | undefined
  /** What answers, and over what. @default - receipts say that it is not known */
  describe?(): Promise<EngineDescription>
  /** The archive's objects, its facts among them. @default - no facts are known, so nothing is anchored */
  readonly facts?: Objects | undefined
  /** What is known of its archive's journal. @default - nothing */
  readonly journal?: KnownJournal | undefined
  /** What it knows of a table without asking. @default - nothing, so the table's rows are asked */
  outline?(table: string): Promise<TableOutline | undefined>
  /** The objects of a table that its answers are read from. @default - not known: what is in the archive by then */
  objects?(table: string): Promise<readonly ObjectEntry[]>
  /**
   * By object of a table, the items that have rows in it, by canonical key, each with the time of the first of them.
   * @default - nobody knows: any item may
   */
  itemsIn?(table: NamedTable, keys: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>>
  /** What a reader of its answers should know beside them, such as that a copy could not be used. @default - nothing */
  remarks?(): readonly string[]
  /**
   * What lies where a table's objects belong (of all tables, where none is said) and is not read, or not by every
   * question.
   * @default - nothing
   */
  unread?(table?: string): Promise<readonly string[]>
  close(): void
}

/** What whoever opens an archive knows of its journal, from elsewhere than the archive. */
export interface KnownJournal {
  /** The key that it is believed under. @default - none, which every answer says */
  readonly believed?: Verifier | undefined
  /** Who says that the archive is sealed, such as "the configuration": without a journal it is not whole. */
  readonly sealedBy?: string | undefined
  /** A checkpoint that was seen before, and where it is kept: the journal goes on from there. */
  readonly seen?: SeenCheckpoint | undefined
  /** A file for what was read of it, so that the next answer reads what is new. @default - all of it is read */
  readonly kept?: string | undefined
  /** Days after which the archive's bucket forgets what was refused. @default - those of a configuration without */
  readonly refusedDays?: number | undefined
  /** Where the archive lies, of which the engine reads a copy. @default - what the engine has for `facts` */
  readonly archive?: Objects | undefined
}

/** Where a journal once ended. */
export interface SeenCheckpoint {
  readonly size: number
  readonly root: Uint8Array
  /** For people. */
  readonly where: string
}

/** An engine and the archive that it reads, for receipts. */
export interface EngineDescription {
  readonly name: string
  readonly version: string | null
  /** `{ root }` of a folder; `{ catalog, database, workgroup }` on Athena, with `bucket` where it is known. */
  readonly archive: Readonly<Record<string, string>>
}

/** True where an engine has a copy of a table, from which it can answer. */
export async function hasCopy(engine: QueryEngine, table: string): Promise<boolean> {
  return (await engine.outline?.(table)) !== undefined
}

/** An answer piece by piece, where the engine can give it so, else as one piece. */
export async function* streamAnswer(
  engine: QueryEngine,
  sql: string,
  values: readonly BoundValue[] = [],
  options: RunOptions = {},
): AsyncGenerator<Table> {
  if (engine.stream === undefined) yield await engine.run(sql, values, options)
  else yield* engine.stream(sql, values, options)
}

/** A statement that an engine would not run, or did not run to its end. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  /** What to do about it, where the engine's words do not tell. */
  readonly hint: string | undefined

  constructor(message: string, options: { readonly cause?: unknown; readonly hint?: string | undefined } = {}) {
    super(message, options)
    this.hint = options.hint
  }
}

/** A statement that asks for a table of which nothing can be read; others can be asked. */
export class UnreadableTable extends QueryError {}

/** A statement that asks for a table which the engine does not have, whatever the archive keeps of it. */
export class NoSuchTable extends QueryError {}

/** The error of a statement that its signal ended. */
export function stoppedError(signal: AbortSignal): QueryError {
  return new QueryError('the statement was stopped', { cause: signal.reason })
}
