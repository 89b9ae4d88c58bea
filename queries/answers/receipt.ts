import { hash } from 'node:crypto'
import { z } from 'zod'
import { checkJson, checkValue, FileError } from '../../config/gate.js'
import { toolVersion } from '../../config/package.js'
import { formatInstant } from '../../transform/instant.js'
import { Refusal } from '../../transform/refusal.js'
import { possibleIdentifiers } from '../../transform/table-names.js'
import { withActor, withPath } from '../bind.js'
import { renderQuery, SAVED_QUERIES, type SavedQuery } from '../catalog.js'
import type { BoundValue } from '../engines/engine.js'
import { deliveriesOf } from '../engines/literal.js'
import { actorOfStatement } from '../todays-actor.js'
import type { Answer } from './answer.js'
import { describeVerdict } from './answer-verdict.js'
import type { AnswerVerdict, Asked } from './asked.js'
import type { AskedArchive } from './asked-archive.js'
import { type AnswerColumnType, fingerprintOf, MAX_ROW_HASHES } from './canonical-answer.js'
import { type ObjectsRead, objectsRead, type PartitionsRead, partitionsRead } from './objects-read.js'
import { receiptHash } from './receipt-hash.js'
import { MAX_RECEIPT, RECEIPT_SCHEMA, receiptSchema } from './receipt-schema.js'

/** What is no receipt at all. */
export class ReceiptError extends Error {
  override readonly name = 'ReceiptError'
}

/** A file that an answer was written to. */
export interface WrittenFile {
  /** Without its folder. */
  readonly name: string
  readonly format: string
  readonly bytes: number
  readonly sha256: string
}

/** What an answer was made from, how, and what it was. docs/receipts.md says how to check one without this code. */
export interface Receipt {
  readonly schema: typeof RECEIPT_SCHEMA
  readonly tool: { readonly name: 'itemtrail'; readonly version: string }
  /** The command as it was typed, where there was one. Nothing checks it. */
  readonly asked_as: string | null
  readonly question: {
    readonly kind: 'saved' | 'sql'
    readonly query: string | null
    /** The first 16 hex of the SHA-256 of the query's text. */
    readonly query_version: string | null
    readonly table: string | null
    readonly parameters: readonly (readonly [name: string, value: BoundValue])[]
  }
  readonly statement: {
    readonly sql: string
    readonly sql_sha256: string
    /** The parameter that each `?` stands for; empty for SQL of one's own. */
    readonly placeholders: readonly string[]
    readonly values: readonly BoundValue[]
  }
  readonly engine: { readonly name: string; readonly version: string | null }
  readonly archive: Readonly<Record<string, string>>
  readonly read: {
    readonly partitions: readonly PartitionsRead[]
    /** Null where the engine does not read a folder. */
    readonly objects: ObjectsRead | null
  }
  readonly window: {
    /** The parameters that are instants. */
    readonly asked: readonly (readonly [name: string, instant: string])[]
    /** Of the answer's `event_time_us`; null where it has none. */
    readonly first_event: string | null
    readonly last_event: string | null
  }
  readonly result: {
    readonly columns: readonly AnswerColumnType[]
    readonly rows: number
    readonly sha256: string
    readonly row_hashes: readonly string[] | null
  }
  /** The items in the answer; null where it does not tell them. */
  readonly items: { readonly distinct: number } | null
  /** How sure the answer is, and what is missing from it: `describeVerdict`. */
  readonly verdict: Readonly<Record<string, unknown>>
  /** What was written of the answer, in the format that `--format` names. */
  readonly files: readonly WrittenFile[]
  readonly began: string
  readonly milliseconds: number
  /**
   * SHA-256 of everything above in canonical JSON. It finds a slip, not a forger: who edits a receipt can make it
   * anew.
   */
  readonly receipt_sha256: string
}

export interface ReceiptOptions {
  /** @default - none */
  readonly askedAs?: string | undefined
  /** The verdict about the answer; null where nobody is to judge it. @default - the archive is asked */
  readonly verdict?: AnswerVerdict | null | undefined
  /** Bytes of objects up to which they are hashed. @default - 1 GiB */
  readonly hashBytes?: number
}

const GIB = 1024 ** 3

