import type { OpenArchive } from '../../library/archive.js'
import type { Answer } from '../../queries/answers/answer.js'
import { describeVerdict } from '../../queries/answers/answer-verdict.js'
import type { AnswerVerdict } from '../../queries/answers/asked.js'
import type { Receipt, WrittenFile } from '../../queries/answers/receipt.js'
import { hasCopy } from '../../queries/engines/engine.js'
import type { QueryName } from '../../queries/query-types.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { CommandError, EXIT, type ExitCode, goesToTerminal, type Io, type Options } from '../io.js'
import { answerFormatOf, formatOption, type Had } from '../show/choose-format.js'
import { checkTarget, OUTPUT_OPTIONS, withOutput } from '../show/output-file.js'
import type { OutputFormat } from '../show/output-format.js'
import { PAGER_OPTION, paging } from '../show/paging.js'
import type { AnswerSurface } from '../show/surface.js'
import { printVerdict } from '../show/table-verdict.js'
import { ENGINE_OPTIONS } from './engine-choice.js'
import { bundleAnswer, checkEvidence, EVIDENCE_OPTIONS } from './evidence-folder.js'
import { MEMORY_OPTION } from './memory-option.js'
import { RECEIPT_OPTION, ReceiptFile } from './receipt-file.js'
import { tellRemarks, tellUnread } from './remarks.js'
import { VerdictBeside } from './verdict-beside.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, type Workspace, withWorkspace } from './workspace.js'

const CSV_OPTIONS = [
  ['--csv-formulas <how>', 'of a text that a spreadsheet would run: text, or keep', 'text'],
  ['--excel', 'of csv: keys and values plain, and the mark by which Excel knows UTF-8'],
] as const

/** Flags that every question takes. */
export const PLACE_OPTIONS = [ARCHIVE_OPTION, CONFIG_OPTION, ...ENGINE_OPTIONS, MEMORY_OPTION] as const
export const ANSWER_OPTIONS = [
  formatOption('columns'),
  ...OUTPUT_OPTIONS,
  ...CSV_OPTIONS,
  RECEIPT_OPTION,
  ...EVIDENCE_OPTIONS,
  PAGER_OPTION,
] as const
/** Leaves out what every answer of more than one item has. */
export const VERDICT_OPTION = ['--no-verdict', 'leaves out how sure the answer is, and says so'] as const

/** Where a question is asked, and with what. */
export interface Asking {
  readonly workspace: Workspace
  readonly options: Options
  readonly receipts: ReceiptFile
  readonly io: Io
}

/**
 * Opens the archive that the flags name for one question, and prints the answer in their format to where they say.
 * The answer has columns, and `more`.
 * What is wrong with the flags is told before anything is asked.
 */
export async function askArchive(
  options: Options,
  io: Io,
  ask: (asking: Asking) => Promise<AnswerSurface>,
  ...more: readonly Had[]
): Promise<ExitCode> {
  checkTarget(options, 'output')
  const format = answerFormatOf(options, 'columns', ...more)
  checkTerminal(format, options, io)
  const keepsFormulas = readFormulas(options)
  const forExcel = readExcel(format, options)
  const beside = new VerdictBeside(format, options)
  const receipts = new ReceiptFile(options, io)
  checkEvidence(options)
  const answer = async (workspace: Workspace, out: Io) => {
    const surface = await ask({ workspace, options, receipts, io: out })
    tellRemarks(workspace.engine, out)
    await paging(options, out, paper => format.print(surface, paper))
    await beside.keep(surface, out)
    await surface.receipt()
    await bundleAnswer(receipts.answer, { workspace, options, keepsFormulas }, out)
    const exit = await surface.end(out)
    tellRemarks(workspace.engine, out)
    return tellUnread(workspace, exit, out)
  }
  let written: WrittenFile | undefined
  try {
    return await withOutput(
      options,
      { ...io, keepsFormulas, forExcel },
      out => withWorkspace(options, workspace => answer(workspace, out), out),
      file => {
        written = { ...file, format: format.name }
        beside.write(written, io)
      },
    )
  } finally {
    await receipts.write(written)
  }
}

