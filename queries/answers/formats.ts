import { type Table, tableToIPC } from 'apache-arrow'
import { type CsvOptions, toCsv } from './csv.js'
import { type PageContext, toHtml } from './html-page.js'
import { toParquet } from './parquet-file.js'

/** Files that an answer can become, with their media types. `parquet` and `arrow` are no text: not for a terminal. */
export const FILE_FORMATS = {
  csv: { mediaType: 'text/csv; charset=utf-8; header=present', isText: true },
  parquet: { mediaType: 'application/vnd.apache.parquet', isText: false },
  arrow: { mediaType: 'application/vnd.apache.arrow.file', isText: false },
  html: { mediaType: 'text/html; charset=utf-8', isText: true },
} as const
export type FileFormat = keyof typeof FILE_FORMATS

/** An answer as a file, piece by piece. Only `html` reads the page's context. */
export async function* toFile(
  table: Table,
  format: FileFormat,
  context: PageContext & CsvOptions,
): AsyncGenerator<Uint8Array> {
  switch (format) {
    case 'csv':
      return yield* toCsv(table, context)
    case 'parquet':
      return yield await toParquet(table)
    case 'arrow':
      return yield toArrowFile(table)
    case 'html':
      return yield* toHtml(table, context)
  }
}

/** An answer in the Arrow IPC file format. */
export function toArrowFile(table: Table): Uint8Array {
  return tableToIPC(table, 'file')
}
