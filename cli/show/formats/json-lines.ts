import { printLines, toJson } from '../json-text.js'
import type { TextFormat } from '../output-format.js'
import { tellBeside } from '../surface.js'

/** An object a line, in the contract of docs/cli-json.md. What is beside the lines goes to standard error. */
export const JSON_LINES: TextFormat = {
  name: 'ndjson',
  of: 'anything',
  isRowsAlone: true,
  print: async (surface, io) => {
    const { rows, whole, about } = surface
    if (rows === undefined) return whole === undefined ? undefined : io.out(`${toJson(whole())}\n`)
    await printLines(rows(), io, about)
    await tellBeside(surface, io)
  },
  tell: io => ({
    members: () => {},
    list: () => {},
    piece: describe => io.out(`${toJson(describe())}\n`),
    page: () => {},
    part: print => print(io),
    // colours are for where data goes
    summary: print => print({ ...io, out: io.err, colour: false }),
    end: () => {},
  }),
}
