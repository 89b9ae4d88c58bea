import { SAVED_QUERIES, type SavedQuery } from '../../queries/catalog.js'
import { type Command, EXIT, type Io } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { paint } from '../show/terminal.js'

/** The questions that can be asked by name. */
export const queries: Command = {
  usage: 'queries',
  summary: 'the questions that can be asked by name',
  options: [FORMAT_OPTION],
  example: 'itemtrail queries',
  run: async (_, options, io) => {
    const format = formatOf(options)
    const saved = [...SAVED_QUERIES.values()]
    await format.print({ page: () => showQueries(saved, io), rows: () => saved.map(describe) }, io)
    return EXIT.done
  },
}

function showQueries(saved: readonly SavedQuery[], io: Io): void {
  for (const { name, question, parameters, asksForColumn } of saved) {
    io.out(`${paint(io, 'bold', name)}\n    ${question}\n`)
    if (asksForColumn) io.out('    --param column=...  one of the configured columns\n')
    for (const parameter of parameters) {
      const preset =
        parameter.default === undefined ? `for example ${parameter.example}` : `default ${parameter.default}`
      io.out(`    --param ${parameter.name}=...  ${parameter.meaning} (${preset})\n`)
    }
  }
  io.err('\nask one with: itemtrail query NAME TABLE --param name=value\n')
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
