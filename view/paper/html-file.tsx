import { DataType, type Table } from 'apache-arrow'
import { raw } from 'hono/html'
import { rowsOf } from '../../queries/engines/rows.js'
import { Cell, ConfidenceLine, FactList } from './parts.js'
import { revealPage } from './reveal.js'
import { STYLE, STYLE_HASH } from './style.js'

/** What a page says around the table. All of it is plain text. */
export interface PageContext {
  /** The question, as the table's caption and the page's title. */
  readonly question: string
  /** Named facts above the table: the table asked, the parameters. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly sql?: string | undefined
  /** True where the SQL is somebody's own: then it is the question itself. @default false */
  readonly isOwnSql?: boolean
  /** Columns that a form as short as a terminal's leaves out. @default - none */
  readonly details?: readonly string[]
  /** `UNBROKEN`, `GAP`, ... and the sentence that explains it. */
  readonly confidence?: { readonly word: string; readonly text: string } | undefined
  /** What it means when there are no rows. */
  readonly empty?: string | undefined
  /** Named facts below the table: a receipt's footer, the tool and the time. */
  readonly footer?: Readonly<Record<string, string>>
}

const LINES_AT_ONCE = 500

/**
 * An answer as one HTML page that stands alone: no script, nothing loaded from anywhere, everything from the archive
 * escaped, and a policy in the page that holds a browser to this. Readable in light, dark, in print and by a screen
 * reader.
 */
export function* toHtml(table: Table, context: PageContext): Generator<Uint8Array> {
  const { fields } = table.schema
  const isNumber = fields.map(({ type }) => DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type))
  const page = String(
    <Page context={context} names={fields.map(({ name }) => name)} isNumber={isNumber} table={table} />,
  )
  // a mark that no text can be: each `<` of a text is escaped
  const [head, end] = page.split('<rows></rows>') as [string, string]
  yield bytesOf(`<!doctype html>\n${head}\n`)
  let lines: string[] = []
  for (const row of rowsOf(table)) {
    lines.push(
      String(
        <tr>
          {fields.map(({ name }, i) => (
            <Cell value={row[name] ?? null} isNumber={isNumber[i] === true} />
          ))}
        </tr>,
      ),
    )
    if (lines.length < LINES_AT_ONCE) continue
    yield bytesOf(`${lines.join('\n')}\n`)
    lines = []
  }
  if (table.numRows === 0) {
    const columns = Math.max(1, fields.length)
    lines.push(
      String(
        <tr>
          <td class="dim" colspan={columns}>
            {context.empty ?? 'no rows'}
          </td>
        </tr>,
      ),
    )
  }
  yield bytesOf(`${lines.join('\n')}\n${end}\n`)
}

function bytesOf(html: string): Uint8Array {
  return Buffer.from(revealPage(html))
}

interface PageOf {
  readonly context: PageContext
  readonly names: readonly string[]
  readonly isNumber: readonly boolean[]
  readonly table: Table
}

function Page({ context, names, isNumber, table }: PageOf) {
  const { question, parameters = {}, sql, confidence, footer = {} } = context
  const rows = `${table.numRows.toLocaleString('en')} ${table.numRows === 1 ? 'row' : 'rows'}`
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content={raw(`default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`)}
        />
        <meta name="referrer" content="no-referrer" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{question}</title>
        <style>{raw(STYLE)}</style>
      </head>
      <body>
        <main>
          <section class="scroll" aria-labelledby="question" tabindex={0}>
            <table class="file">
              <caption>
                <h1 id="question">{question}</h1>
                <FactList of={parameters} />
                {confidence === undefined ? null : <ConfidenceLine word={confidence.word} text={confidence.text} />}
                <p>{rows}</p>
              </caption>
              <thead>
                <tr>
                  {names.map((name, i) => (
                    <th scope="col" {...(isNumber[i] && { class: 'n' })}>
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>{raw('<rows></rows>')}</tbody>
            </table>
          </section>
        </main>
        <footer>
          {sql === undefined ? null : (
            <details class="sql">
              <summary>SQL</summary>
              <pre>{sql}</pre>
            </details>
          )}
          <FactList of={footer} />
        </footer>
      </body>
    </html>
  )
}
