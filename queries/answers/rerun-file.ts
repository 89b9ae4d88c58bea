import { createReadStream } from 'node:fs'
import type { Table } from 'apache-arrow'
import { weigh } from '../../store/file-hash.js'
import { FILE_FORMATS, type FileFormat, toFile } from './file-formats.js'
import type { Receipt } from './receipt.js'
import type { Rerun } from './rerun.js'

/** A file by what is in it. */
export interface FileDigest {
  readonly bytes: number
  readonly sha256: string
}

/** Whether a file is the answer: by its receipt, and by the archive as it is. */
export interface ComparedFile extends FileDigest {
  /** `not recorded`: the answer was not written with `--output`, so the receipt knows no file. */
  readonly receipt: 'same' | 'different' | 'not recorded'
  /**
   * `same`: it is the file of the receipt, whose answer the archive still gives, or to the byte the rows that it
   * gives now as `csv`, `parquet` or `arrow`; `unknown` where neither can tell.
   */
  readonly archive: 'same' | 'different' | 'unknown'
}

/** Formats whose bytes the rows decide, and nothing else. */
const EXACT = (Object.keys(FILE_FORMATS) as FileFormat[]).filter(format => FILE_FORMATS[format].isExact)

/** Reads a file once, from its beginning to its end. */
export async function digestFile(path: string): Promise<FileDigest> {
  return weigh(createReadStream(path) as AsyncIterable<Uint8Array>)
}

/** Holds a file against a receipt and against what the archive answers now. */
export async function compareFile(file: FileDigest, first: Receipt, again: Rerun): Promise<ComparedFile> {
  const { files } = first
  const isRecorded = files.some(({ bytes, sha256 }) => bytes === file.bytes && sha256 === file.sha256)
  const receipt = files.length === 0 ? 'not recorded' : isRecorded ? 'same' : 'different'
  return { ...file, receipt, archive: await beside(file, isRecorded, first, again) }
}

async function beside(
  file: FileDigest,
  isRecorded: boolean,
  { files, result }: Receipt,
  { answer, outcome, receipt: now }: Rerun,
): Promise<ComparedFile['archive']> {
  if (answer === undefined || now === undefined) return 'unknown'
  // what the receipt is of is what the file is of
  if (isRecorded) return outcome === 'reordered' || now.result.sha256 === result.sha256 ? 'same' : 'different'
  const formats = EXACT.filter(format => files.length === 0 || files.some(other => other.format === format))
  for (const format of formats) if ((await weigh(rendered(answer.table, format))).sha256 === file.sha256) return 'same'
  // the bytes of the other formats are those of the libraries that write them, too
  return files.some(({ format }) => format === 'csv') ? 'different' : 'unknown'
}

function rendered(table: Table, format: FileFormat): AsyncIterable<Uint8Array> {
  return toFile(table, format, { question: '' })
}
