import type { Table } from 'apache-arrow'
import type { Unsealing } from '../../../erasure/reveal.js'
import { revealRows } from '../../../erasure/revealed.js'
import type { Answer } from '../../../queries/answers/answer.js'
import { streamQuery } from '../../../queries/answers/ask.js'
import { savedQuery } from '../../../queries/catalog.js'
import { type Difference, differencesOf } from '../../../queries/difference.js'
import { type Row, rowsOf } from '../../../queries/engines/rows.js'
import { type Item, parseItem } from '../../../transform/attribute-value.js'
import { formatInstant, type Instant } from '../../../transform/instant.js'
import type { TableConfiguration } from '../../../transform/table-configuration.js'
import { type Asking, judgedParts, judgementOf, lazily, savedQuestion } from '../../ask/question.js'
import { revealingOf, revealTable, textsIn } from '../../ask/revealing.js'
import { EXIT, type Io } from '../../io.js'
import { showPath, showValue } from '../../show/item.js'
import { showItemKey } from '../../show/item-key.js'
import { grouped } from '../../show/progress.js'
import { showInstant, WHY_UNKNOWN } from '../../show/state.js'
import type { AnswerSurface } from '../../show/surface.js'
import { exitOfVerdict, pageVerdict, printVerdict } from '../../show/table-verdict.js'
import { paint } from '../../show/terminal.js'
import { cut, pad, printable, widthOf, wrap } from '../../show/text.js'

/** What differs in a whole table between two moments: how many items, then a line for each. */
export async function diffOfTable(
  asking: Asking,
  table: TableConfiguration,
  [from, to]: readonly [Instant, Instant],
): Promise<AnswerSurface> {
  const { workspace, options } = asking
  const { root, engine, archive } = workspace
  const period = { from: formatInstant(from.us, 6), to: formatInstant(to.us, 6) }
  const revealing = await revealingOf(workspace, table, options)
  const { shown, given, ready } = revealing
  const whole = lazily(async () => {
    const answer: Answer = await archive.run('diff-of-table', table.table, period)
    await ready(textsIn(answer.table))
    return answer
  })
  const judgement = judgementOf(savedQuestion('diff-of-table', table, period), asking, whole)
  const { verdict } = judgement
  const span = (zone?: string) => `${showInstant(from, zone)} → ${showInstant(to, zone)}`
  let streamed: Counts | undefined
  return {
    page: async io => {
      io.out(`${paint(io, 'bold', printable(table.table))}  ${span(io.zone)}\n`)
      printDifferences(await whole(), shown, io)
      io.out('\n')
      printVerdict(await verdict(), root, io.out, io)
    },
    about: { table: table.table, ...period },
    rows: async function* () {
      streamed = noCounts()
      for await (const piece of streamQuery(engine, savedQuery('diff-of-table'), table, period)) {
        await ready(textsIn(piece))
        addCounts(piece, streamed)
        yield* describeRows(rowsOf(piece), given)
      }
    },
    table: async () => revealTable((await whole()).table, revealing),
    web: async () => {
      const answer = await whole()
      return {
        question: `What differs in ${table.table}?`,
        parameters: { table: table.table, between: span(), counts: countsText(answer) },
        sql: answer.asked.sql,
        empty: 'no item differs',
        confidence: pageVerdict(await verdict(), root),
      }
    },
    ...judgedParts(judgement, root),
    end: async io => {
      const { unknown } = streamed ?? countsOf(await whole())
      if (unknown > 0) io.err(`${wrap(`${grouped(unknown)} ${WHY_UNKNOWN}`, io.columns)}\n`)
      return unknown > 0 ? EXIT.unchecked : exitOfVerdict(await verdict())
    },
  }
}

type Kind = 'added' | 'removed' | 'changed' | 'unknown'

type Counts = Record<Kind, number>

function noCounts(): Counts {
  return { added: 0, removed: 0, changed: 0, unknown: 0 }
}

function addCounts(rows: Table, counts: Counts): void {
  for (const kind of rows.getChild('difference') ?? []) counts[kind as Kind]++
}

function countsOf({ table }: Answer): Readonly<Counts> {
  const counts = noCounts()
  addCounts(table, counts)
  return counts
}

function countsText(answer: Answer): string {
  const { added, removed, changed, unknown } = countsOf(answer)
  const parts = [`${grouped(added)} added`, `${grouped(removed)} removed`, `${grouped(changed)} changed`]
  return [...parts, ...(unknown > 0 ? [`${grouped(unknown)} unknown`] : [])].join(', ')
}

const MARKS = { added: '+', removed: '-', changed: '~', unknown: '?' } as const
const COLOURS = { added: 'green', removed: 'red', changed: 'yellow', unknown: 'magenta' } as const

/** Columns that keys are aligned in, up to which none is wider. */
const KEY_WIDTH = 32

function printDifferences(answer: Answer, unseal: Unsealing, io: Io): void {
  io.out(`${answer.length === 0 ? 'no item differs' : countsText(answer)}\n`)
  const keys = [...(answer.table.getChild('item_key') ?? [])].map(key => showItemKey(String(key)))
  const width = Math.min(KEY_WIDTH, widthOf(keys))
  if (answer.length > 0) io.out('\n')
  let place = 0
  for (const row of revealRows(answer.rows(), unseal)) {
    const kind = row.difference as Kind
    const line = `${MARKS[kind]} ${pad(keys[place++] as string, width)}  ${whatDiffers(row)}`
    io.out(`${paint(io, COLOURS[kind], io.columns === undefined ? line : cut(line, io.columns))}\n`)
  }
}

/** Differences of an item that its line has, and the columns of each value. */
const MOST = 6
const VALUE_WIDTH = 40

function whatDiffers({ item_key, difference, before, after }: Row): string {
  if (difference === 'unknown') return 'nobody knows what it was at one of the two'
  const whole = difference !== 'changed'
  const all = differencesOf(itemOf(before), itemOf(after))
  const keys = Object.keys(parseItem(String(item_key)))
  const differences = all.filter(({ path: [first] }) => !(first && 'name' in first && keys.includes(first.name)))
  const texts = differences.slice(0, MOST).map(one => textOf(one, whole))
  return [...texts, ...(differences.length > MOST ? [`and ${differences.length - MOST} more`] : [])].join(', ')
}

/** Of an item that came or went as a whole its mark says which. */
function textOf({ kind, path, before, after }: Difference, whole: boolean): string {
  const value = (of: typeof before) => (of === undefined ? '' : cut(showValue(of), VALUE_WIDTH))
  const name = showPath(path)
  if (kind === 'changed') return `${name} ${value(before)} → ${value(after)}`
  if (kind === 'moved') return `${name} moved`
  return `${name} ${whole ? '' : kind === 'added' ? '+' : '-'}${value(after ?? before)}`
}

function itemOf(image: Row[string] | undefined): Item | null {
  return typeof image === 'string' ? parseItem(image) : null
}

function* describeRows(rows: Iterable<Row>, unseal: Unsealing): Generator<object> {
  for (const { item_key, difference, attributes, before, after } of revealRows(rows, unseal))
    yield {
      item_key: JSON.parse(String(item_key)) as object,
      difference,
      attributes,
      before: itemOf(before as string | null),
      after: itemOf(after as string | null),
    }
}
