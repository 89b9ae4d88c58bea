import { failureOf } from '../failure-of.js'
import type { Io } from '../io.js'
import type { TextFormat } from './formats.js'
import { printList, toJson } from './json.js'
import { tellBeside } from './printers.js'
import type { TableSurface } from './surface.js'

/** Prints table after table; what is found in one goes out as it comes. */
export interface TablesPrinter {
  readonly begin: () => void
  /** What it prints stays whole where a table cannot be read, or not to its end; the error goes on. */
  readonly table: (name: string, open: () => Promise<TableSurface>) => Promise<void>
  readonly end: () => void
}

/** What prints several tables in a format. */
export const TABLES_PRINTERS: Readonly<Record<TextFormat, (io: Io) => TablesPrinter>> = {
  table: io => {
    let before = ''
    return {
      begin: () => {},
      table: async (_, open) => {
        const surface = await open()
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
      table: async (name, open) => {
        io.out(`${before}{"table":${toJson(name)}`)
        before = ',\n '
        let left = ''
        try {
          const { list, rows, beside } = await open()
          io.out(`,"${list}":[`)
          left = ']'
          await printList(rows(), '', () => `],${toJson(beside()).slice(1)}`, io, ',\n  ')
        } catch (error) {
          io.out(`${left},"not_checked":${toJson(failureOf(error).message)}}`)
          throw error
        }
      },
      end: () => io.out(']\n'),
    }
  },
  ndjson: io => ({
    begin: () => {},
    table: async (name, open) => {
      const surface = await open()
      for await (const row of surface.rows()) io.out(`${toJson({ table: name, ...row })}\n`)
      await tellBeside(surface, io)
    },
    end: () => {},
  }),
}
