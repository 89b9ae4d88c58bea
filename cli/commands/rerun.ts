import type { Receipt } from '../../queries/answers/receipt.js'
import type { Rerun } from '../../queries/answers/rerun.js'
import type { ComparedFile, FileDigest } from '../../queries/answers/rerun-file.js'
import { SAVED_QUERIES } from '../../queries/catalog.js'
import type { Row } from '../../queries/engines/rows.js'
import { askingCalls, CLOUDTRAIL_OPTION } from '../ask/calls.js'
import { PLACE_OPTIONS } from '../ask/question.js'
import { readReceiptText } from '../ask/receipt-file.js'
import { tellUnread } from '../ask/remarks.js'
import { withWorkspace } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { grouped } from '../show/progress.js'
import {
  exitOfFile,
  exitOfRerun,
  MOST_ROWS_TOLD,
  NO_ROW_HASHES,
  OUTCOME_WORDS,
  tellFile,
  tellPlaces,
  tellQuestion,
} from '../show/rerun-words.js'
import { printRows } from '../show/table.js'
import { paint } from '../show/terminal.js'
import { printable, wrap } from '../show/text.js'

/** Asks the question of a receipt again. */
export const rerun: Command = {
  usage: 'rerun <receipt>',
  summary: 'asks the question of a receipt again, and says whether the answer is the same',
  options: [
    ...PLACE_OPTIONS,
    CLOUDTRAIL_OPTION,
    ['--file <file>', 'a file of the answer: says whether it is that of the receipt, and of the archive now'],
    ['--trust-sql', 'runs SQL that this version did not write, with your rights: read it first'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail rerun receipt.json',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const path = args[0] as string
    const digest = typeof options.file === 'string' ? await digestOf(options.file) : undefined
    const { readReceipt, ReceiptError } = await import('../../queries/answers/receipt.js')
    try {
      const { receipt } = readReceipt(readReceiptText(path), `receipt ${path}`)
      const { rerun: ask } = await import('../../queries/answers/rerun.js')
      return await withWorkspace(
        placeIn(options, receipt),
        async workspace => {
          const askAgain = () => ask(receipt, workspace.archive, { trustSql: options.trustSql === true })
          const readsCalls = savedQueryOf(receipt)?.readsCalls === true
          const again = await (readsCalls ? askingCalls(workspace.root, options, askAgain) : askAgain())
          const file = digest === undefined ? undefined : await compare(digest, receipt, again)
          const page = () => showRerun(receipt, again, file, options, io)
          await format.print({ page, whole: () => describe(again, file) }, io)
          return tellUnread(workspace, exitOf(again, file), io)
        },
        io,
      )
    } catch (error) {
      if (!(error instanceof ReceiptError)) throw error
      throw new CommandError(error.message)
    }
  },
}

/** The saved query that a receipt is of, by its name today. */
function savedQueryOf({ question }: Receipt) {
  return SAVED_QUERIES.get(question.query ?? '')
}

async function compare(file: FileDigest, receipt: Receipt, again: Rerun): Promise<ComparedFile> {
  const { compareFile } = await import('../../queries/answers/rerun-file.js')
  return compareFile(file, receipt, again)
}

/** Done is only what all three agree on: the receipt, the archive, and the file where there is one. */
function exitOf(again: Rerun, file: ComparedFile | undefined): ExitCode {
  const exit = exitOfRerun(again)
  return exit !== EXIT.done || file === undefined ? exit : exitOfFile(file)
}

async function digestOf(path: string): Promise<FileDigest> {
  const { digestFile } = await import('../../queries/answers/rerun-file.js')
  try {
    return await digestFile(path)
  } catch (error) {
    throw new CommandError(`--file ${path} cannot be read: ${(error as Error).message}`, EXIT.usage)
  }
}

/**
 * The engine is the receipt's where no flag says otherwise. The archive never is: whoever made up a receipt could have
 * made up an archive for it, too.
 */
function placeIn(options: Options, { engine }: Receipt): Options {
  return { ...options, ...(engine.name === 'athena' && { expectedEngine: 'athena' }) }
}

function showRerun(
  { question, began, result }: Receipt,
  again: Rerun,
  file: ComparedFile | undefined,
  options: Options,
  io: Io,
): void {
  const { outcome, problems, remarks, answer, newRows, goneRows, needsTrust } = again
  io.out(
    `${paint(io, 'bold', printable(tellQuestion(question)))}  asked ${printable(began)}, ${grouped(result.rows)} ${result.rows === 1 ? 'row' : 'rows'} then${answer === undefined ? '' : `, ${grouped(answer.length)} now`}\n`,
  )
  const colour = exitOfRerun(again) === EXIT.done ? 'green' : 'red'
  io.out(`${paint(io, colour, OUTCOME_WORDS[outcome])}\n`)
  for (const text of [...problems, ...remarks]) io.out(`${wrap(`- ${printable(text)}`, io.columns)}\n`)
  if (file !== undefined) printFile(String(options.file), file, io)
  if (needsTrust) io.err('--trust-sql runs it, with your rights: read the SQL in the receipt first\n')
  if (outcome !== 'different' || (newRows?.length === 0 && goneRows?.length === 0)) return
  if (newRows === undefined || goneRows === undefined) {
    io.out(`${NO_ROW_HASHES}\n`)
    return
  }
  if (goneRows.length > 0) io.out(`\n${grouped(goneRows.length)} gone, by their place then: ${tellPlaces(goneRows)}\n`)
  if (newRows.length > 0) {
    io.out(`\n${grouped(newRows.length)} new, by their place now:\n`)
    printRows(['place', ...(answer?.columns ?? [])], newRows.slice(0, MOST_ROWS_TOLD).map(withPlace), io)
    if (newRows.length > MOST_ROWS_TOLD)
      io.err(`and ${grouped(newRows.length - MOST_ROWS_TOLD)} more; --format json has them\n`)
  }
}

function printFile(path: string, file: ComparedFile, io: Io): void {
  const { receipt, archive, sha256 } = file
  const holds = receipt !== 'different' && archive === 'same'
  const text = `${printable(path)}: ${tellFile(file)}`
  io.out(`${paint(io, holds ? 'green' : 'red', text)}\n  SHA-256 ${sha256}\n`)
}

function withPlace({ place, row }: { readonly place: number; readonly row: Row }): Row {
  return { ...row, place }
}

function describe(
  { outcome, problems, remarks, newRows, goneRows, receipt }: Rerun,
  file: ComparedFile | undefined,
): object {
  return {
    outcome,
    problems,
    remarks,
    new_rows: newRows ?? null,
    gone_rows: goneRows ?? null,
    rows: receipt?.result.rows ?? null,
    sha256: receipt?.result.sha256 ?? null,
    file: file ?? null,
  }
}
