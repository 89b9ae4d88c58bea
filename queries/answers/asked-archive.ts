import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { BoundValue, QueryEngine } from '../engines/engine.js'
import type { JudgeOptions } from '../verdict/table-verdict.js'
import type { Answer } from './answer.js'
import type { AnswerVerdict, Asked } from './asked.js'

/** An archive as far as a verdict needs it. */
export interface JudgedArchive {
  readonly engine: QueryEngine
  tables(): readonly string[]
  table(name: string): TableConfiguration
}

/** An archive as far as receipts and second runs need it. */
export interface AskedArchive extends JudgedArchive {
  /** How far an answer to what was asked can be believed; undefined where that names no table. */
  verdict(asked: QuestionAsked, options?: JudgeOptions): Promise<AnswerVerdict | undefined>
  /** Runs SQL, its values bound to its `?` in order. */
  sql(text: string, values: readonly BoundValue[]): Promise<Answer>
}

/** What was asked, as far as a verdict needs it. */
export type QuestionAsked = Pick<Asked, 'query' | 'table' | 'parameters' | 'sql'>
