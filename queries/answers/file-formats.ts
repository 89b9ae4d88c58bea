import type { Table } from 'apache-arrow'
import type { CsvOptions } from './csv.js'
import type { XlsxOptions } from './xlsx.js'

/** What a file says around an answer, and how it holds the texts of it. */
type FileContext = XlsxOptions & CsvOptions

/** What makes a file of an answer, piece by piece. Only what has a page reads the page's context. */
type Encoder = (table: Table, context: FileContext) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** A file that an answer can become. */
interface AnswerFile {
  readonly mediaType: string
  /** What is no text is not for a terminal. */
  readonly isText: boolean
  /** True where it shows a page around the table. */
  readonly hasPage: boolean
  /** True where the rows decide its bytes and nothing else does. */
  readonly isExact: boolean
  /** Loads it when it is asked for: a list of formats costs nothing. */
  readonly encoder: () => Promise<Encoder>
}

/** Files that an answer can become: another one is a line here and its writer. */
export const FILE_FORMATS = {
  csv: {
    mediaType: 'text/csv; charset=utf-8; header=present',
    isText: true,
    hasPage: false,
    isExact: true,
    encoder: async () => (await import('./csv.js')).toCsv,
  },
  parquet: {
    mediaType: 'application/vnd.apache.parquet',
    isText: false,
    hasPage: false,
    isExact: true,
    encoder: async () => inOnePiece((await import('./parquet-file.js')).toParquet),
  },
  arrow: {
    mediaType: 'application/vnd.apache.arrow.file',
    isText: false,
    hasPage: false,
    isExact: true,
    encoder: async () => {
      const { tableToIPC } = await import('apache-arrow')
      return inOnePiece(table => tableToIPC(table, 'file'))
    },
  },
  html: {
    mediaType: 'text/html; charset=utf-8',
    isText: true,
    hasPage: true,
    isExact: false,
    encoder: async () => (await import('../../view/paper/html-file.js')).toHtml,
  },
  markdown: {
    mediaType: 'text/markdown; charset=utf-8',
    isText: true,
    hasPage: true,
    isExact: false,
    encoder: async () => (await import('./markdown.js')).toMarkdown,
  },
  xlsx: {
    mediaType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    isText: false,
    hasPage: true,
    isExact: false,
    encoder: async () => (await import('./xlsx.js')).toXlsx,
  },
} as const satisfies Readonly<Record<string, AnswerFile>>

/** The name of a format in `FILE_FORMATS`. */
export type FileFormat = keyof typeof FILE_FORMATS

/** An answer as a file, piece by piece. Only what has a page reads the page's context. */
export async function* toFile(table: Table, format: FileFormat, context: FileContext): AsyncGenerator<Uint8Array> {
  const encode: Encoder = await FILE_FORMATS[format].encoder()
  yield* encode(table, context)
}

function inOnePiece(make: (table: Table) => Uint8Array | Promise<Uint8Array>): Encoder {
  return async function* (table) {
    yield await make(table)
  }
}
