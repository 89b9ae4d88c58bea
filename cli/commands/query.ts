import type { Table } from 'apache-arrow'
import { nearest } from '../../config/nearest.js'
import type { Unsealing } from '../../erasure/reveal.js'
import { revealRows } from '../../erasure/revealed.js'
import type { Answer } from '../../queries/answers/answer.js'
import type { AnswerVerdict } from '../../queries/answers/asked.js'
import { withoutZeros } from '../../queries/answers/plain-text.js'
import { unseenSealed } from '../../queries/answers/sealed-places.js'
import { explainNothing } from '../../queries/answers/why-nothing.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import type { Row } from '../../queries/engines/rows.js'
import { nameSome } from '../../queries/name-some.js'
import type { QueryName } from '../../queries/query-types.js'
import { isDoubtful } from '../../queries/verdict/findings.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import type { PageContext } from '../../view/paper/html-file.js'
import { askingCalls, CLOUDTRAIL_OPTION } from '../ask/calls.js'
import { isNamedParameter, PARAMETER_OPTIONS, readParameters } from '../ask/query-parameters.js'
import {
  ANSWER_OPTIONS,
  type AnswerJudgement,
  type Asking,
  askArchive,
  judgedParts,
  judgementOf,
  lazily,
  PLACE_OPTIONS,
  VERDICT_OPTION,
} from '../ask/question.js'
import { type Opening, openingOf, REVEAL_OPTION, revealTable, textsIn } from '../ask/revealing.js'
import { findWorkspaceTable, type Workspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type Io } from '../io.js'
import { isOnAws } from '../show/archive-name.js'
import { tellAlteredImages } from '../show/confidence.js'
import { showItemKey } from '../show/item-key.js'
import type { AnswerSurface } from '../show/surface.js'
import { printRows } from '../show/table.js'
import { emptyOf, exitOfVerdict, pageVerdict, printVerdict } from '../show/table-verdict.js'
import { printable, wrap } from '../show/text.js'
import { wordsIn } from '../show/zone.js'
import { helpOfQuery, speaksOf } from './queries.js'

/** Asks a saved query. */
export const query: Command = {
  usage: 'query <name> [table] [value...]',
  summary: 'asks a saved query of a table; values are its parameters in their order',
  options: [
    ...PLACE_OPTIONS,
    ...PARAMETER_OPTIONS,
    CLOUDTRAIL_OPTION,
    REVEAL_OPTION,
    ...ANSWER_OPTIONS,
    VERDICT_OPTION,
  ],
  example: 'itemtrail query deletions Orders --from 2026-11-01',
  moreHelp: ([name = '']) => helpOfQuery(SAVED_QUERIES.get(name)),
  run: (args, options, io) => askArchive(options, io, asking => answerSaved(args, asking)),
}

async function answerSaved([name, ...rest]: readonly string[], asking: Asking): Promise<AnswerSurface> {
  const { workspace, options } = asking
  const saved = findQuery(name as string, rest[0])
  const isTableNamed = rest[0] !== undefined && !isNamedParameter(saved, rest[0])
  const [tableName, values] = isTableNamed ? [rest[0], rest.slice(1)] : [undefined, rest]
  const table = findWorkspaceTable(workspace, tableName ?? onlyTable(workspace))
  const parameters = await readParameters(saved, table, values, workspace, options)
  const ask = () => workspace.archive.run(saved.name as QueryName, table.table, parameters)
  const answer: Answer = saved.readsCalls ? await askingCalls(workspace.root, options, ask) : await ask()
  const judgement = judgementOf(answer.asked, asking, async () => answer)
  const opening = await openingOf(workspace, [table], options)
  await opening.ready(textsIn(answer.table))
  const unseen = await unseenSealed(workspace.engine, table, answer.asked)
  const empty = lazily(async () =>
    describeNothing(saved, answer, table, await judgement.verdict(), { workspace, unseen }),
  )
  return surfaceOf(saved, answer, judgement, empty, opening, { root: workspace.root, unseen })
}

