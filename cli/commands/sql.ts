import { revealRows } from '../../erasure/revealed.js'
import type { Answer } from '../../queries/answers/answer.js'
import { QueryError, UnreadableTable } from '../../queries/engines/engine.js'
import { RefusedStatement } from '../../queries/engines/foreign-statement.js'
import { tellRepeats } from '../../queries/repeats.js'
import {
  ANSWER_OPTIONS,
  type Asking,
  askArchive,
  judgedParts,
  judgementOf,
  PLACE_OPTIONS,
  VERDICT_OPTION,
} from '../ask/question.js'
import { openingOf, REVEAL_OPTION, revealTable, textsIn } from '../ask/revealing.js'
import { statementText } from '../ask/statement-text.js'
import type { Workspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, Interruption, type Io } from '../io.js'
import { isOnAws } from '../show/archive-name.js'
import { tellAlteredImages } from '../show/confidence.js'
import type { AnswerSurface } from '../show/surface.js'
import { printRows } from '../show/table.js'
import { exitOfVerdict, pageVerdict, printVerdict } from '../show/table-verdict.js'
import { printable } from '../show/text.js'

/** Runs SQL over the archive: of each table a view that counts each change once, and one of the rows as delivered. */
export const sql: Command = {
  usage: 'sql [statement]',
  summary: 'runs SQL over the archive; a table’s name, in lower case, counts each change once',
  options: [
    ...PLACE_OPTIONS,
    ['-f, --statement <file>', 'reads the statement from a file; - is standard input'],
    ['--files', 'runs any statement, with your rights: on other files and settings, too'],
    REVEAL_OPTION,
    ...ANSWER_OPTIONS,
    VERDICT_OPTION,
  ],
  example: 'itemtrail sql "select actor, count(*) as changes from orders group by actor order by changes desc"',
  run: async ([typed], options, io) => {
    const statement = await statementText(typed, options, io)
    return askArchive(options, io, asking => answerStatement(statement, asking))
  },
}

async function answerStatement(statement: string, asking: Asking): Promise<AnswerSurface> {
  const { workspace, options, io } = asking
  const { root } = workspace
  // DuckDB's client says "Error in native callback"
  if (/^[\s;]*$/.test(statement)) throw new CommandError('statement is empty, expected SQL')
  if (options.files === true) io.err('the statement may read and write files, with your rights\n')
  const answer = await runStatement(workspace, statement)
  // on AWS to count them would read every day once more
  if (!isOnAws(root)) await tellRepeated(workspace, statement, io)
  const judgement = judgementOf(answer.asked, asking, async () => answer)
  const { verdict } = judgement
  const tables = workspace.tables.map(table => workspace.archive.table(table))
  const opening = await openingOf(workspace, tables, options)
  const { given } = opening
  await opening.ready(textsIn(answer.table))
  return {
    page: async io => {
      printRows(answer.columns, revealRows(answer.rows(), given), io)
      printVerdict(await verdict(), root, io.out, io)
    },
    rows: () => revealRows(answer.rows(), given),
    table: () => revealTable(answer.table, opening),
    web: async () => {
      const confidence = pageVerdict(await verdict(), root)
      return { question: 'SQL over the archive', sql: statement, isOwnSql: true, confidence }
    },
    ...judgedParts(judgement, root),
    end: async io => {
      const isAltered = tellAlteredImages(answer, io)
      return isAltered ? EXIT.findings : exitOfVerdict(await verdict())
    },
  }
}

async function tellRepeated({ archive, engine, tables }: Workspace, statement: string, io: Io): Promise<void> {
  const known = tables.map(table => archive.table(table))
  for (const text of await tellRepeats(engine, statement, known)) io.err(`${printable(text)}\n`)
}

/** What is wrong with the statement is the user's to mend; what is wrong with the archive is not. */
async function runStatement({ archive, root }: Workspace, statement: string): Promise<Answer> {
  try {
    return await archive.sql(statement)
  } catch (error) {
    if (!(error instanceof QueryError) || error instanceof UnreadableTable || !isMistake(error, isOnAws(root)))
      throw error
    throw new CommandError(`statement cannot be run: ${error.message}`, EXIT.usage, error.hint)
  }
}

/** Athena says in which line a statement is wrong, or that a value in it is; all else is not the statement's. */
const ATHENA_MISTAKE = /\bline \d+:\d+|\b(DIVISION_BY_ZERO|INVALID_\w+_ARGUMENT|NUMERIC_VALUE_OUT_OF_RANGE)\b/

function isMistake(error: QueryError, onAws: boolean): boolean {
  const { message, cause } = error
  if (cause instanceof Interruption) return false
  if (error instanceof RefusedStatement) return true
  return onAws ? ATHENA_MISTAKE.test(message) : !/^(IO|Internal|INTERNAL|Out of Memory) Error|parquet/i.test(message)
}
