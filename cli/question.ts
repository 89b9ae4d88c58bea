import type { OpenArchive } from '../library/open-archive.js'
import type { AnswerVerdict } from '../queries/answers/asked.js'
import type { WrittenFile } from '../queries/answers/receipt.js'
import { ENGINE_OPTIONS } from './engine-choice.js'
import { CommandError, EXIT, type ExitCode, type Io, type Options } from './io.js'
import { RECEIPT_OPTION, ReceiptFile } from './receipt-file.js'
import { tellUnread } from './remarks.js'
import { FILE_FORMATS, goesToTerminal, isBinary } from './show/answer-file.js'
import { OUTPUT_OPTIONS, withOutput } from './show/output.js'
import { type Format, formatOf } from './show/print.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, type Workspace, withWorkspace } from './workspace.js'

/** Formats that every question has. */
export const QUESTION_FORMATS = ['table', 'json', 'ndjson', ...FILE_FORMATS] as const
export type QuestionFormat = (typeof QUESTION_FORMATS)[number]

export const CSV_OPTION = [
  '--csv-formulas <how>',
  'of a text that a spreadsheet would run: text, or keep',
  'text',
] as const

/** Flags that every question takes. */
export const PLACE_OPTIONS = [ARCHIVE_OPTION, CONFIG_OPTION, ...ENGINE_OPTIONS] as const
export const ANSWER_OPTIONS = [
  ['--format <format>', 'table, json, ndjson, csv, parquet, arrow or html', 'table'],
  ...OUTPUT_OPTIONS,
  CSV_OPTION,
  RECEIPT_OPTION,
] as const
/** Leaves out what every answer of more than one item has. */
export const VERDICT_OPTION = ['--no-verdict', 'leaves out how sure the answer is, and says so'] as const

/**
 * Opens the archive that the flags name for one question, its answer going where they say. What is wrong with the flags is
 * told before anything is asked.
 */
export async function askArchive<F extends Format>(
  options: Options,
  io: Io,
  formats: readonly F[],
  ask: (workspace: Workspace, format: F, io: Io, receipts: ReceiptFile) => Promise<ExitCode>,
): Promise<ExitCode> {
  const format = formatOf(options, formats)
  if (isBinary(format) && options.output === undefined && goesToTerminal(io))
    throw new CommandError(
      `format ${format} is no text for a terminal`,
      EXIT.usage,
      '--output FILE writes it to a file',
    )
  const { csvFormulas = 'text' } = options
  if (csvFormulas !== 'text' && csvFormulas !== 'keep')
    throw new CommandError(`--csv-formulas is ${JSON.stringify(csvFormulas)}, expected text or keep`)
  const receipts = new ReceiptFile(options, io)
  let written: WrittenFile | undefined
  try {
    return await withOutput(
      options,
      { ...io, keepsFormulas: csvFormulas === 'keep' },
      out =>
        withWorkspace(
          options,
          async workspace => tellUnread(workspace, await ask(workspace, format, out, receipts), out),
          out,
        ),
      file => {
        written = { ...file, format }
      },
    )
  } finally {
    await receipts.write(written)
  }
}

/** How far an answer can be believed; undefined where the flags leave that out. */
export async function judgeFor(
  asked: Parameters<OpenArchive['verdict']>[0],
  { archive, engine }: Workspace,
  options: Options,
  io: Io,
): Promise<AnswerVerdict | undefined> {
  if (options.verdict === false) return undefined
  for (const table of asked.table === undefined ? [] : [asked.table]) {
    const bytes = ((await engine.objects?.(table)) ?? []).reduce((sum, object) => sum + object.bytes, 0)
    if (bytes > LARGE_BYTES && (await engine.outline?.(table)) === undefined)
      io.err(
        `how sure the answer is takes a look at all ${Math.round(bytes / 1024 ** 2)} MB of ${table}: itemtrail compact ${table} keeps what that finds, --no-verdict leaves it out\n`,
      )
  }
  return archive.verdict(asked)
}

/** A table of more is told of before it is judged from the beginning, which then takes seconds. */
const LARGE_BYTES = 64 * 1024 ** 2
