import { SAVED_QUERIES } from '../catalog.js'
import type { BoundValue } from '../engines/engine.js'
import type { Row } from '../engines/rows.js'
import { inUtc } from '../engines/utc.js'
import { journalOf } from '../verdict/archive-journal.js'
import { knownByFacts } from '../verdict/gone-items.js'
import { Answer } from './answer.js'
import type { AskedArchive } from './asked-archive.js'
import { answerRowHash } from './canonical-answer.js'
import type { ObjectRead } from './objects-read.js'
import { checkReceipt, makeReceipt, type Receipt, statementIsOurs } from './receipt.js'

/**
 * How an answer compares with its receipt. `same`: to the byte, and everything that the receipt says of it;
 * `reordered`: the same rows in another order; `different`; `edited`: the receipt says of one answer what no answer
 * can have together; `not run`: the receipt does not fit together, or holds SQL that this version did not write and
 * nobody vouched for.
 */
export type RerunOutcome = 'same' | 'reordered' | 'different' | 'edited' | 'not run'

/** What came of running a receipt again. */
export interface Rerun {
  readonly outcome: RerunOutcome
  /** What does not fit together in the receipt itself, or keeps it from being run. */
  readonly problems: readonly string[]
  /** True where `trustSql` would have it run. */
  readonly needsTrust: boolean
  /** What else has changed since: the tool, the engine, the query, the objects. */
  readonly remarks: readonly string[]
  readonly answer: Answer | undefined
  /** The receipt of the new answer. */
  readonly receipt: Receipt | undefined
  /**
   * Rows that the first answer did not have, with their places from 1; undefined where the receipt has no hashes of
   * rows.
   */
  readonly newRows: readonly { readonly place: number; readonly row: Row }[] | undefined
  /** Rows that are no longer there. A receipt holds no rows, so only their places in the first answer are known. */
  readonly goneRows: readonly { readonly place: number; readonly hash: string }[] | undefined
}

export interface RerunOptions {
  /**
   * Runs SQL that this version of Itemtrail did not write. It runs with the rights of whoever asks, on files and
   * networks too: read it first.
   * @default false
   */
  readonly trustSql?: boolean
}

/** Asks the question of a receipt again and compares. Throws `ReceiptError` for what is no receipt. */
export async function rerun(
  value: unknown,
  archive: AskedArchive,
  { trustSql = false }: RerunOptions = {},
): Promise<Rerun> {
  const { receipt: first, problems } = checkReceipt(value)
  if (problems.length > 0) return notRun(problems)
  if (statementIsOurs(first) !== true && !trustSql) {
    const problem = 'the receipt holds SQL that this version of Itemtrail did not write; it is run only on demand'
    return { ...notRun([problem]), needsTrust: true }
  }
  const { question, statement } = first
  const parameters = new Map([...question.parameters, ...(await knownToday(first, archive))])
  const values = statement.placeholders.map((name, i) => parameters.get(name) ?? (statement.values[i] as BoundValue))
  const answered = await archive.sql(statement.sql, question.query === null ? statement.values : values)
  // as `answerQuery` has it: all times of a saved query are of UTC, which a column of Athena's cannot say
  const answer = new Answer(question.query === null ? answered.table : await inUtc(answered.table), {
    ...answered.asked,
    query: question.query ?? undefined,
    table: question.table ?? undefined,
    parameters,
    placeholders: statement.placeholders,
  })
  const again = await makeReceipt(answer, archive, { verdict: first.verdict.judged === true ? undefined : null })
  const compared = compareRows(first, answer, again, await journalProblems(first, archive))
  return { ...compared, needsTrust: false, remarks: remarksOn(first, again), answer, receipt: again }
}

/** What the archive's facts say of a question by now. A receipt's word for it is not taken: it could hide any item. */
async function knownToday(
  { question }: Receipt,
  archive: AskedArchive,
): Promise<readonly (readonly [string, string])[]> {
  const query = SAVED_QUERIES.get(question.query ?? '')
  if (query === undefined || question.table === null || !archive.tables().includes(question.table)) return []
  const given = Object.fromEntries(question.parameters.map(([name, value]) => [name, String(value)]))
  return Object.entries(await knownByFacts(archive.engine, archive.table(question.table), query, given))
}

function notRun(problems: readonly string[]): Rerun {
  const nothing = { answer: undefined, receipt: undefined, newRows: undefined, goneRows: undefined }
  return { outcome: 'not run', problems, needsTrust: false, remarks: [], ...nothing }
}