/** The receipt of an answer that this archive gave. */
export async function makeReceipt(
  answer: Answer,
  archive: AskedArchive,
  options: ReceiptOptions = {},
): Promise<Receipt> {
  const { askedAs = null, hashBytes = GIB, verdict } = options
  const { asked, table } = answer
  const about = (await archive.engine.describe?.()) ?? { name: 'unknown', version: null, archive: {} }
  const saved = asked.query === undefined ? undefined : SAVED_QUERIES.get(asked.query)
  const { columns, rows, sha256, rowHashes } = fingerprintOf(table)
  const receipt: Omit<Receipt, 'receipt_sha256'> = {
    schema: RECEIPT_SCHEMA,
    tool: { name: 'itemtrail', version: toolVersion() },
    asked_as: askedAs,
    question: questionOf(asked, saved),
    statement: statementOf(asked),
    engine: { name: about.name, version: about.version },
    archive: about.archive,
    read: await readFor(asked, archive, about.archive.root, hashBytes),
    window: windowOf(answer, saved),
    result: { columns, rows, sha256, row_hashes: rowHashes },
    items: itemsOf(answer),
    verdict: describeVerdict(verdict === undefined ? await archive.verdict(asked) : (verdict ?? undefined)),
    files: [],
    began: asked.began.toISOString(),
    milliseconds: asked.milliseconds,
  }
  return { ...receipt, receipt_sha256: receiptHash(receipt) }
}

function questionOf({ query, table, parameters }: Asked, saved: SavedQuery | undefined): Receipt['question'] {
  return {
    kind: saved === undefined ? 'sql' : 'saved',
    query: query ?? null,
    query_version: saved === undefined ? null : queryVersion(saved),
    table: table ?? null,
    parameters: [...parameters],
  }
}

function statementOf({ sql, placeholders, values }: Asked): Receipt['statement'] {
  return { sql, sql_sha256: hash('sha256', sql), placeholders, values }
}

async function readFor(
  asked: Asked,
  archive: AskedArchive,
  root: string | undefined,
  hashBytes: number,
): Promise<Receipt['read']> {
  const tables = archive.tables().map(name => archive.table(name))
  const partitions = partitionsRead(asked, tables)
  if (root === undefined) return { partitions, objects: null }
  return { partitions, objects: await objectsRead(root, partitions, hashBytes, name => archive.engine.objects?.(name)) }
}

/** The same receipt with the files that the answer was written to. */
export function withFiles(receipt: Receipt, files: readonly WrittenFile[]): Receipt {
  const whole = { ...receipt, files }
  return { ...whole, receipt_sha256: receiptHash(whole) }
}

/** A receipt as the text of a file: its fields in their order, so that two can be compared by eye. */
export function writeReceipt(receipt: Receipt): string {
  return `${JSON.stringify(receipt, null, 2)}\n`
}

/** The lines of a receipt that stand under an answer. */
export function receiptFooter({
  question,
  engine,
  result,
  items,
  verdict,
  read,
  tool,
  began,
}: Receipt): Record<string, string> {
  const { objects } = read
  return {
    ...(question.query !== null && { query: `${question.query} (${question.query_version})` }),
    'result SHA-256': result.sha256,
    rows: String(result.rows),
    ...(items !== null && { items: String(items.distinct) }),
    confidence: verdict.judged === true ? String(verdict.confidence) : 'not judged',
    ...(objects !== null && { objects: `${objects.count}, ${objects.bytes} bytes, SHA-256 ${objects.sha256}` }),
    engine: `${engine.name}${engine.version === null ? '' : ` ${engine.version}`}`,
    made: `${began} by itemtrail ${tool.version}`,
  }
}

/** The first 16 hex of the SHA-256 of a saved query's text, its parts put in. */
export function queryVersion(query: SavedQuery): string {
  return hash('sha256', renderQuery(query, { changes: '{changes}', column: '{column}' }).sql).slice(0, 16)
}

function windowOf({ table, asked }: Answer, saved: SavedQuery | undefined): Receipt['window'] {
  const instants = (saved?.parameters ?? []).filter(({ type }) => type === 'instant').map(({ name }) => name)
  const times: bigint[] = []
  const column = table.getChild('event_time_us')
  if (column !== null) for (const us of column) if (typeof us === 'bigint') times.push(us)
  const [first, last] = times.reduce<[bigint?, bigint?]>(
    ([least, most], us) => [
      least === undefined || us < least ? us : least,
      most === undefined || us > most ? us : most,
    ],
    [],
  )
  const text = (us: bigint | undefined) => (us === undefined ? null : formatInstant(Number(us), 6))
  return {
    asked: instants.map(name => [name, String(asked.parameters.get(name))] as const),
    first_event: text(first),
    last_event: text(last),
  }
}

function itemsOf(answer: Answer): Receipt['items'] {
  const keys = itemKeysOf(answer)
  return keys === undefined ? null : { distinct: keys.size }
}

