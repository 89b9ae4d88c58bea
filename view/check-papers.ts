import { hash } from 'node:crypto'
import { z } from 'zod'
import { EXIT, type ExitCode } from '../cli/io.js'
import {
  exitOfFile,
  exitOfRerun,
  NO_ROW_HASHES,
  OUTCOME_WORDS,
  tellFile,
  tellPlaces,
  tellQuestion,
} from '../cli/show/rerun-words.js'
import { checkJson, count, listOf, record, sha256 } from '../config/gate.js'
import { checkRowProof } from '../evidence/give-evidence.js'
import { showProven } from '../evidence/show-proof.js'
import { ProofError } from '../proof/proof-error.js'
import { type Receipt, ReceiptError, readReceipt } from '../queries/answers/receipt.js'
import { MAX_RECEIPT } from '../queries/answers/receipt-schema.js'
import { type Rerun, rerun } from '../queries/answers/rerun.js'
import { compareFile } from '../queries/answers/rerun-file.js'
import { unreadOf } from '../queries/verdict/unread.js'
import { AddressError } from './address.js'
import { revealText } from './paper/reveal.js'
import type { PageAsking } from './screen.js'

/** Bytes that are taken at once: some receipts of the largest size. */
export const MOST_DROPPED = 4 * MAX_RECEIPT

/** What somebody agrees to before it runs. */
interface AskFirst {
  readonly sql: string
  readonly values: string
  /** What stands for the agreement: the hash of the receipt that was read. */
  readonly agree: string
  readonly why: string
}

/** What came of one file that was dropped. */
export interface CheckedPaper {
  readonly name: string
  /** `good`: it holds; `bad`: it does not; `fair`: nobody can say. */
  readonly mark: 'good' | 'bad' | 'fair'
  readonly lines: readonly string[]
  /** A receipt that is asked again only when somebody who read this says so. */
  readonly ask?: AskFirst
}

const text = z.string('a text')
/** Files of answers do not leave the browser: what they are is told by their hash. */
const droppedSchema = record({
  files: listOf(record({ name: text, bytes: count, sha256 })),
  agreed: listOf(sha256),
})

type Dropped = z.infer<typeof droppedSchema>

/** A receipt that could be read, and what came of asking it again. */
interface AskedAgain {
  readonly name: string
  readonly receipt: Receipt
  readonly again: Rerun
  readonly exit: ExitCode
}

/**
 * Judges what somebody was handed as the command line does, by the same code: receipts as `itemtrail rerun`, row proofs
 * as `itemtrail verify proof`, other files by their hashes beside the receipts. Nothing of it is kept.
 */
export async function checkPapers(
  asking: PageAsking,
  form: FormData,
  isOf: (error: unknown) => boolean,
): Promise<readonly CheckedPaper[]> {
  const { files, agreed } = droppedIn(form)
  const checked: CheckedPaper[] = []
  const asked: AskedAgain[] = []
  for (const paper of form.getAll('proof')) if (typeof paper !== 'string') checked.push(await checkProof(asking, paper))
  for (const paper of form.getAll('receipt')) {
    if (typeof paper === 'string') continue
    try {
      checked.push(await checkOne(asking, paper, agreed, asked))
    } catch (error) {
      const { message } = error as Error
      const why = isOf(error) ? message : 'something failed that should not'
      checked.push({ name: paper.name, mark: 'fair', lines: [`cannot be checked: ${why}`] })
    }
  }
  for (const file of files) checked.push(await checkFile(file, asked))
  return checked.map(revealed)
}

/** What cannot be seen could make another statement of the one that somebody agrees to. */
function revealed({ name, mark, lines, ask }: CheckedPaper): CheckedPaper {
  const told = { name: revealText(name), mark, lines: lines.map(revealText) }
  return ask === undefined
    ? told
    : { ...told, ask: { ...ask, sql: revealText(ask.sql), values: revealText(ask.values) } }
}

/** The same form, as the script makes it of what a page without script hands over. */
export async function sortedOut(form: FormData): Promise<FormData> {
  const sorted = new FormData()
  const files: Dropped['files'][number][] = []
  for (const file of form.getAll('file')) {
    if (typeof file === 'string' || file.name === '') continue
    const bytes = new Uint8Array(await file.arrayBuffer())
    const beginning = Buffer.from(bytes.subarray(0, PROOF_BEGINS.length)).toString('latin1')
    if (beginning === PROOF_BEGINS) sorted.append('proof', file, file.name)
    else if (isReceipt(bytes)) sorted.append('receipt', file, file.name)
    else files.push({ name: file.name, bytes: bytes.length, sha256: hash('sha256', bytes) })
  }
  sorted.append('dropped', JSON.stringify({ files, agreed: [] }))
  return sorted
}

const PROOF_BEGINS = 'itemtrail.row-proof/'

function isReceipt(bytes: Uint8Array): boolean {
  const content = Buffer.from(bytes)
  const isObject = content.subarray(0, 100).toString('utf8').trimStart().startsWith('{')
  return isObject && ['"receipt_sha256"', 'itemtrail-receipt/'].some(word => content.includes(word))
}

function droppedIn(form: FormData): Dropped {
  const dropped = form.get('dropped')
  if (typeof dropped !== 'string') throw new AddressError('dropped is missing, expected files and what is agreed to')
  return checkJson(dropped, droppedSchema, 'dropped')
}

async function checkProof({ identity }: PageAsking, paper: File): Promise<CheckedPaper> {
  const { name } = paper
  const [key] = identity?.known ?? []
  if (key === undefined)
    return { name, mark: 'fair', lines: ['cannot be checked: nobody says whose key is believed; --key does'] }
  try {
    const shown = showProven(checkRowProof(Buffer.from(await paper.arrayBuffer()).toString('utf8'), key))
    return { name, mark: 'good', lines: ['PROVEN', ...shown.split('\n').filter(line => line !== '')] }
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    return { name, mark: 'bad', lines: [`NOT PROVEN: ${error.message}`] }
  }
}

