import { SAVED_QUERIES } from '../../queries/catalog.js'
import { type Command, EXIT } from '../io.js'
import { FORMAT_OPTION, formatOf, paint, printRows } from '../print.js'

/** The questions that can be asked by name. */
export const queries: Command = {
  usage: 'queries',
  summary: 'the questions that can be asked by name',
  options: [FORMAT_OPTION],
  example: 'itemtrail queries',
  run: async (_, options, io) => {
    const format = formatOf(options)
    const saved = [...SAVED_QUERIES.values()]
    if (format !== 'table') {
      const rows = saved.map(({ name, question, parameters }) => ({
        name,
        question,
        parameters: parameters.map(parameter => parameter.name),
      }))
      printRows(['name', 'question', 'parameters'], rows, format, io)
      return EXIT.done
    }
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
    return EXIT.done
  },
}
