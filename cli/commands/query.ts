import type { Table } from 'apache-arrow'
import type { Answer } from '../../queries/answer.js'
import { answerQuery } from '../../queries/ask.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { isDoubtful } from '../../queries/findings.js'
import type { PageContext } from '../../queries/html-page.js'
import { explainNothing } from '../../queries/why-nothing.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { isFileFormat, pageFooter, printFile } from '../answer-file.js'
import { findItemKey } from '../find-item.js'
import { instantOf } from '../instant.js'
import { type Command, CommandError, EXIT, type Io, type Options } from '../io.js'
import { showItemKey } from '../item-key.js'
import { nearest } from '../nearest.js'
import { printRows, type TextFormat } from '../print.js'
import { ANSWER_OPTIONS, askArchive, PLACE_OPTIONS, QUESTION_FORMATS } from '../question.js'
import { tellRemarks } from '../remarks.js'
import { printable, wrap } from '../text.js'
import { findTable, isOnAws, type Workspace } from '../workspace.js'

/** Asks a saved query. */
export const query: Command = {
  usage: 'query <name> [table]',
  summary: 'asks a saved query of a table',
  options: [
    ...PLACE_OPTIONS,
    ['--param <name=value>', 'a parameter; may be given several times', []],
    ...ANSWER_OPTIONS,
  ],
  example: 'itemtrail query deletions Orders --param from=2026-11-01T00:00:00Z',
  run: (args, options, terminal) =>
    askArchive(options, terminal, QUESTION_FORMATS, async (workspace, format, io, receipts) => {
      const saved = findQuery(args[0] as string, args[1])
      const table = findTable(workspace, args[1] ?? onlyTable(workspace))
      const parameters = await readParameters(saved, table, workspace, options)
      const answer = await answerQuery(workspace.engine, saved, table, parameters)
      tellRemarks(workspace.engine, io)
      const receipt = await receipts.keep(answer, workspace)
      const isCheap = !isOnAws(workspace.root)
      const why =
        answer.length === 0 && isCheap ? await explainNothing(workspace.engine, table, answer.asked) : undefined
      if (isFileFormat(format)) {
        const empty = why === undefined ? saved.empty : `${saved.empty}: ${why}`
        const page = { ...describePage(saved, answer), empty, footer: await pageFooter(receipt) }
        await printFile(answer.table, format, page, io)
      } else printAnswer(saved, answer, why, format, io)
      return hasDoubt(answer.table) ? EXIT.findings : EXIT.done
    }),
}

function printAnswer(saved: SavedQuery, answer: Answer, why: string | undefined, format: TextFormat, io: Io): void {
  const isEmpty = answer.length === 0
  const hidden = format === 'table' ? saved.columns.filter(column => column.detail).map(column => column.name) : []
  const names = saved.columns.map(column => column.name).filter(name => !hidden.includes(name))
  if (isEmpty && format === 'table') io.out(`${wrap(saved.empty, io.columns)}\n`)
  else printRows(names, answer.rows(), format, io)
  if (why !== undefined) io.err(`${wrap(printable(why), io.columns)}\n`)
  if (hidden.length > 0 && !isEmpty) io.err(`left out here: ${hidden.join(', ')}; --format json has them\n`)
}

function describePage({ question }: SavedQuery, { asked }: Answer): PageContext {
  const { table = '', parameters, sql } = asked
  const shown = [...parameters].map(([name, value]) => [
    name,
    name === 'item_key' ? showItemKey(`${value}`) : `${value}`,
  ])
  return { question, parameters: { table, ...Object.fromEntries(shown) }, sql }
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
