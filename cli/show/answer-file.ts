import type { Table } from 'apache-arrow'
import type { FileFormat } from '../../queries/answers/formats.js'
import type { PageContext } from '../../queries/answers/html-page.js'
import type { Receipt } from '../../queries/answers/receipt.js'
import type { Io } from '../io.js'
import type { Format } from './print.js'
import { printableLines } from './text.js'

/** Formats that are files of their own, as `--format` names them. */
export const FILE_FORMATS = ['csv', 'parquet', 'arrow', 'html'] as const satisfies readonly FileFormat[]

/** True for a format that is a file of its own. */
export function isFileFormat(format: Format): format is FileFormat {
  return FILE_FORMATS.some(name => name === format)
}

/** True for a format that is no text. */
export function isBinary(format: Format): boolean {
  return format === 'parquet' || format === 'arrow'
}

/** True where data goes to a terminal. */
export function goesToTerminal({ outIsTerminal, columns }: Io): boolean {
  return outIsTerminal ?? columns !== undefined
}

/** Writes an answer as a file to wherever data goes. */
export async function printFile(table: Table, format: FileFormat, context: PageContext, io: Io): Promise<void> {
  const { toFile } = await import('../../queries/answers/formats.js')
  let disarmed = 0
  const onDisarmed = () => {
    disarmed++
  }
  for await (const bytes of toFile(table, format, { ...context, disarm: io.keepsFormulas !== true, onDisarmed }))
    writePiece(bytes, io)
  if (disarmed > 0)
    io.err(
      `${disarmed} ${disarmed === 1 ? 'text' : 'texts'} that a spreadsheet would run got an apostrophe in front; --csv-formulas keep leaves them, and the other formats have them as they are\n`,
    )
}

/** A file is as the archive has it; what could steer a terminal is escaped only there. */
function writePiece(bytes: Uint8Array, io: Io): void {
  if (goesToTerminal(io)) io.out(printableLines(Buffer.from(bytes).toString().replaceAll('\r\n', '\n')))
  else if (io.outBytes === undefined) io.out(Buffer.from(bytes).toString())
  else io.outBytes(bytes)
}

/** What stands under an answer on a page: its receipt's lines, or when and by what it was made. */
export async function pageFooter(receipt: Receipt | undefined): Promise<Readonly<Record<string, string>>> {
  const { receiptFooter, toolVersion } = await import('../../queries/answers/receipt.js')
  if (receipt !== undefined) return receiptFooter(receipt)
  return { made: `${new Date().toISOString()} by itemtrail ${toolVersion()}` }
}