function compareRows(
  first: Receipt,
  answer: Answer,
  again: Receipt,
  ofJournal: readonly string[],
): Pick<Rerun, 'outcome' | 'problems' | 'newRows' | 'goneRows'> {
  const { columns, row_hashes: before } = first.result
  const rows = [...answer].map((row, i) => ({ place: i + 1, row, hash: answerRowHash(again.result.columns, row) }))
  const then = before?.map((hash, i) => ({ place: i + 1, hash }))
  const gone = then === undefined ? undefined : leftOver(then, rows)
  const fresh = then === undefined ? undefined : leftOver(rows, then)
  const isReordered =
    gone?.length === 0 &&
    fresh?.length === 0 &&
    isEqual(columns, again.result.columns) &&
    isEqual(first.items, again.items)
  const isSame = first.result.sha256 === again.result.sha256
  const problems = isSame ? besideTheRows(first, again) : tornFrom(first, again)
  const isEdited = problems.length > 0
  const [doubts, doubtsNow] = [doubtsOf(first, again), doubtsOf(again, first)]
  const doubted = isSame && !isEqual(doubts, doubtsNow) ? [differing('doubts', doubts, doubtsNow)] : []
  const others = [...ofJournal, ...doubted]
  const outcome = others.length > 0 ? 'different' : isSame ? 'same' : isReordered ? 'reordered' : 'different'
  return {
    outcome: isEdited ? 'edited' : outcome,
    problems: [...problems, ...others],
    newRows: fresh?.map(({ place, row }) => ({ place, row })),
    goneRows: gone,
  }
}

/** A receipt tells where the archive's journal ended: what the journal is less by now was cut, or begun anew. */
async function journalProblems({ verdict }: Receipt, { engine }: AskedArchive): Promise<readonly string[]> {
  const item = verdict.item as { readonly journal?: unknown } | null
  const journals = [...tablesOf(verdict), ...(item === null ? [] : [item])].map(({ journal }) => journal)
  const isOfOne = (journal: unknown) => {
    const { size } = (journal ?? {}) as { readonly size?: unknown }
    return Number.isSafeInteger(size) && Number(size) > 0
  }
  const sealed = journals.find(isOfOne)
  if (sealed === undefined) return []
  const { size, root } = sealed as { readonly size: number; readonly root: unknown }
  const attested = (await journalOf(engine))?.attested
  const why = await attested?.whyNotGrown({ size, root: Buffer.from(`${root}`, 'hex') })
  if (why?.kind === 'forked')
    return [`the first ${size} entries of the journal are others than when the receipt was made: it was begun anew`]
  if (why?.kind === 'altered') return [`the journal cannot be held against the receipt: ${why.message}`]
  if (attested !== undefined && why === undefined) return []
  const now = attested?.head.size ?? 0
  return [`the journal had ${size} entries when the receipt was made, and has ${now}: it was cut off, or begun anew`]
}

/**
 * What makes an answer doubtful by its verdict, as far as the other one's tells it, too: null is what nobody looked
 * at, and on AWS less is looked at than in a folder. How far the archive has come meanwhile is none of it.
 */
function doubtsOf({ verdict }: Receipt, { verdict: other }: Receipt): unknown {
  if (verdict.judged !== true) return null
  const [tables, others] = [tablesOf(verdict), tablesOf(other)]
  const told = (name: string, i: number) => tables[i]?.[name] !== null && others[i]?.[name] !== null
  return [
    verdict.confidence,
    ...tables.map((table, i) => DOUBTS_OF_TABLE.map(name => (told(name, i) ? table[name] : null))),
  ]
}

function tablesOf({ tables }: Receipt['verdict']): readonly Readonly<Record<string, unknown>>[] {
  return (tables ?? []) as readonly Readonly<Record<string, unknown>>[]
}

/** Fields of `describeVerdict` that tell what is missing from an answer, or wrong in it. */
const DOUBTS_OF_TABLE = [
  'table',
  'confidence',
  'gaps',
  'missing_stretches',
  'lost',
  'new_streams',
  'broken_baselines',
  'altered_comparisons',
  'refused',
  'altered_rows',
  'regions',
]

/**
 * What a receipt says of an answer that is the same to the byte, and what that answer has instead: somebody edited
 * it.
 */