/** The items of an answer; undefined where it does not tell them. */
function itemKeysOf({ table, asked }: Answer): ReadonlySet<string> | undefined {
  const one = asked.query === undefined ? undefined : asked.parameters.get('item_key')
  if (typeof one === 'string') return new Set(table.numRows === 0 ? [] : [one])
  const column = table.getChild('item_key')
  if (column === null) return undefined
  return new Set([...column].filter(key => typeof key === 'string'))
}

/**
 * Reads a receipt and says everything that does not fit together in it; an empty list is no proof of where it comes
 * from. Throws `ReceiptError` for what is no receipt.
 */
export function readReceipt(content: string | Uint8Array, file = 'receipt'): CheckedReceipt {
  return ofReceipt(() => check(checkJson(content, z.unknown(), file, { maxBytes: MAX_RECEIPT }), file))
}

/** The same for a receipt that was parsed already. */
export function checkReceipt(value: unknown): CheckedReceipt {
  return ofReceipt(() => check(value, 'receipt'))
}

/** A receipt of the right form, and what does not fit together in it. */
export interface CheckedReceipt {
  readonly receipt: Receipt
  readonly problems: readonly string[]
}

/** What a later version adds to a receipt is left out, and is in its hash all the same. */
function check(value: unknown, file: string): CheckedReceipt {
  const receipt: Receipt = checkValue(value, receiptSchema, file)
  const isItsOwn = hashOf(value as object) === receipt.receipt_sha256
  const edited = isItsOwn ? [] : ['receipt_sha256 is not that of the receipt: it was edited']
  return { receipt, problems: [...edited, ...problemsOf(receipt)] }
}

function ofReceipt(read: () => CheckedReceipt): CheckedReceipt {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    throw new ReceiptError(error.message, { cause: error })
  }
}

function problemsOf(receipt: Receipt): readonly string[] {
  const { question, statement, result, read } = receipt
  const problems: string[] = []
  const check = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem)
  }
  check(hash('sha256', statement.sql) === statement.sql_sha256, 'sql_sha256 is not that of the SQL')
  const { placeholders, values } = statement
  check(
    question.kind === (question.query === null ? 'sql' : 'saved'),
    'the kind of the question is not what its query says',
  )
  if (question.query !== null) {
    const known = new Map(question.parameters)
    const same = placeholders.length === values.length && placeholders.every((name, i) => known.get(name) === values[i])
    check(same, 'the values of the statement are not those of the parameters')
    check(statementIsOurs(receipt) !== false, `the SQL is not that of the saved query ${question.query}`)
  }
  const hashes = result.row_hashes
  const isOfRows = hashes === null ? result.rows > MAX_ROW_HASHES : hashes.length === result.rows
  check(isOfRows, 'row_hashes are not one for each row')
  if (read.objects?.list != null) check(sumsUp(read.objects), 'the sums over the objects are not theirs')
  return problems
}

function sumsUp({ count, bytes, sha256, list }: ObjectsRead): boolean {
  const objects = list as NonNullable<typeof list>
  const lines = objects.map(({ key, bytes: size, sha256: digest }) => `${key}\t${size}\t${digest ?? '-'}\n`)
  const sum = objects.reduce((all, object) => all + object.bytes, 0)
  return count === objects.length && bytes === sum && sha256 === hash('sha256', lines.join(''))
}

/** Undefined of what has no canonical form. */
function hashOf(receipt: object): string | undefined {
  try {
    return receiptHash(receipt)
  } catch (error) {
    if (error instanceof Refusal || error instanceof RangeError) return undefined
    throw error
  }
}

/** Whether a receipt's SQL is what its saved query is here; undefined where the query is another by now, or unknown. */
export function statementIsOurs({ question, statement }: Receipt): boolean | undefined {
  const query = question.query === null ? undefined : SAVED_QUERIES.get(question.query)
  if (query === undefined || queryVersion(query) !== question.query_version || question.table === null) return undefined
  const parameters = new Map(question.parameters)
  const [column, path] = [parameters.get('column'), parameters.get('attribute')]
  const names = /^[a-z0-9_]+$/
  if (column !== undefined && !names.test(String(column))) return false
  const { table } = question
  return possibleIdentifiers(table).some(identifier => {
    const changes = deliveriesOf({ table, identifier })
    const identifiers = query.asksForColumn ? { changes, column: String(column) } : { changes }
    const asked = withPath(query, withActor(query, identifiers, actorOfStatement(statement.sql)), path)
    const { sql, placeholders } = renderQuery(query, asked)
    return sql === statement.sql && JSON.stringify(placeholders) === JSON.stringify(statement.placeholders)
  })
}
