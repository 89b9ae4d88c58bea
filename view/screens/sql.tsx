import { archiveFlag } from '../../cli/show/archive-name.js'
import { fingerprintOf } from '../../queries/answers/canonical-answer.js'
import { rowsOf } from '../../queries/engines/rows.js'
import { AddressError, linkTo, shellWord } from '../address.js'
import { ListTable } from '../layout.js'
import { Cell } from '../paper/parts.js'
import { receiptOfStatement } from '../receipts.js'
import type { PageAsking, Screen } from '../screen.js'
import { seenRows } from '../sealed.js'
import { judgedBy } from '../sureness.js'

const MOST_SHOWN = 500

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
  if (statement === undefined) return { question: 'What does a statement answer?', trail, body: form, data: {} }
  const answer = await asking.archive.sql(statement)
  const stored = [...rowsOf(answer.table.slice(0, asking.waits ? undefined : MOST_SHOWN))]
  const { archive } = asking
  const rows = await seenRows(
    asking,
    archive.tables().map(name => archive.table(name)),
    stored,
  )
  const { sha256, rowHashes } = fingerprintOf(answer.table)
  return {
    question: 'What does this statement answer?',
    trail,
    command: commandOf(statement, asking.root),
    sureness: judgedBy(await asking.verdict(answer.asked), asking.root),
    counts: `${rows.length} of ${answer.length} rows shown`,
    receipt: { sha256, link: linkTo(['sql', 'receipt'], { statement }) },
    data: { statement, rows, result: { sha256, rows: answer.length, row_hashes: rowHashes } },
    rows: answer.table,
    body: (
      <>
        {form}
        <section class="scroll" aria-label="the answer" tabindex={0}>
          <ListTable caption={`${rows.length} of ${answer.length} rows`} columns={answer.columns.map(name => [name])}>
            {rows.map(row => (
              <tr>
                {answer.columns.map(name => (
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

/** The receipt of a statement's answer. */
export async function receiptOfSql(asking: PageAsking): Promise<object> {
  checkAllowed(asking)
  const { statement } = asking.search
  if (statement === undefined) throw new AddressError('statement is missing, expected one query')
  return receiptOfStatement(asking, statement, commandOf(statement, asking.root))
}

function checkAllowed({ allowsSql }: PageAsking): void {
  if (!allowsSql) throw new AddressError('SQL is not allowed here: itemtrail view --allow-sql allows it', 404)
}

function commandOf(statement: string, root: string): string {
  return `itemtrail sql ${shellWord(statement)}${archiveFlag(root)}`
}
