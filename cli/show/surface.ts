import type { Table } from 'apache-arrow'
import type { Receipt } from '../../queries/answers/receipt.js'
import type { PageContext } from '../../view/paper/html-file.js'
import type { ExitCode, Io } from '../io.js'
import type { ObjectsInTurn } from './json.js'

/** What a command found, in the shapes that formats are made of. A format asks for its own only. */
export type Surface = Shown & (WholeSurface | ListSurface)

interface Shown {
  /** As a person reads it on a terminal, how sure it is among it. */
  readonly page: (io: Io) => void | Promise<void>
  /** How sure it is, for a format that has no place for it: on standard error. */
  readonly summary?: (io: Io) => void | Promise<void>
  /** What to do next; a program that takes JSON decides itself. */
  readonly advice?: (io: Io) => void
}

interface WholeSurface {
  /** All of it as one JSON object. */
  readonly whole: () => object
  /** Parts of it that make lines. @default - one line has the whole */
  readonly rows?: () => ObjectsInTurn
}

interface ListSurface {
  readonly whole?: undefined
  /** One by one. Asked for once, and never kept: an answer may be larger than memory. */
  readonly rows: () => ObjectsInTurn
  /** What stands beside the `rows` in JSON, asked for after the last of them. @default - they are a bare list */
  readonly beside?: () => Promise<object>
}

/** The answer to a question, which can be a file, too. */
export type AnswerSurface = Surface & {
  /** As columns. */
  readonly table: () => Promise<Table>
  /** As a page for a browser. `table` is what it has in place of the columns. */
  readonly web: () => Promise<PageContext & { readonly table?: Table }>
  /** Items as lines of an export. @default - it has none */
  readonly images?: () => Iterable<string> | AsyncIterable<string>
  /** The receipt, undefined where none is wanted; made when first asked for. */
  readonly receipt: () => Promise<Receipt | undefined>
  /** Tells on standard error what else there is to know of it, and how the command ends. */
  readonly end: (io: Io) => ExitCode | Promise<ExitCode>
}

/** What was found in one table of several that a command tells of, each in its turn. */
export interface TableSurface extends Shown {
  /** What its rows are called in JSON. */
  readonly list: string
  /** True where an empty line stands between two tables on a terminal. */
  readonly isApart: boolean
  readonly rows: () => AsyncIterable<object>
  /** What stands beside the rows in JSON, asked for after the last of them. */
  readonly beside: () => object
  readonly end: () => ExitCode
}
