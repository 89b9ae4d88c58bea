import type { Table } from 'apache-arrow'
import { QueryError } from '../../queries/engine.js'
import { rowsOf } from '../../queries/rows.js'
import { type Command, CommandError, EXIT } from '../io.js'
import { FORMAT_OPTION, formatOf, printRows } from '../print.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, type Workspace, withWorkspace } from '../workspace.js'

/** Runs SQL over the archive: one view a table, its name in lower case. */
export const sql: Command = {
  usage: 'sql <statement>',
  summary: 'runs SQL over the archive; each table is a view, its name in lower case',
  options: [ARCHIVE_OPTION, CONFIG_OPTION, FORMAT_OPTION],
  example: 'itemtrail sql "select actor, count(*) as changes from orders group by actor order by changes desc"',
  run: (args, options, io) =>
    withWorkspace(options, async workspace => {
      const format = formatOf(options)
      const answer = await runStatement(workspace, args[0] as string)
      printRows(
        answer.schema.fields.map(field => field.name),
        rowsOf(answer),
        format,
        io,
      )
      return EXIT.done
    }),
}

/** What is wrong with the statement is the user's to mend; what is wrong with the archive is not. */
async function runStatement({ engine }: Workspace, statement: string): Promise<Table> {
  try {
    return await engine.run(statement)
  } catch (error) {
    if (!(error instanceof QueryError) || /^(IO|Internal|INTERNAL|Out of Memory) Error|parquet/i.test(error.message))
      throw error
    throw new CommandError(`statement cannot be run: ${error.message}`, EXIT.usage)
  }
}