async function checkOne(
  asking: PageAsking,
  paper: File,
  agreed: readonly string[],
  asked: AskedAgain[],
): Promise<CheckedPaper> {
  const { name } = paper
  const read = readFrom(name, new Uint8Array(await paper.arrayBuffer()))
  if ('mark' in read) return read
  const { receipt, isWhole } = read
  const isAgreed = agreed.includes(receipt.receipt_sha256)
  // what fits together is asked again only where that costs nothing, or where somebody said so
  if (asking.onAws && isWhole && !isAgreed)
    return { name, mark: 'fair', lines: ['not asked yet: Athena charges for it'], ask: askOf(receipt, 'costs') }
  const again = await rerun(receipt, asking.archive, { trustSql: asking.allowsSql && isAgreed })
  const unread = again.receipt === undefined ? [] : await unreadByReceipt(asking, again.receipt)
  const exit = unread.length > 0 ? EXIT.unchecked : exitOfRerun(again)
  asked.push({ name, receipt, again, exit })
  if (again.needsTrust) return { name, mark: 'fair', ...untrusted(asking, receipt, again) }
  const beside = unread.map(one => `the archive cannot be read whole: ${one}`)
  return { name, mark: markOf(exit), lines: [...linesOf(receipt, again), ...beside] }
}

/** Of what is no receipt nothing is asked. */
function readFrom(name: string, bytes: Uint8Array): CheckedPaper | { receipt: Receipt; isWhole: boolean } {
  try {
    const { receipt, problems } = readReceipt(bytes, 'receipt')
    return { receipt, isWhole: problems.length === 0 }
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error
    return { name, mark: 'bad', lines: [`no receipt: ${error.message}`] }
  }
}

function untrusted(
  { allowsSql }: PageAsking,
  receipt: Receipt,
  { problems }: Rerun,
): Pick<CheckedPaper, 'lines' | 'ask'> {
  const lines = [`not run: ${problems.join('; ')}`]
  if (allowsSql) return { lines, ask: askOf(receipt, 'foreign') }
  const how = 'itemtrail view --allow-sql runs it here once you agree, itemtrail rerun --trust-sql on a command line'
  return { lines: [...lines, `its SQL: ${receipt.statement.sql}`, `read it first; ${how}`] }
}

const WHY = {
  foreign: 'this version of Itemtrail did not write this SQL: read it before it runs',
  costs: 'this is what Athena is asked, which costs',
} as const

function askOf({ statement, receipt_sha256: agree }: Receipt, why: keyof typeof WHY): AskFirst {
  return { sql: statement.sql, values: JSON.stringify(statement.values), agree, why: WHY[why] }
}

function unreadByReceipt({ archive }: PageAsking, { question, read }: Receipt): Promise<readonly string[]> {
  const named = question.table === null ? read.partitions.map(({ table }) => table) : [question.table]
  const tables = archive.tables()
  return unreadOf(archive.engine, { asked: [...new Set(named)].filter(table => tables.includes(table)), tables })
}

function linesOf({ question, began, result }: Receipt, again: Rerun): readonly string[] {
  const { outcome, problems, remarks, answer, newRows, goneRows } = again
  const now = answer === undefined ? '' : `, ${rowsText(answer.length)} now`
  const lines = [
    OUTCOME_WORDS[outcome],
    `${tellQuestion(question)}, asked ${began}: ${rowsText(result.rows)} then${now}`,
  ]
  const beside = [...problems, ...remarks]
  if (outcome !== 'different') return [...lines, ...beside]
  if (newRows === undefined || goneRows === undefined) return [...lines, ...beside, NO_ROW_HASHES]
  return [
    ...lines,
    ...placesOf(`${rowsText(goneRows.length)} gone, by their place then`, goneRows),
    ...placesOf(`${rowsText(newRows.length)} new, by their place now`, newRows),
    ...beside,
  ]
}

function placesOf(what: string, rows: readonly { readonly place: number }[]): readonly string[] {
  return rows.length === 0 ? [] : [`${what}: ${tellPlaces(rows)}`]
}

function rowsText(rows: number): string {
  return `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`
}

/** A file is of the receipt that names it, where one does; else it is held against each. */
async function checkFile({ name, ...digest }: Dropped['files'][number], asked: readonly AskedAgain[]) {
  if (asked.length === 0)
    return { name, mark: 'fair', lines: ['cannot be checked without its receipt'] } satisfies CheckedPaper
  const held = []
  for (const one of asked) {
    const file = await compareFile(digest, one.receipt, one.again)
    // a receipt that does not hold vouches for no file
    const holds = one.exit === EXIT.done
    const line = `by ${one.name}${holds ? '' : ', which does not hold itself'}: ${tellFile(file)}`
    held.push({ line, exit: holds ? exitOfFile(file) : one.exit, isNamed: file.receipt === 'same' })
  }
  const naming = held.filter(({ isNamed }) => isNamed)
  const told = naming.length > 0 ? naming : held
  const exits = told.map(({ exit }) => exit)
  const exit = exits.includes(EXIT.done) ? EXIT.done : exits.includes(EXIT.findings) ? EXIT.findings : EXIT.unchecked
  return { name, mark: markOf(exit), lines: told.map(({ line }) => line) } satisfies CheckedPaper
}

function markOf(exit: ExitCode): CheckedPaper['mark'] {
  return exit === EXIT.done ? 'good' : exit === EXIT.findings ? 'bad' : 'fair'
}