function checkTerminal(format: OutputFormat, { output }: Options, io: Io): void {
  if (format.isBinary !== true || output !== undefined || !goesToTerminal(io)) return
  const hint = '--output FILE writes it to a file'
  throw new CommandError(`format ${format.name} is no text for a terminal`, EXIT.usage, hint)
}

/** True where a CSV is for Excel. Throws `CommandError` for another format. */
function readExcel({ name }: OutputFormat, { excel }: Options): boolean {
  if (excel === true && name !== 'csv')
    throw new CommandError(`--excel is of csv, and the format is ${name}`, EXIT.usage, 'a file .xlsx needs no flag')
  return excel === true
}

/** True where texts that a spreadsheet would run stay as they are. */
function readFormulas({ csvFormulas = 'text' }: Options): boolean {
  if (csvFormulas === 'text' || csvFormulas === 'keep') return csvFormulas === 'keep'
  throw new CommandError(`--csv-formulas is ${JSON.stringify(csvFormulas)}, expected text or keep`)
}

/** How sure an answer is, and its receipt, which says so; each is found out once, when first asked for. */
export interface AnswerJudgement {
  readonly verdict: () => Promise<AnswerVerdict | undefined>
  readonly receipt: () => Promise<Receipt | undefined>
}

/** What a saved query would be asked with, for a verdict on what says the same; that needs no SQL. */
export function savedQuestion(
  query: QueryName,
  { table }: TableConfiguration,
  parameters: Readonly<Record<string, string>>,
) {
  return { query, table, parameters: new Map(Object.entries(parameters)), sql: '' }
}

/**
 * Judges the answer to what was asked. `answer` is what a receipt is made of, and asked for only where one is wanted.
 */
export function judgementOf(
  asked: Parameters<OpenArchive['verdict']>[0],
  { workspace, options, receipts, io }: Asking,
  answer: () => Promise<Answer>,
): AnswerJudgement {
  const verdict = lazily(() => judge(asked, workspace, options, io))
  const receipt = lazily(async () => {
    if (!receipts.isWanted) return undefined
    const sure = (await verdict()) ?? null
    return receipts.keep(await answer(), workspace, sure)
  })
  return { verdict, receipt }
}

/** What answers alike have that are judged as tables are: their verdict beside them, and their receipt. */
export function judgedParts(
  { verdict, receipt }: AnswerJudgement,
  root: string,
): Pick<AnswerSurface, 'receipt'> & { beside: () => Promise<object>; summary: (io: Io) => Promise<void> } {
  return {
    beside: async () => ({ verdict: describeVerdict(await verdict()) }),
    // it is of a file, whose times are of UTC
    summary: async io => printVerdict(await verdict(), root, io.err, { ...io, zone: undefined }),
    receipt,
  }
}

/** What `make` makes, once, when it is first asked for. */
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** How far an answer can be believed; undefined where the flags leave that out. */
async function judge(
  asked: Parameters<OpenArchive['verdict']>[0],
  { archive, engine }: Workspace,
  options: Options,
  io: Io,
): Promise<AnswerVerdict | undefined> {
  if (options.verdict === false) return undefined
  for (const table of asked.table === undefined ? [] : [asked.table]) {
    const bytes = ((await engine.objects?.(table)) ?? []).reduce((sum, object) => sum + object.bytes, 0)
    if (bytes > LARGE_BYTES && !(await hasCopy(engine, table)))
      io.err(
        `how sure the answer is takes a look at all ${Math.round(bytes / 1024 ** 2)} MB of ${table}: itemtrail compact ${table} keeps what that finds, --no-verdict leaves it out\n`,
      )
  }
  return archive.verdict(asked)
}

/** A table of more is told of before it is judged from the beginning, which then takes seconds. */
const LARGE_BYTES = 64 * 1024 ** 2
