import type { Table } from 'apache-arrow'
import { askQuery } from '../../queries/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { rowsOf } from '../../queries/rows.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { isDoubtful } from '../confidence.js'
import { findItemKey } from '../find-item.js'
import { instantOf } from '../instant.js'
import { type Command, CommandError, EXIT, type Options } from '../io.js'
import { nearest } from '../nearest.js'
import { FORMAT_OPTION, formatOf, printRows } from '../print.js'
import { tellRemarks } from '../remarks.js'
import { wrap } from '../text.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findTable, type Workspace, withWorkspace } from '../workspace.js'

/** Asks a saved query. */
export const query: Command = {
  usage: 'query <name> [table]',
  summary: 'asks a saved query of a table',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--param <name=value>', 'a parameter; may be given several times', []],
    FORMAT_OPTION,
  ],
  example: 'itemtrail query deletions Orders --param from=2026-11-01T00:00:00Z',
  run: (args, options, io) =>
    withWorkspace(options, async workspace => {
      const format = formatOf(options)
      const saved = findQuery(args[0] as string, args[1])
      const table = findTable(workspace, args[1] ?? onlyTable(workspace))
      const parameters = await readParameters(saved, table, workspace, options)
      const answer = await askQuery(workspace.engine, saved, table, parameters)
      tellRemarks(workspace.engine, io)
      const hidden = format === 'table' ? saved.columns.filter(column => column.detail).map(column => column.name) : []
      const names = saved.columns.map(column => column.name).filter(name => !hidden.includes(name))
      if (answer.numRows === 0 && format === 'table') {
        io.out(`${wrap(saved.empty, io.columns)}\n`)
        return EXIT.done
      }
      printRows(names, rowsOf(answer), format, io)
      if (hidden.length > 0) io.err(`left out here: ${hidden.join(', ')}; --format json has them\n`)
      return hasDoubt(answer) ? EXIT.findings : EXIT.done
    }),
}

/** True where the answer finds that something is missing or contradictory, as `continuity` does. */
function hasDoubt(answer: Table): boolean {
  const findings = answer.getChild('finding')
  return findings !== null && [...findings].some(isDoubtful)
}

function findQuery(name: string, second: string | undefined): SavedQuery {
  const saved = SAVED_QUERIES.get(name)
  if (saved !== undefined) return saved
  if (second !== undefined && SAVED_QUERIES.has(second))
    throw new CommandError(
      `query ${JSON.stringify(name)} is unknown, the query comes before the table`,
      EXIT.usage,
      `did you mean: itemtrail query ${second} ${name}`,
    )
  const near = nearest(name, [...SAVED_QUERIES.keys()])
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'itemtrail queries lists them'
  throw new CommandError(`query ${JSON.stringify(name)} is unknown`, EXIT.usage, hint)
}

function onlyTable({ tables }: Workspace): string {
  if (tables.length === 1) return tables[0] as string
  if (tables.length === 0)
    throw new CommandError('the archive has no table yet', EXIT.usage, 'itemtrail ingest FILE adds one')
  throw new CommandError(`table is missing, the archive has ${tables.length}: ${tables.join(', ')}`)
}

/** `--param name=value`; a parameter that is an item's key is typed as in `history`. */
async function readParameters(
  saved: SavedQuery,
  table: TableConfiguration,
  workspace: Workspace,
  options: Options,
): Promise<Readonly<Record<string, string>>> {
  const parameters: Record<string, string> = {}
  for (const text of (options.param ?? []) as readonly string[]) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (name === undefined || value === undefined)
      throw new CommandError(`--param ${JSON.stringify(text)} is not name=value`)
    const type = saved.parameters.find(parameter => parameter.name === name)?.type
    if (type === 'item') parameters[name] = await findItemKey(workspace, table, value)
    else if (type === 'instant') parameters[name] = formatInstant(instantOf(value, `parameter ${name}`).us, 6)
    else parameters[name] = value
  }
  return parameters
}
