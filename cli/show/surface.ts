import type { Table } from 'apache-arrow'
import type { Receipt } from '../../queries/answers/receipt.js'
import type { PageContext } from '../../view/paper/html-file.js'
import type { ExitCode, Io } from '../io.js'
import type { ObjectsInTurn } from './json-text.js'

/** What a command found, in the shapes that formats are made of. A format asks for its own only. */
export type Surface = Shown & (WholeSurface | ListSurface)

interface Shown {
  /** As a person reads it on a terminal, how sure it is among it. */
  readonly page: (io: Io) => unknown
  /** How sure it is, for a format that has no place for it: on standard error. */
  readonly summary?: (io: Io) => void | Promise<void>
  /** What to do next; a program that takes JSON decides itself. */
  readonly advice?: (io: Io) => void
}

interface WholeSurface {
  /** All of it as one JSON object; null where there is none. */
  readonly whole: () => object | null
  /** Parts of it that make lines. @default - one line has the whole */
  readonly rows?: () => ObjectsInTurn
  readonly about?: undefined
}

interface ListSurface {
  readonly whole?: undefined
  /** One by one. Asked for once, and never kept: an answer may be larger than memory. */
  readonly rows: () => ObjectsInTurn
  /** What stands beside the `rows` in JSON, asked for after the last of them. @default - they are a bare list */
  readonly beside?: () => object | Promise<object>
  /** What the rows are called there. @default rows */
  readonly list?: string
  /** What they are of: in JSON before them, in lines in each. @default - they say it themselves */
  readonly about?: object
}

/** The answer to a question, which can be a file, too. */
export type AnswerSurface = Surface & {
  /** As columns. */
  readonly table: () => Promise<Table>
  /** As a page for a browser. `table` makes what it has in place of the columns. */
  readonly web: () => Promise<PageContext & { readonly table?: () => Promise<Table> }>
  /** Items as lines of an export. @default - it has none */
  readonly images?: () => Iterable<string> | AsyncIterable<string>
  /** The receipt, undefined where none is wanted; made when first asked for. */
  readonly receipt: () => Promise<Receipt | undefined>
  /** Tells on standard error what else there is to know of it, and how the command ends. */
  readonly end: (io: Io) => ExitCode | Promise<ExitCode>
}

/** What was found in one table of several that a command tells of, each in its turn. */
export type TableSurface = Shown &
  ListSurface & {
    /** True where an empty line stands between two tables on a terminal. */
    readonly isApart: boolean
    readonly end: () => ExitCode
  }

/** What a format that has rows only leaves out: how sure it is, and what to do next. */
export async function tellBeside({ summary, advice }: Pick<Shown, 'summary' | 'advice'>, io: Io): Promise<void> {
  await summary?.(io)
  advice?.(io)
}
