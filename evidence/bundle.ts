import { hash } from 'node:crypto'
import type { Table } from 'apache-arrow'
import { formatVkey } from '../proof/note.js'
import type { Answer } from '../queries/answers/answer.js'
import { type FileFormat, toFile } from '../queries/answers/file-formats.js'
import { type Receipt, receiptFooter, type WrittenFile, withFiles, writeReceipt } from '../queries/answers/receipt.js'
import { SAVED_QUERIES } from '../queries/catalog.js'
import type { PageContext } from '../view/paper/html-file.js'
import { type BagFile, bagOf, PAYLOAD, textFile } from './bag.js'
import { readBuilt } from './built-file.js'
import { LEFT_OUT_LABEL, LOG_CHECKPOINT, POLICY, proofPath, QUESTION, RECEIPT, ROWS, VERDICT } from './bundle-files.js'
import { EvidenceError } from './evidence-error.js'
import type { FoundRow } from './found-rows.js'
import type { Prover } from './prover.js'
import { countLeftOut, type Redaction, redactAnswer, redactRow } from './redact.js'
import { formatRowLine } from './row-line.js'
import { formatRowProof } from './row-proof.js'

/** What a bundle is made of. */
export interface BundleParts {
  readonly answer: Answer
  readonly receipt: Receipt
  /** Every row that the answer rests on. */
  readonly rows: readonly FoundRow[]
  readonly prover: Prover
  /** @default - nothing is left out */
  readonly redaction?: Redaction | undefined
  /** What the report is called. @default - the question of the saved query */
  readonly title?: string | undefined
  /**
   * Columns of the answer that stay, whatever is left out.
   * @default - none beside those that are known to hold nothing
   */
  readonly plainColumns?: readonly string[] | undefined
  /** What `answer.csv` does with a text that a spreadsheet would run: marks it, or keeps it. @default true */
  readonly disarm?: boolean | undefined
}

/**
 * The files of the bundle of an answer. Throws an `EvidenceError` where a row is not sealed yet, or not as it was
 * sealed.
 */
export async function makeBundle(parts: BundleParts): Promise<readonly BagFile[]> {
  const { answer, receipt, rows, prover, redaction, plainColumns = [], disarm } = parts
  refuseUnsealed(rows, prover)
  const { query } = answer.asked
  const table = redaction === undefined ? answer.table : redactAnswer(answer.table, query, plainColumns, redaction)
  const answers = await answerFiles(table, pageOf(parts, table), disarm)
  const written = withFiles(
    receipt,
    answers.map(({ path, bytes }) => writtenFile(path, bytes)),
  )
  const files = [
    ...answers,
    textFile(ROWS, rowLines(rows, redaction)),
    textFile(QUESTION, `${receipt.statement.sql}\n`),
    textFile(RECEIPT, writeReceipt(written)),
    textFile(VERDICT, `${JSON.stringify(receipt.verdict, null, 2)}\n`),
    ...(await proofFiles(rows, prover)),
    textFile(LOG_CHECKPOINT, prover.checkpoint),
    textFile(POLICY, `log ${formatVkey(prover.signedBy)}\nquorum none\n`),
    ...['verify.mjs', 'HOWTO.txt'].map(name => ({ path: `verify/${name}`, bytes: readBuilt(name) })),
  ]
  return bagOf(files, infoOf(parts))
}

function refuseUnsealed(rows: readonly FoundRow[], prover: Prover): void {
  const unsealed = rows.filter(row => !prover.isSealed(row))
  if (unsealed.length === 0) return
  const [first] = unsealed
  throw new EvidenceError(
    `${unsealed.length} of ${rows.length} rows are not sealed yet, ${first?.row.event_id} among them`,
    'itemtrail seal seals what is new, and then it can be proven',
  )
}

/** The bytes of each file follow from the answer, so that whoever asks again can compare them. */
async function answerFiles(table: Table, page: PageContext, disarm = true): Promise<readonly BagFile[]> {
  const files: BagFile[] = []
  for (const [name, format] of ANSWERS) {
    const pieces: Uint8Array[] = []
    for await (const piece of toFile(table, format, { ...page, disarm })) pieces.push(piece)
    files.push({ path: `${PAYLOAD}${name}`, bytes: Buffer.concat(pieces) })
  }
  return files
}

const ANSWERS = [
  ['report.html', 'html'],
  ['answer.csv', 'csv'],
  ['answer.parquet', 'parquet'],
] as const satisfies readonly (readonly [string, FileFormat])[]

function writtenFile(path: string, bytes: Uint8Array): WrittenFile {
  const name = path.slice(PAYLOAD.length)
  const format = ANSWERS.find(([file]) => file === name)?.[1] as string
  return { name, format, bytes: bytes.length, sha256: hash('sha256', bytes) }
}

function pageOf({ answer, receipt, redaction, title }: BundleParts, shown: Table): PageContext {
  const { question, verdict, statement } = receipt
  const saved = SAVED_QUERIES.get(question.query ?? '')
  const lost = answer.table.schema.fields.map(({ name }) => name).filter(name => shown.getChild(name) === null)
  return {
    question: title ?? saved?.question ?? 'What does this statement answer?',
    parameters: {
      ...(question.table !== null && { table: question.table }),
      ...Object.fromEntries(question.parameters.map(([name, value]) => [name, String(value)])),
      ...(saved === undefined && statement.values.length > 0 && { 'values of ?': statement.values.join(', ') }),
      ...(redaction !== undefined && { 'left out': redaction.texts.join(', ') }),
      ...(lost.length > 0 && { 'columns left out': lost.join(', ') }),
    },
    sql: statement.sql,
    confidence: {
      word: verdict.judged === true ? String(verdict.confidence) : 'NOT JUDGED',
      text: 'data/verdict.json says why',
    },
    empty: saved?.empty,
    footer: receiptFooter(receipt),
  }
}

function rowLines(rows: readonly FoundRow[], redaction: Redaction | undefined): string {
  const shown = rows.map(({ row }) => (redaction === undefined ? row : redactRow(row, redaction)))
  return shown.map(formatRowLine).join('')
}

async function proofFiles(rows: readonly FoundRow[], prover: Prover): Promise<readonly BagFile[]> {
  const files: BagFile[] = []
  for (const row of rows)
    files.push(textFile(proofPath(String(row.row.event_id)), formatRowProof(await prover.prove(row))))
  return files
}

function infoOf({ receipt: { began, tool, question, result }, rows, redaction }: BundleParts) {
  const all = rows.map(({ row }) => row)
  const leftOut = redaction === undefined ? [] : [...countLeftOut(all, redaction)]
  return [
    ['Bagging-Date', began.slice(0, 10)],
    ['Bag-Software-Agent', `itemtrail ${tool.version}`],
    [
      'External-Description',
      `answer to ${question.query ?? 'a statement'} of ${question.table ?? 'an archive'}, ${result.rows} rows`,
    ],
    ...leftOut.map(([path, count]) => [LEFT_OUT_LABEL, `${path} of ${counted(count, 'row')}`] as const),
  ] as const
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
