import { readFileSync } from 'node:fs'
import type { Receipt } from '../../queries/receipt.js'
import type { Rerun } from '../../queries/rerun.js'
import type { Row } from '../../queries/rows.js'
import { isObject } from '../../transform/json.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io, type Options } from '../io.js'
import { FORMAT_OPTION, formatOf, printRows, toJson } from '../print.js'
import { grouped } from '../progress.js'
import { PLACE_OPTIONS } from '../question.js'
import { paint } from '../terminal.js'
import { printable, wrap } from '../text.js'
import { withWorkspace } from '../workspace.js'

/** Asks the question of a receipt again. */
export const rerun: Command = {
  usage: 'rerun <receipt>',
  summary: 'asks the question of a receipt again, and says whether the answer is the same',
  options: [
    ...PLACE_OPTIONS,
    ['--trust-sql', 'runs SQL that this version did not write, with your rights: read it first'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail rerun receipt.json',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const value = readFile(args[0] as string)
    const { checkReceipt, ReceiptError } = await import('../../queries/receipt.js')
    try {
      const { receipt } = checkReceipt(value)
      const { rerun: ask } = await import('../../queries/rerun.js')
      return await withWorkspace(
        placeIn(options, receipt),
        async ({ archive }) => {
          const again = await ask(value, archive, { trustSql: options.trustSql === true })
          if (format === 'table') print(receipt, again, io)
          else io.out(`${toJson(describe(again))}\n`)
          return EXITS[again.outcome]
        },
        io,
      )
    } catch (error) {
      if (!(error instanceof ReceiptError)) throw error
      throw new CommandError(error.message, EXIT.usage)
    }
  },
}

const EXITS: Readonly<Record<Rerun['outcome'], ExitCode>> = {
  same: EXIT.done,
  // a question that leaves the order open was answered with the same rows
  reordered: EXIT.done,
  different: EXIT.findings,
  'not run': EXIT.unchecked,
}

function readFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const reason =
      error instanceof SyntaxError ? `is no JSON: ${error.message}` : `cannot be read: ${(error as Error).message}`
    throw new CommandError(`receipt ${path} ${reason}`, EXIT.usage)
  }
}

/**
 * The engine is the receipt's where no flag says otherwise. The archive never is: whoever made up a receipt could have
 * made up an archive for it, too.
 */
function placeIn(options: Options, { engine }: Receipt): Options {
  const isAthena = isObject(engine) && engine.name === 'athena'
  return { ...options, ...(isAthena && { expectedEngine: 'athena' }) }
}

const WORDS: Readonly<Record<Rerun['outcome'], string>> = {
  same: 'the same answer, to the byte',
  reordered: 'the same rows, in another order, which the question leaves open',
  different: 'another answer',
  'not run': 'not run',
}

function print({ question, began, result }: Receipt, again: Rerun, io: Io): void {
  const { outcome, problems, remarks, answer, newRows, goneRows, needsTrust } = again
  const asked = question.query === null ? 'SQL' : `${question.query} of ${question.table}`
  io.out(
    `${paint(io, 'bold', printable(asked))}  asked ${printable(String(began))}, ${grouped(result.rows)} ${result.rows === 1 ? 'row' : 'rows'} then${answer === undefined ? '' : `, ${grouped(answer.length)} now`}\n`,
  )
  const colour = EXITS[outcome] === EXIT.done ? 'green' : 'red'
  io.out(`${paint(io, colour, WORDS[outcome])}\n`)
  for (const text of [...problems, ...remarks]) io.out(`${wrap(`- ${printable(text)}`, io.columns)}\n`)
  if (needsTrust) io.err('--trust-sql runs it, with your rights: read the SQL in the receipt first\n')
  if (outcome !== 'different') return
  if (newRows === undefined || goneRows === undefined) {
    io.out('which rows are new cannot be told: the receipt has no hashes of rows\n')
    return
  }
  if (goneRows.length > 0) io.out(`\n${grouped(goneRows.length)} gone, by their place then: ${placesOf(goneRows)}\n`)
  if (newRows.length > 0) {
    io.out(`\n${grouped(newRows.length)} new, by their place now:\n`)
    printRows(['place', ...(answer?.columns ?? [])], newRows.slice(0, SHOWN).map(withPlace), 'table', io)
    if (newRows.length > SHOWN) io.err(`and ${grouped(newRows.length - SHOWN)} more; --format json has them\n`)
  }
}

const SHOWN = 20

function placesOf(rows: readonly { readonly place: number }[]): string {
  const shown = rows.slice(0, SHOWN).map(({ place }) => place)
  return `${shown.join(', ')}${rows.length > SHOWN ? ', ...' : ''}`
}

function withPlace({ place, row }: { readonly place: number; readonly row: Row }): Row {
  return { ...row, place }
}

function describe({ outcome, problems, remarks, newRows, goneRows, receipt }: Rerun): object {
  return {
    outcome,
    problems,
    remarks,
    new_rows: newRows ?? null,
    gone_rows: goneRows ?? null,
    rows: receipt?.result.rows ?? null,
    sha256: receipt?.result.sha256 ?? null,
  }
}
