import type { BoundValue } from '../engines/engine.js'
import type { Confidence } from '../verdict/findings.js'
import type { ItemHistory } from '../verdict/fold-history.js'
import type { TableVerdict } from '../verdict/table-verdict.js'

/** What was asked of an engine, and when. */
export interface Asked {
  /** The saved query's name; undefined for SQL of one's own. */
  readonly query: string | undefined
  /** The DynamoDB table that a saved query was asked of. */
  readonly table: string | undefined
  /** The saved query's parameters by name, defaults filled in; for SQL of one's own none. */
  readonly parameters: ReadonlyMap<string, BoundValue>
  readonly sql: string
  /** The parameter that each `?` stands for. */
  readonly placeholders: readonly string[]
  /** The value of each `?`. */
  readonly values: readonly BoundValue[]
  readonly began: Date
  readonly milliseconds: number
}

/** How far an answer can be believed. */
export interface AnswerVerdict {
  readonly confidence: Confidence
  /** True where it may lack something, or hold something wrong. */
  readonly isDoubtful: boolean
  /** The verdict about each table that it rests on; none where the answer is about one item. */
  readonly tables: readonly TableVerdict[]
  /** The verdict about the one item that it is about. */
  readonly item: ItemHistory | undefined
}