function besideTheRows(first: Receipt, again: Receipt): readonly string[] {
  const [a, b] = [first.result, again.result]
  const facts = [
    ['columns', a.columns, b.columns],
    ['rows', a.rows, b.rows],
    ['row_hashes', a.row_hashes, b.row_hashes],
    ['window', first.window, again.window],
    ['distinct items', first.items?.distinct ?? null, again.items?.distinct ?? null],
  ] as const
  return facts
    .filter(([, then, now]) => !isEqual(then, now))
    .map(([name, then, now]) => `the receipt was edited: ${differing(name, then, now)}, of the very same answer`)
}

/** Hashes of rows that are those of the answer, where the hash of the whole is another. */
function tornFrom({ result }: Receipt, again: Receipt): readonly string[] {
  const { columns, row_hashes: hashes } = result
  if (hashes === null || !isEqual(hashes, again.result.row_hashes) || !isEqual(columns, again.result.columns)) return []
  return [
    'the receipt was edited: its columns and row_hashes are those of the answer, and the sha256 of its result is not',
  ]
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** What was and what is, each cut to what can be read. */
function differing(name: string, then: unknown, now: unknown): string {
  return `${name} were ${cutJson(then)}, are ${cutJson(now)}`
}

function cutJson(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 197)}...` : text
}

/** Of `these` those that `others` do not have, each counted as often as it is there. */
function leftOver<T extends { readonly hash: string }>(
  these: readonly T[],
  others: readonly { readonly hash: string }[],
): readonly T[] {
  const counts = new Map<string, number>()
  for (const { hash } of others) counts.set(hash, (counts.get(hash) ?? 0) + 1)
  return these.filter(({ hash }) => {
    const left = counts.get(hash) ?? 0
    counts.set(hash, left - 1)
    return left <= 0
  })
}

function remarksOn(first: Receipt, again: Receipt): readonly string[] {
  const remarks: string[] = []
  const { question, engine, tool, archive } = first
  if (question.kind === 'saved' && statementIsOurs(first) === undefined)
    remarks.push(`saved query ${question.query} is another by now; the SQL of the receipt was run`)
  const now = new Map(again.question.parameters)
  for (const [name, value] of question.parameters)
    if (now.get(name) !== value)
      remarks.push(
        `the archive's facts say otherwise by now: ${name} was ${cutJson(value)}, is ${cutJson(now.get(name))}`,
      )
  const version = (of: Receipt['engine']) => `${of.name} ${of.version ?? 'of unknown version'}`
  if (version(engine) !== version(again.engine))
    remarks.push(`the engine was ${version(engine)}, is ${version(again.engine)}`)
  if (tool.version !== again.tool.version) remarks.push(`itemtrail was ${tool.version}, is ${again.tool.version}`)
  if (JSON.stringify(archive) !== JSON.stringify(again.archive))
    remarks.push(`the archive was ${JSON.stringify(archive)}, is ${JSON.stringify(again.archive)}`)
  if (first.result.sha256 !== again.result.sha256)
    for (const part of ['window', 'items'] as const)
      if (!isEqual(first[part], again[part])) remarks.push(differing(part, first[part], again[part]))
  if (JSON.stringify(first.read.partitions) !== JSON.stringify(again.read.partitions))
    remarks.push('the partitions that the question could read are not those of the receipt')
  return [...remarks, ...objectRemarks(first.read.objects?.list ?? null, again.read.objects?.list ?? null)]
}

function objectRemarks(before: readonly ObjectRead[] | null, after: readonly ObjectRead[] | null): readonly string[] {
  if (before === null || after === null) return []
  const byKey = (list: readonly ObjectRead[]) => new Map(list.map(object => [object.key, object]))
  const [then, now] = [byKey(before), byKey(after)]
  const isOther = ({ key, bytes, sha256 }: ObjectRead) => {
    const found = now.get(key)
    const hashed = found?.sha256 != null && sha256 !== null && found.sha256 !== sha256
    return found !== undefined && (found.bytes !== bytes || hashed)
  }
  const groups = [
    ['no longer there', before.filter(({ key }) => !now.has(key))],
    ['new', after.filter(({ key }) => !then.has(key))],
    ['CHANGED, although objects are never rewritten', before.filter(isOther)],
  ] as const
  return groups
    .filter(([, objects]) => objects.length > 0)
    .map(
      ([what, objects]) =>
        `${objects.length} objects are ${what}: ${objects
          .slice(0, 3)
          .map(({ key }) => key)
          .join(', ')}`,
    )
}
