import type { Table } from 'apache-arrow'
import { Answer } from '../../queries/answers/answer.js'
import { askedBySql } from '../../queries/answers/ask.js'
import { fingerprintOf } from '../../queries/answers/canonical-answer.js'
import { makeReceipt } from '../../queries/answers/receipt.js'
import { type QueryEngine, streamAnswer } from '../../queries/engines/engine.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import { AddressError, linkTo, sqlCommand } from '../address.js'
import { ListTable } from '../layout.js'
import { Cell, fitsPaper } from '../paper/parts.js'
import type { PageAsking, Screen } from '../screen.js'
import { seenRows } from '../sealed.js'
import { judgedBy } from '../sureness.js'

const MOST_SHOWN = 500
/** What is taken of an answer, for the server holds it: no statement may take the memory of the machine. */
const MOST_ROWS = 10_000
const MOST_BYTES = 16 * 1024 * 1024
const MOST_SECONDS = 60

const LIMITS = `at most ${MOST_ROWS.toLocaleString('en')} rows and ${MOST_BYTES / 1024 / 1024} MB of an answer are taken, and ${MOST_SECONDS} seconds; the command has no such limits`

/** SQL of one's own, where whoever started the server allows it: one query that reads the archive's rows. */
export async function sqlScreen(asking: PageAsking): Promise<Screen> {
  checkAllowed(asking)
  const trail = [['sql', '/sql']] as const
  const { statement } = asking.search
  const form = (
    <form method="get" action="/sql" class="noprint" id="narrow">
      <label>
        one query; each table is a view, its name in lower case
        <textarea name="statement" rows={4} cols={90} required spellcheck={false}>
          {statement ?? ''}
        </textarea>
      </label>
      <button type="submit">ask</button>
    </form>
  )
  if (statement === undefined)
    return { question: 'What does a statement answer?', trail, remarks: [LIMITS], body: form, data: {} }
  const { answer, isCut } = await takeSome(asking, statement)
  const { table } = answer
  const { archive } = asking
  const all = archive.tables().map(name => archive.table(name))
  const rows = await seenRows(asking, all, rowsShown(asking, table))
  const names = table.schema.fields.map(({ name }) => name)
  const { sha256, rowHashes } = fingerprintOf(table)
  const of = isCut ? `the first ${table.numRows} of more` : table.numRows
  return {
    question: 'What does this statement answer?',
    trail,
    command: sqlCommand(statement, asking.flags),
    sureness: judgedBy(await asking.verdict(answer.asked), asking.root),
    counts: `${rows.length} of ${of} rows shown`,
    ...(!isCut && { receipt: { sha256, link: linkTo(['sql', 'receipt'], { statement }) } }),
    remarks: isCut ? [`this is not the whole answer: ${LIMITS}`] : [],
    data: {
      statement,
      rows,
      is_whole: !isCut,
      result: isCut ? null : { sha256, rows: table.numRows, row_hashes: rowHashes },
    },
    isCut,
    rows: table,
    body: asking.waits ? null : (
      <>
        {form}
        <section class="scroll" aria-label="the answer" tabindex={0}>
          <ListTable
            caption={`${rows.length} of ${of} rows`}
            columns={names.map(name => [name])}
            isBroken={!fitsPaper(names, rows)}
          >
            {rows.map(row => (
              <tr>
                {names.map(name => (
                  <Cell value={row[name] ?? null} isNumber={false} label={name} />
                ))}
              </tr>
            ))}
          </ListTable>
        </section>
      </>
    ),
  }
}

/** The receipt of a statement's answer, where that is not too large for the page. */
export async function receiptOfSql(asking: PageAsking): Promise<object> {
  checkAllowed(asking)
  const { statement } = asking.search
  if (statement === undefined) throw new AddressError('statement is missing, expected one query')
  const command = sqlCommand(statement, asking.flags)
  const { answer, isCut } = await takeSome(asking, statement)
  if (isCut) throw new AddressError(`the answer is too large for the page: ${LIMITS}`, 400, `${command} --receipt FILE`)
  const verdict = (await asking.verdict(answer.asked)) ?? null
  return makeReceipt(answer, asking.archive, { verdict, askedAs: command })
}

/** The rows of a file are all of them. */
function rowsShown({ waits }: PageAsking, table: Table): readonly Row[] {
  // Arrow cannot slice a table without rows
  return [...rowsOf(waits || table.numRows === 0 ? table : table.slice(0, MOST_SHOWN))]
}

/** An answer, or its beginning. */
async function takeSome(
  { archive: { engine }, flags }: PageAsking,
  statement: string,
): Promise<{ readonly answer: Answer; readonly isCut: boolean }> {
  const began = new Date()
  const asked = askedBySql(statement)
  const signal = AbortSignal.timeout(MOST_SECONDS * 1000)
  try {
    const { table, isCut } = await takeRows(engine, asked.sql, signal)
    return { answer: new Answer(table, { ...asked, began, milliseconds: Date.now() - began.getTime() }), isCut }
  } catch (error) {
    if (!signal.aborted) throw error
    throw new AddressError(`the statement was stopped: ${LIMITS}`, 400, sqlCommand(statement, flags))
  }
}

/** The first rows that a statement answers with: what is not taken is not asked for. */
async function takeRows(
  engine: QueryEngine,
  sql: string,
  signal: AbortSignal,
): Promise<{ readonly table: Table; readonly isCut: boolean }> {
  const taken: Table[] = []
  let [rows, bytes] = [0, 0]
  for await (const piece of streamAnswer(engine, sql, [], { foreign: true, signal })) {
    taken.push(piece)
    rows += piece.numRows
    bytes += piece.data.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (rows > MOST_ROWS || bytes > MOST_BYTES) break
  }
  // of an answer without rows there may be no piece, and so no names of columns
  if (rows === 0) taken.push(await engine.run(sql, [], { foreign: true, signal }))
  const [first, ...rest] = taken.filter(({ numRows }) => numRows > 0 || rows === 0) as [Table, ...Table[]]
  const table = first.concat(...rest)
  const isCut = rows > MOST_ROWS || bytes > MOST_BYTES
  return { table: isCut && rows > MOST_ROWS ? table.slice(0, MOST_ROWS) : table, isCut }
}

function checkAllowed({ allowsSql }: PageAsking): void {
  if (!allowsSql) throw new AddressError('SQL is not allowed here: itemtrail view --allow-sql allows it', 404)
}
