import type { Table } from 'apache-arrow'
import type { Answer } from '../../queries/answers/answer.js'
import { answerQuery } from '../../queries/answers/ask.js'
import type { AnswerVerdict } from '../../queries/answers/asked.js'
import { withBaselineRemarks } from '../../queries/answers/baseline-remarks.js'
import type { PageContext } from '../../queries/answers/html-page.js'
import { explainNothing } from '../../queries/answers/why-nothing.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { isDoubtful } from '../../queries/verdict/findings.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { findItemKey } from '../find-item.js'
import { instantOf } from '../instant.js'
import { type Command, CommandError, EXIT, type Io, type Options } from '../io.js'
import { showItemKey } from '../item-key.js'
import { nearest } from '../nearest.js'
import { ANSWER_OPTIONS, askArchive, judgeFor, PLACE_OPTIONS, QUESTION_FORMATS, VERDICT_OPTION } from '../question.js'
import { tellRemarks } from '../remarks.js'
import { isFileFormat, pageFooter, printFile } from '../show/answer-file.js'
import { tellAlteredImages } from '../show/confidence.js'
import { printObjects, printRows } from '../show/print.js'
import { emptyOf, pageVerdict, printJudged, printVerdict } from '../show/table-verdict.js'
import { printable, wrap } from '../show/text.js'
import { findTable, isOnAws, type Workspace } from '../workspace.js'

/** Asks a saved query. */
export const query: Command = {
  usage: 'query <name> [table]',
  summary: 'asks a saved query of a table',
  options: [
    ...PLACE_OPTIONS,
    ['--param <name=value>', 'a parameter; may be given several times', []],
    ...ANSWER_OPTIONS,
    VERDICT_OPTION,
  ],
  example: 'itemtrail query deletions Orders --param from=2026-11-01T00:00:00Z',
  run: (args, options, terminal) =>
    askArchive(options, terminal, QUESTION_FORMATS, async (workspace, format, io, receipts) => {
      const saved = findQuery(args[0] as string, args[1])
      const table = findTable(workspace, args[1] ?? onlyTable(workspace))
      const parameters = await readParameters(saved, table, workspace, options)
      const asked = await answerQuery(workspace.engine, saved, table, parameters)
      const answer = await withBaselineRemarks(workspace.engine, table, asked)
      tellRemarks(workspace.engine, io)
      if (format === 'table') printTableRows(saved, answer, io)
      const verdict = await judgeFor(answer.asked, workspace, options, io)
      const receipt = await receipts.keep(answer, workspace, verdict ?? null)
      const empty = answer.length === 0 ? await describeNothing(saved, answer, table, verdict, workspace) : ''
      if (format === 'table') {
        if (empty !== '') io.out(`${wrap(printable(empty), io.columns)}\n`)
        printVerdict(verdict, workspace.root, io.out, io)
      } else if (isFileFormat(format)) {
        const confidence = pageVerdict(verdict, workspace.root)
        const page = { ...describePage(saved, answer), empty, confidence, footer: await pageFooter(receipt) }
        await printFile(answer.table, format, page, io)
      } else if (format === 'json') printJudged(answer.rows(), verdict, io)
      else printObjects(answer.rows(), format, io)
      if (format !== 'table' && format !== 'json') {
        if (empty !== '' && format !== 'html') io.err(`${wrap(printable(empty), io.columns)}\n`)
        printVerdict(verdict, workspace.root, io.err, io)
      }
      for (const remark of answer.remarks) io.err(`${wrap(printable(remark), io.columns)}\n`)
      const altered = tellAlteredImages(answer, io)
      return altered || verdict?.isDoubtful || answer.remarks.length > 0 || hasDoubt(answer.table)
        ? EXIT.findings
        : EXIT.done
    }),
}

function printTableRows(saved: SavedQuery, answer: Answer, io: Io): void {
  if (answer.length === 0) return
  const hidden = saved.columns.filter(column => column.detail).map(column => column.name)
  const names = saved.columns.map(column => column.name).filter(name => !hidden.includes(name))
  printRows(names, answer.rows(), 'table', io)
  if (hidden.length > 0) io.err(`left out here: ${hidden.join(', ')}; --format json has them\n`)
}

/** What an answer without rows means, and what it was empty of. */
async function describeNothing(
  { empty }: SavedQuery,
  { asked }: Answer,
  table: TableConfiguration,
  verdict: AnswerVerdict | undefined,
  { engine, root }: Workspace,
): Promise<string> {
  const of = verdict === undefined || verdict.item !== undefined ? '' : `, ${emptyOf(verdict)}`
  const why = isOnAws(root) ? undefined : await explainNothing(engine, table, asked)
  return `${empty}${of}${why === undefined ? '' : `: ${why}`}`
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
