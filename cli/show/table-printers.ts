import type { Io } from '../io.js'
import type { TextFormat } from './formats.js'
import { printList, toJson } from './json.js'
import { tellBeside } from './printers.js'
import type { TableSurface } from './surface.js'

/** Prints table after table; what is found in one goes out as it comes. */
export interface TablesPrinter {
  readonly begin: () => void
  readonly table: (name: string, surface: TableSurface) => Promise<void>
  readonly end: () => void
}

/** What prints several tables in a format. */
export const TABLES_PRINTERS: Readonly<Record<TextFormat, (io: Io) => TablesPrinter>> = {
  table: io => {
    let before = ''
    return {
      begin: () => {},
      table: async (_, surface) => {
        if (surface.isApart) io.out(before)
        before = '\n'
        await surface.page(io)
        surface.advice?.(io)
      },
      end: () => {},
    }
  },
  json: io => {
    let before = ''
    return {
      begin: () => io.out('['),
      table: async (name, { list, rows, beside }) => {
        io.out(`${before}{"table":${toJson(name)},"${list}":[`)
        before = ',\n '
        await printList(rows(), '', () => `],${toJson(beside()).slice(1)}`, io, ',\n  ')
      },
      end: () => io.out(']\n'),
    }
  },
  ndjson: io => ({
    begin: () => {},
    table: async (name, surface) => {
      for await (const row of surface.rows()) io.out(`${toJson({ table: name, ...row })}\n`)
      await tellBeside(surface, io)
    },
    end: () => {},
  }),
}
