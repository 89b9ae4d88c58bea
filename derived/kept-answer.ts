import { randomUUID } from 'node:crypto'
import type { EachItemStatement } from '../queries/each-item.js'
import type { BoundValue } from '../queries/engines/engine.js'
import type { Row } from '../queries/engines/rows.js'
import { answersFolderPrefix } from '../transform/derived.js'
import type { TableConfiguration } from '../transform/table-configuration.js'
import { CompactionError } from './compaction-error.js'
import type { DerivedBucket } from './published-manifest.js'
import { answerAfter, answerBefore, answerHash, answerStatement } from './unload-answers.js'
import type { CopyTables } from './unload-statements.js'
import { listDigest, type UnloadedAnswer } from './unloaded-manifest.js'

/** What an answer is made with. */
export interface AnswerPlace {
  readonly tables: CopyTables
  readonly configuration: TableConfiguration
  readonly derived: DerivedBucket
  /** The address of `derived`, ending in "/". */
  readonly location: string
  readonly ask: (sql: string, values: readonly BoundValue[]) => Promise<readonly Row[]>
}

/**
 * Writes what a statement answers of some days, reads it back and compares it with what the archive answers. Throws a
 * `CompactionError` where they differ.
 */
export async function writeAnswer(
  { tables, configuration, derived, location, ask }: AnswerPlace,
  statement: EachItemStatement,
  days: readonly string[],
): Promise<UnloadedAnswer> {
  const planned = { name: randomUUID(), days }
  const written = answerStatement(tables, planned, statement, configuration, location)
  await ask(written.sql, written.values)
  const [before, after] = [
    answerBefore(tables, planned, statement, configuration),
    answerAfter(tables, planned, statement),
  ]
  const [archive] = await ask(before.sql, before.values)
  const [kept] = await ask(after.sql, after.values)
  if (archive === undefined || archive.rows_kept !== kept?.rows_kept || archive.digest !== kept?.digest)
    throw new CompactionError(
      `the answer kept of ${configuration.table} up to ${days.at(-1)} is another than the archive's`,
      [`archive: ${archive?.rows_kept} rows, ${archive?.digest}`, `kept: ${kept?.rows_kept} rows, ${kept?.digest}`],
    )
  const objects = await derived.entries(answersFolderPrefix(configuration.table, planned.name))
  return {
    statement: answerHash(statement, configuration),
    name: planned.name,
    rows: Number(archive.rows_kept),
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    files: listDigest(objects),
  }
}
