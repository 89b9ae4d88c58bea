import { nearest } from '../../config/nearest.js'
import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { usageOf } from '../../queries/question-usage.js'
import { type Command, CommandError, EXIT, type Io } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { paint } from '../show/terminal.js'

/** The questions that can be asked by name. */
export const queries: Command = {
  usage: 'queries [word...]',
  summary: 'the questions that can be asked by name; of words those that speak of them',
  options: [FORMAT_OPTION],
  example: 'itemtrail queries actor',
  run: async (words, options, io) => {
    const format = formatOf(options)
    const saved = [...SAVED_QUERIES.values()].filter(query => speaksOf(query, words))
    if (saved.length === 0) throw noneOf(words)
    await format.print({ page: () => showQueries(saved, io), rows: () => saved.map(describe) }, io)
    return EXIT.done
  },
}

/** True where every word is in what a question says of itself. */
export function speaksOf(saved: SavedQuery, words: readonly string[]): boolean {
  const { name, question, parameters, columns } = saved
  const all = [...parameters, ...columns].flatMap(({ name, meaning }) => [name, meaning])
  const text = [name, question, ...all].join('\n').toLowerCase()
  return words.every(word => text.includes(word.toLowerCase()))
}

function noneOf(words: readonly string[]): CommandError {
  const near = nearest(words.join('-'), [...SAVED_QUERIES.keys()])
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'itemtrail queries lists all'
  return new CommandError(
    `no question speaks of ${words.map(word => JSON.stringify(word)).join(' and ')}`,
    EXIT.findings,
    hint,
  )
}

function showQueries(saved: readonly SavedQuery[], io: Io): void {
  for (const query of saved) {
    io.out(`${paint(io, 'bold', query.name)}\n    ${query.question}\n`)
    for (const line of parameterLines(query)) io.out(`    ${line}\n`)
  }
  io.err('\nask one with: itemtrail query NAME TABLE [VALUE...] [NAME=VALUE...]\n')
}

function parameterLines({ parameters, asksForColumn }: SavedQuery): readonly string[] {
  const told = parameters
    .filter(({ preset }) => preset !== 'facts')
    .map(({ name, default: preset, example, meaning }) => {
      const known = preset === undefined ? `for example ${example}` : `default ${preset === '' ? 'empty' : preset}`
      return `${name}=...  ${meaning} (${known})`
    })
  return asksForColumn ? ['column=...  one of the configured columns', ...told] : told
}

/** What the help of `query` says of one question: its parameters, and the columns of its answer. */
export function helpOfQuery(saved: SavedQuery | undefined): string {
  if (saved === undefined) return '\n"itemtrail query NAME --help" tells the parameters and columns of one question.'
  const { name, question, columns } = saved
  const parameters = parameterLines(saved)
  return [
    '',
    `${name}: ${question}`,
    '',
    `  ${usageOf(saved)}`,
    ...(parameters.length === 0
      ? []
      : ['', 'Its parameters, in their order or by their names:', ...parameters.map(line => `  ${line}`)]),
    '',
    'Its columns:',
    ...columns.map(column => `  ${column.name} (${column.type})  ${column.meaning}`),
  ].join('\n')
}

function describe({ name, question, parameters, columns, asksForColumn, empty }: SavedQuery): object {
  const column = {
    name: 'column',
    type: 'column',
    default: null,
    example: null,
    meaning: 'one of the configured columns',
  }
  return {
    name,
    question,
    parameters: [
      ...(asksForColumn ? [column] : []),
      ...parameters.map(({ name, type, default: preset, example, meaning }) => ({
        name,
        type,
        default: preset ?? null,
        example,
        meaning,
      })),
    ],
    columns: columns.map(({ name, meaning }) => ({ name, meaning })),
    empty,
  }
}
