import { showItemKey } from '../../cli/show/item-key.js'
import type { Parameters as Given } from '../../library/given.js'
import type { Answer } from '../../queries/answers/answer.js'
import { fingerprintOf } from '../../queries/answers/canonical-answer.js'
import { makeReceipt } from '../../queries/answers/receipt.js'
import { unseenSealed } from '../../queries/answers/sealed-places.js'
import { explainNothing } from '../../queries/answers/why-nothing.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { type Row, rowsOf } from '../../queries/engines/rows.js'
import type { Parameter } from '../../queries/parameters.js'
import type { QueryName } from '../../queries/query-types.js'
import { parseItem } from '../../transform/attribute-value.js'
import { formatInstant, parseInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { AddressError, linkTo, momentIn, type Search, shellWord, startIn } from '../address.js'
import { here } from '../layout.js'
import { Cell, fitsPaper } from '../paper/parts.js'
import type { PageAsking, Screen, Sureness } from '../screen.js'
import { seenRows } from '../sealed.js'
import { judgedBy, judgedItem, surenessOf } from '../sureness.js'
import { itemIn, itemLink, tableIn } from '../tables.js'
import { InstantText } from '../times.js'

const A_PAGE = 50

/** A saved question: its form, made from its header, and its answer. */
export async function questionScreen(asking: PageAsking): Promise<Screen> {
  const saved = savedIn(asking)
  const table = tableOf(asking)
  const trail = [
    [table.table, linkTo(['t', table.table])],
    [saved.name, linkTo(['q', saved.name], { table: table.table })],
  ] as const
  const form = <Form saved={saved} table={table} search={asking.search} />
  const missing = saved.parameters.filter(
    parameter => isNeeded(parameter, table) && asking.search[parameter.name] === undefined,
  )
  if (
    asking.search.form !== undefined ||
    missing.length > 0 ||
    (saved.asksForColumn && asking.search.column === undefined)
  )
    return {
      question: saved.question,
      trail,
      body: <div id="narrow">{form}</div>,
      data: { query: saved.name, table: table.table, missing: missing.map(({ name }) => name) },
      counts: 'not asked yet',
    }
  const parameters = await parametersIn(asking, saved, table)
  const key = JSON.stringify([saved.name, table.table, parameters])
  const answer = await asking.once(`answer ${key}`, () => ask(asking, saved, table, parameters))
  const sureness = await surenessOfAnswer(asking, answer, table)
  const start = startIn(asking.search)
  const { sha256, rowHashes, columns } = await asking.once(`fingerprint ${key}`, async () =>
    fingerprintOf(answer.table),
  )
  const stored = asking.waits ? [...rowsOf(answer.table)] : pageOf(answer, start)
  const shown = await seenRows(asking, [table], stored)
  const unseen = await unseenSealed(asking.archive.engine, table, answer.asked)
  const nothing =
    answer.length > 0 || asking.onAws ? undefined : await explainNothing(asking.archive.engine, table, answer.asked)
  return {
    question: saved.question,
    trail,
    command: commandOf(saved, table, parameters, asking.flags),
    sureness,
    counts: `${shown.length.toLocaleString('en')} of ${answer.length.toLocaleString('en')} rows shown`,
    receipt: {
      sha256,
      link: linkTo(['receipt', saved.name], { ...asking.search, after: undefined, row: undefined, tz: undefined }),
    },
    remarks: unseen === undefined ? answer.remarks : [...answer.remarks, unseen],
    data: {
      query: saved.name,
      table: table.table,
      parameters: Object.fromEntries(answer.asked.parameters),
      columns,
      rows: shown,
      result: { rows: answer.length, sha256, row_hashes: rowHashes },
    },
    rows: answer.table,
    body: asking.waits ? null : (
      <>
        <Parameters answer={answer} saved={saved} asking={asking} />
        <details id="narrow" class="noprint">
          <summary>ask it otherwise</summary>
          {form}
        </details>
        {answer.length === 0 ? (
          <p class="note">{`${saved.empty}${nothing === undefined ? '' : `: ${nothing}`}`}</p>
        ) : (
          <Rows saved={saved} rows={shown} table={table} total={answer.length} asking={asking} />
        )}
        <nav class="pages noprint" aria-label="pages">
          {start > 0 ? <a href={here(asking, { after: undefined })}>first</a> : null}
          {start + A_PAGE < answer.length ? (
            <a rel="next" href={here(asking, { after: String(start + A_PAGE) })}>
              next {A_PAGE}
            </a>
          ) : null}
        </nav>
        <details class="sql">
          <summary>SQL</summary>
          <pre>{answer.asked.sql}</pre>
        </details>
      </>
    ),
  }
}

/** The receipt of the answer to a saved question, as `--receipt` writes it. */
export async function receiptOf(asking: PageAsking): Promise<object> {
  const saved = savedIn(asking)
  const table = tableOf(asking)
  const parameters = await parametersIn(asking, saved, table)
  const answer = await ask(asking, saved, table, parameters)
  const { query, parameters: bound, sql } = answer.asked
  const verdict = (await asking.verdict({ query, table: table.table, parameters: bound, sql })) ?? null
  return makeReceipt(answer, asking.archive, { verdict, askedAs: commandOf(saved, table, parameters, asking.flags) })
}

function savedIn({ path }: PageAsking): SavedQuery {
  const saved = SAVED_QUERIES.get(path[1] ?? '')
  if (saved !== undefined) return saved
  throw new AddressError(
    `query ${JSON.stringify(path[1])} is unknown, expected one of ${[...SAVED_QUERIES.keys()].join(', ')}`,
    404,
  )
}

function tableOf(asking: PageAsking): TableConfiguration {
  const [only, ...others] = asking.archive.tables()
  if (asking.search.table === undefined && only !== undefined && others.length === 0) return asking.archive.table(only)
  if (asking.search.table === undefined)
    throw new AddressError(`table is missing, the archive has ${asking.archive.tables().join(', ') || 'none'}`)
  return tableIn(asking, asking.search.table)
}

function isNeeded({ default: preset, preset: from }: Parameter, table: TableConfiguration): boolean {
  return (
    preset === undefined &&
    from !== 'facts' &&
    from !== 'table' &&
    !(from === 'lifecycle' && table.lifecycle !== undefined)
  )
}

async function parametersIn(
  asking: PageAsking,
  saved: SavedQuery,
  table: TableConfiguration,
): Promise<Readonly<Record<string, string>>> {
  const given: Record<string, string> = {}
  for (const { name, type, preset } of saved.parameters) {
    const text = asking.search[name]
    if (text === undefined || preset === 'facts') continue
    if (type === 'item') given[name] = await itemIn(asking, table, text)
    else if (type === 'instant') given[name] = formatInstant(momentIn(asking.search, name) as number, 6)
    else given[name] = text
  }
  if (saved.asksForColumn && asking.search.column !== undefined) given.column = asking.search.column
  return given
}

function ask(
  { archive }: PageAsking,
  { name, parameters }: SavedQuery,
  { table }: TableConfiguration,
  texts: Readonly<Record<string, string>>,
): Promise<Answer> {
  const isKey = (known: string) => parameters.some(({ name, type }) => name === known && type === 'item')
  const given = Object.entries(texts).map(([known, text]) => [known, isKey(known) ? parseItem(text) : text])
  return archive.run(name as QueryName, table, Object.fromEntries(given) as Given)
}

async function surenessOfAnswer(asking: PageAsking, { asked }: Answer, table: TableConfiguration): Promise<Sureness> {
  // about one item it costs little, and is told at once
  if (asked.parameters.has('item_key')) {
    const verdict = await asking.verdict({ ...asked, table: table.table })
    return verdict?.item === undefined
      ? judgedBy(verdict, asking.root)
      : judgedItem(verdict.item, table.table, asking.root)
  }
  const texts = Object.fromEntries([...asked.parameters].map(([name, value]) => [name, String(value)]))
  return surenessOf(asking, table.table, texts, { query: asked.query })
}

function pageOf(answer: Answer, start: number): readonly Row[] {
  // Arrow cannot slice a table without rows
  return answer.table.numRows === 0 ? [] : [...rowsOf(answer.table.slice(start, start + A_PAGE))]
}

function commandOf(
  saved: SavedQuery,
  table: TableConfiguration,
  parameters: Readonly<Record<string, string>>,
  flags: string,
): string {
  const given = Object.entries(parameters).map(
    ([name, value]) => ` --param ${shellWord(`${name}=${name === 'item_key' ? showItemKey(value) : value}`)}`,
  )
  return `itemtrail query ${saved.name} ${shellWord(table.table)}${given.join('')}${flags}`
}

interface ParametersOf {
  readonly answer: Answer
  readonly saved: SavedQuery
  readonly asking: PageAsking
}

/** What was asked for, in words where a parameter stands for an end of time. */
function Parameters({ answer, saved, asking }: ParametersOf) {
  const known = saved.parameters.filter(({ name, preset }) => preset !== 'facts' && answer.asked.parameters.has(name))
  if (known.length === 0) return null
  return (
    <dl class="facts">
      {known.map(parameter => (
        <div>
          <dt>{parameter.name}</dt>
          <dd>{parameterText(parameter, String(answer.asked.parameters.get(parameter.name)), asking)}</dd>
        </div>
      ))}
    </dl>
  )
}

function parameterText({ name, type, default: preset }: Parameter, value: string, { clock }: PageAsking): string {
  if (type === 'item') return showItemKey(value)
  const us = type === 'instant' ? parseInstant(value)?.us : undefined
  if (us === undefined) return value
  if (preset === undefined || us !== parseInstant(preset)?.us) return clock.text(us)
  return name === 'to' ? 'the end' : name === 'from' ? 'the beginning' : clock.text(us)
}

/** A field for each parameter. */
function Form({
  saved,
  table,
  search,
}: {
  readonly saved: SavedQuery
  readonly table: TableConfiguration
  readonly search: Search
}) {
  return (
    <form method="get" action={linkTo(['q', saved.name])} class="noprint">
      <input type="hidden" name="table" value={table.table} />
      {saved.asksForColumn ? (
        <label>
          column: one that is configured
          <select name="column">
            {table.columns.map(({ column }) => (
              <option value={column} selected={column === search.column}>
                {column}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      {saved.parameters
        .filter(({ preset }) => preset !== 'facts')
        .map(parameter => (
          <label>
            {`${parameter.name}: ${parameter.meaning}`}
            <input
              name={parameter.name}
              value={search[parameter.name] ?? (isNeeded(parameter, table) ? '' : (parameter.default ?? ''))}
              placeholder={parameter.example}
              required={isNeeded(parameter, table)}
              size={30}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
        ))}
      <button type="submit">ask</button>
    </form>
  )
}

interface RowsOf {
  readonly saved: SavedQuery
  readonly rows: readonly Row[]
  readonly table: TableConfiguration
  readonly total: number
  readonly asking: PageAsking
}

function Rows({ saved, rows, table, total, asking }: RowsOf) {
  const names = saved.columns.map(({ name }) => name)
  const columns = [...saved.columns.filter(({ detail }) => !detail), ...saved.columns.filter(({ detail }) => detail)]
  return (
    <section class="scroll" aria-label="the answer" tabindex={0}>
      <table class={fitsPaper(names, rows) ? 'wide' : 'wide broken'}>
        <caption>{`${rows.length} of ${total.toLocaleString('en')} rows, ${columns.length} columns`}</caption>
        <thead>
          <tr>
            {columns.map(({ name, type }) => (
              <th scope="col" {...(isNumber(type) && { class: 'n' })}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr {...openOf(row, table)}>
              {columns.map(({ name, type }) => {
                const value = row[name] ?? null
                if (name === 'item_key' && typeof value === 'string')
                  return (
                    <td class={showItemKey(value).length > 28 ? 'any' : 't'} data-label={name}>
                      <a href={itemLink(table.table, value)}>{showItemKey(value)}</a>
                    </td>
                  )
                if (name === 'event_id' && typeof value === 'string')
                  return (
                    <td data-label={name}>
                      <a href={linkTo(['t', table.table, 'e', value])}>
                        <code>{value.slice(0, 8)}</code>
                      </a>
                    </td>
                  )
                if (type.startsWith('timestamp') && typeof value === 'string')
                  return (
                    <td class="t" data-label={name}>
                      <InstantText text={value} clock={asking.clock} />
                    </td>
                  )
                return <Cell value={value} isNumber={isNumber(type)} label={name} />
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function isNumber(type: string): boolean {
  return type === 'bigint' || type === 'double'
}

function openOf(row: Row, table: TableConfiguration): { readonly 'data-row'?: string; readonly 'data-open'?: string } {
  const link =
    typeof row.event_id === 'string'
      ? linkTo(['t', table.table, 'e', row.event_id])
      : typeof row.item_key === 'string'
        ? itemLink(table.table, row.item_key)
        : undefined
  return link === undefined ? {} : { 'data-row': link, 'data-open': link }
}