function surfaceOf(
  saved: SavedQuery,
  answer: Answer,
  judgement: AnswerJudgement,
  empty: () => Promise<string>,
  opening: Opening,
  { root, unseen }: { readonly root: string; readonly unseen: string | undefined },
): AnswerSurface {
  const { verdict } = judgement
  const { given } = opening
  const tell = async (write: (text: string) => void, io: Io) => {
    const text = await empty()
    if (text !== '') write(`${wrap(wordsIn(printable(text), io.zone), io.columns)}\n`)
    printVerdict(await verdict(), root, write, io)
  }
  return {
    page: async io => {
      printTableRows(saved, answer, given, io)
      await tell(io.out, io)
    },
    ...judgedParts(judgement, root),
    rows: () => revealRows(answer.rows(), given),
    summary: io => tell(io.err, { ...io, zone: undefined }),
    table: () => revealTable(answer.table, opening),
    web: async () => ({
      ...describePage(saved, answer, unseen),
      empty: await empty(),
      confidence: pageVerdict(await verdict(), root),
    }),
    end: async io => {
      if (unseen !== undefined) io.err(`${wrap(printable(unseen), io.columns)}\n`)
      for (const remark of answer.remarks) io.err(`${wrap(printable(remark), io.columns)}\n`)
      const isAltered = tellAlteredImages(answer, io)
      const isDoubted = isAltered || answer.remarks.length > 0 || hasDoubt(answer.table)
      return isDoubted ? EXIT.findings : exitOfVerdict(await verdict())
    },
  }
}

function printTableRows(saved: SavedQuery, answer: Answer, unseal: Unsealing, io: Io): void {
  if (answer.length === 0) return
  const hidden = detailsOf(saved)
  const names = saved.columns.map(column => column.name).filter(name => !hidden.includes(name))
  printRows(names, shortened(saved, revealRows(answer.rows(), unseal)), io)
  if (hidden.length > 0) io.err(`left out here: ${hidden.join(', ')}; --format json has them\n`)
}

/** Decimals without the zeros of their type, which only fill a line. */
function* shortened({ columns }: SavedQuery, rows: Iterable<Row>): Generator<Row> {
  const decimals = columns.filter(({ type }) => type.startsWith('decimal')).map(({ name }) => name)
  const short = (row: Row) =>
    decimals.flatMap(name => (typeof row[name] === 'string' ? [[name, withoutZeros(row[name])]] : []))
  for (const row of rows) yield { ...row, ...Object.fromEntries(short(row)) }
}

/** What an answer without rows means, and what it was empty of; nothing of one that has any. */
async function describeNothing(
  { empty }: SavedQuery,
  { asked, length }: Answer,
  table: TableConfiguration,
  verdict: AnswerVerdict | undefined,
  { workspace: { engine, root }, unseen }: { readonly workspace: Workspace; readonly unseen: string | undefined },
): Promise<string> {
  if (length > 0) return ''
  const of = verdict === undefined || verdict.item !== undefined ? '' : `, ${emptyOf(verdict)}`
  const why = isOnAws(root) ? undefined : await explainNothing(engine, table, asked)
  return `${unseen === undefined ? '' : 'in clear, '}${empty}${of}${why === undefined ? '' : `: ${why}`}`
}

/** Columns that only fill a line for who reads. */
function detailsOf({ columns }: SavedQuery): readonly string[] {
  return columns.filter(({ detail }) => detail).map(({ name }) => name)
}

function describePage(saved: SavedQuery, { asked }: Answer, unseen: string | undefined): PageContext {
  const { table = '', parameters, sql } = asked
  const shown = [...parameters].map(([name, value]) => [
    name,
    name === 'item_key' ? showItemKey(`${value}`) : `${value}`,
  ])
  const told = unseen === undefined ? {} : { 'not looked into': unseen }
  return {
    question: saved.question,
    parameters: { table, ...Object.fromEntries(shown), ...told },
    sql,
    details: detailsOf(saved),
  }
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
  const speaking = [...SAVED_QUERIES.values()].filter(query => speaksOf(query, [name])).map(query => query.name)
  const found =
    speaking.length > 0 ? `itemtrail queries ${name} finds ${nameSome(speaking, 3)}` : 'itemtrail queries lists them'
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : found
  throw new CommandError(`query ${JSON.stringify(name)} is unknown`, EXIT.usage, hint)
}

function onlyTable({ tables }: Workspace): string {
  if (tables.length === 1) return tables[0] as string
  if (tables.length === 0)
    throw new CommandError('the archive has no table yet', EXIT.usage, 'itemtrail ingest FILE adds one')
  throw new CommandError(`table is missing, the archive has ${tables.length}: ${tables.join(', ')}`)
}
