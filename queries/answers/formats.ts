import { type Table, tableToIPC } from 'apache-arrow'
import { type PageContext, toHtml } from '../../view/paper/html-file.js'
import { type CsvOptions, toCsv } from './csv.js'
import type { FileFormat } from './file-formats.js'
import { toParquet } from './parquet-file.js'

export { FILE_FORMATS, type FileFormat } from './file-formats.js'

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

const ENCODERS: Readonly<Record<FileFormat, (table: Table, context: PageContext & CsvOptions) => Pieces>> = {
  csv: toCsv,
  parquet: async function* (table) {
    yield await toParquet(table)
  },
  arrow: table => [toArrowFile(table)],
  html: toHtml,
}

/** An answer as a file, piece by piece. Only `html` reads the page's context. */
export async function* toFile(
  table: Table,
  format: FileFormat,
  context: PageContext & CsvOptions,
): AsyncGenerator<Uint8Array> {
  yield* ENCODERS[format](table, context)
}

/** An answer in the Arrow IPC file format. */
export function toArrowFile(table: Table): Uint8Array {
  return tableToIPC(table, 'file')
}
