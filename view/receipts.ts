import { fingerprintOf } from '../queries/answers/canonical-answer.js'
import { type AnsweredHistory, answerHistory } from '../queries/answers/read-history.js'
import { makeReceipt, type Receipt } from '../queries/answers/receipt.js'
import { formatInstant } from '../transform/instant.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { linkTo } from './address.js'
import type { PageAsking, Screen } from './screen.js'
import { isSmallTable } from './sureness.js'

/** Rows up to which the hash of a list is found out with the list; of more it comes with the receipt. */
const MOST_HASHED = 5000

/**
 * The hash of an item's history, as receipts have it: of what was known until a moment (microseconds since 1970,
 * included) where the answer rests on no more.
 */
export async function receiptOfItem(
  asking: PageAsking,
  table: TableConfiguration,
  { answer, itemKey }: AnsweredHistory,
  untilUs?: number,
): Promise<Screen['receipt']> {
  const isOver = untilUs !== undefined && untilUs < asking.now.getTime() * 1000
  const until = isOver
    ? await asking.once(`until ${table.table} ${itemKey} ${untilUs}`, () =>
        answerHistory(asking.archive.engine, table, itemKey, untilUs),
      )
    : answer
  const to = isOver ? { to: formatInstant(untilUs + 1, 6) } : {}
  const link = linkTo(['receipt', 'item-history'], { table: table.table, item_key: itemKey, ...to })
  return { sha256: fingerprintOf(until.table).sha256, link }
}

/** The hash of a list that a statement of ours answers, where it is short, and where its receipt is. */
export async function receiptOfList(
  asking: PageAsking,
  table: TableConfiguration,
  sql: string,
  rows: number | undefined,
  link: string,
): Promise<Screen['receipt']> {
  // no text of a statement can hold it
  if (sql.includes('\0')) return undefined
  // of a large table, or on AWS, it would take as long as the list again
  if (rows === undefined || rows > MOST_HASHED || !(await isSmallTable(asking, table.table))) return { link }
  const sha256 = await asking.once(
    `hash of ${sql}`,
    async () => fingerprintOf((await asking.archive.sql(sql)).table).sha256,
  )
  return { sha256, link }
}

/** The hash of what a table held at a moment, all items of it, where the table is small; and where its receipt is. */
export async function receiptOfTableAsOf(
  asking: PageAsking,
  { table }: TableConfiguration,
  at: string,
  items: number,
): Promise<Screen['receipt']> {
  const link = linkTo(['receipt', 'table-as-of'], { table, at })
  if (items > MOST_HASHED || !(await isSmallTable(asking, table))) return { link }
  const sha256 = await asking.once(
    `hash of ${table} as of ${at}`,
    async () => fingerprintOf((await asking.archive.run('table-as-of', table, { at })).table).sha256,
  )
  return { sha256, link }
}

/** The receipt of a statement's answer, as `itemtrail sql --receipt` writes it. */
export async function receiptOfStatement(asking: PageAsking, sql: string, askedAs: string): Promise<Receipt> {
  const answer = await asking.archive.sql(sql)
  const verdict = (await asking.verdict(answer.asked)) ?? null
  return makeReceipt(answer, asking.archive, { verdict, askedAs })
}
