import type { Answer } from '../../queries/answer.js'
import { QueryError, UnreadableTable } from '../../queries/engine.js'
import { RefusedStatement } from '../../queries/foreign-statement.js'
import { isFileFormat, pageFooter, printFile } from '../answer-file.js'
import { type Command, CommandError, EXIT, Interruption } from '../io.js'
import { printRows } from '../print.js'
import { ANSWER_OPTIONS, askArchive, PLACE_OPTIONS, QUESTION_FORMATS } from '../question.js'
import { isOnAws, type Workspace } from '../workspace.js'

/** Runs SQL over the archive: one view a table, its name in lower case. */
export const sql: Command = {
  usage: 'sql <statement>',
  summary: 'runs SQL over the archive; each table is a view, its name in lower case',
  options: [
    ...PLACE_OPTIONS,
    ['--files', 'runs any statement, with your rights: on other files and settings, too'],
    ...ANSWER_OPTIONS,
  ],
  example: 'itemtrail sql "select actor, count(*) as changes from orders group by actor order by changes desc"',
  run: (args, options, terminal) =>
    askArchive(options, terminal, QUESTION_FORMATS, async (workspace, format, io, receipts) => {
      const statement = args[0] as string
      // DuckDB's client says "Error in native callback"
      if (/^[\s;]*$/.test(statement)) throw new CommandError('statement is empty, expected SQL')
      if (options.files === true && isOnAws(workspace.root))
        throw new CommandError('--files is for an archive in a folder')
      if (options.files === true) io.err('the statement may read and write files, with your rights\n')
      const answer = await runStatement(workspace, statement)
      const receipt = await receipts.keep(answer, workspace)
      if (isFileFormat(format)) {
        const page = { question: 'SQL over the archive', sql: statement, footer: await pageFooter(receipt) }
        await printFile(answer.table, format, page, io)
      } else printRows(answer.columns, answer.rows(), format, io)
      return EXIT.done
    }),
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
