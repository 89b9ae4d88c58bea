import type { WrittenFile } from '../queries/receipt.js'
import { FILE_FORMATS, goesToTerminal, isBinary } from './answer-file.js'
import { ENGINE_OPTIONS } from './engine-choice.js'
import { CommandError, EXIT, type ExitCode, type Io, type Options } from './io.js'
import { OUTPUT_OPTIONS, withOutput } from './output.js'
import { type Format, formatOf } from './print.js'
import { RECEIPT_OPTION, ReceiptFile } from './receipt-file.js'
import { tellUnread } from './remarks.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, type Workspace, withWorkspace } from './workspace.js'

/** Formats that every question has. */
export const QUESTION_FORMATS = ['table', 'json', 'ndjson', ...FILE_FORMATS] as const
export type QuestionFormat = (typeof QUESTION_FORMATS)[number]

/** Flags that every question takes. */
export const PLACE_OPTIONS = [ARCHIVE_OPTION, CONFIG_OPTION, ...ENGINE_OPTIONS] as const
export const ANSWER_OPTIONS = [
  ['--format <format>', 'table, json, ndjson, csv, parquet, arrow or html', 'table'],
  ...OUTPUT_OPTIONS,
  RECEIPT_OPTION,
] as const

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
  const receipts = new ReceiptFile(options, io)
  let written: WrittenFile | undefined
  try {
    return await withOutput(
      options,
      io,
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
