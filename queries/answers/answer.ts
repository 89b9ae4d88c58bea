import type { Table } from 'apache-arrow'
import { type Row, rowsOf } from '../engines/rows.js'
import { countAlteredImages } from '../verdict/alteration.js'
import type { JudgeOptions } from '../verdict/table-verdict.js'
import type { AnswerVerdict, Asked } from './asked.js'

/** The answer to a statement: an Arrow table, and the same as rows. */
export class Answer<R extends Row = Row> implements AsyncIterable<R>, Iterable<R> {
  constructor(
    /** Every column with its type; for whoever goes on with Arrow. */
    readonly table: Table,
    readonly asked: Asked,
    /** What else a reader should know, for people: where it is not empty, the answer is doubtful. */
    readonly remarks: readonly string[] = [],
    /** @default - nobody can judge it */
    private readonly judge?: (options?: JudgeOptions) => Promise<AnswerVerdict | undefined>,
    /** What becomes of rows that a program is given; the table stays what is stored. @default - nothing */
    private readonly shown: (rows: Iterable<Row>) => IterableIterator<Row> = rows =>
      rows[Symbol.iterator]() as IterableIterator<Row>,
  ) {}

  /**
   * How far it can be believed, asked when this is called; undefined where it rests on no table of an `OpenArchive`.
   */
  async verdict(options?: JudgeOptions): Promise<AnswerVerdict | undefined> {
    return this.judge?.(options)
  }

  /** The columns' names, in order. */
  get columns(): readonly string[] {
    return this.table.schema.fields.map(field => field.name)
  }

  /** How many rows there are. */
  get length(): number {
    return this.table.numRows
  }

  /** How many of its images are not what the hashes beside them say. */
  alteredImages(): number {
    return countAlteredImages(this.table)
  }

  /** The rows one by one: 64-bit integers are bigint, decimals are text, times are ISO 8601 in UTC. */
  rows(): IterableIterator<R> {
    return this.shown(rowsOf(this.table)) as IterableIterator<R>
  }

  [Symbol.iterator](): IterableIterator<R> {
    return this.rows()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R> {
    yield* this.rows()
  }
}
