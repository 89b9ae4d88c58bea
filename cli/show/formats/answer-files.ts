import type { Table } from 'apache-arrow'
import { toolVersion } from '../../../config/package.js'
import { FILE_FORMATS, type FileFormat, toFile } from '../../../queries/answers/file-formats.js'
import type { ReadPlain } from '../../../queries/answers/plain-text.js'
import type { Receipt } from '../../../queries/answers/receipt.js'
import { CommandError, EXIT, goesToTerminal, type Io } from '../../io.js'
import { shortId } from '../confidence.js'
import type { AnswerFormat } from '../output-format.js'
import { readPlain } from '../plain-text.js'
import { type AnswerSurface, tellBeside } from '../surface.js'
import { printableLines } from '../text.js'

/** Every file that an answer can become. */
export const ANSWER_FILES: readonly AnswerFormat[] = (Object.keys(FILE_FORMATS) as FileFormat[]).map(name => ({
  name,
  of: 'columns',
  isBinary: !FILE_FORMATS[name].isText,
  isRowsAlone: !FILE_FORMATS[name].hasPage,
  print: async (surface, io) => {
    await printFile(surface, name, io)
    await tellBeside(surface, io)
  },
}))

/** Writes an answer as a file to wherever data goes. */
async function printFile(surface: AnswerSurface, format: FileFormat, io: Io): Promise<void> {
  const counts = { disarmed: 0, cut: 0 }
  const { table: readable, ...page } = FILE_FORMATS[format].hasPage ? await webPage(surface) : NO_PAGE
  const table = await (readable ?? surface.table)()
  if (format === 'xlsx') await checkSheet(table)
  const context = {
    ...page,
    ...((FOR_PEOPLE.has(format) || io.forExcel === true) && { plain: readPlain }),
    ...(format === 'markdown' && readable !== undefined && { plain: readBrief }),
    mark: io.forExcel === true,
    disarm: io.keepsFormulas !== true,
    onDisarmed: () => counts.disarmed++,
    onCut: () => counts.cut++,
  }
  for await (const bytes of toFile(table, format, context)) writePiece(bytes, io)
  tellCounts(counts, io)
}

const NO_PAGE = { question: '', table: undefined }

/** Files that are read and not read in: keys and values are plain. */
const FOR_PEOPLE: ReadonlySet<FileFormat> = new Set(['markdown', 'xlsx'])

/** Of a table that was made for people: an id by the signs that are printed and typed. */
const readBrief: ReadPlain = (column, text) =>
  column.endsWith('event_id') || column.endsWith('_event')
    ? { text: shortId(text), kind: 'text' }
    : readPlain(column, text)

async function checkSheet(table: Table): Promise<void> {
  const reason = (await import('../../../queries/answers/xlsx.js')).tooLargeForSheet(table)
  if (reason !== undefined) throw new CommandError(reason, EXIT.usage, 'csv and parquet hold all of it')
}

function tellCounts({ disarmed, cut }: { readonly disarmed: number; readonly cut: number }, io: Io): void {
  const texts = (n: number) => `${n} ${n === 1 ? 'text' : 'texts'}`
  if (disarmed > 0)
    io.err(
      `${texts(disarmed)} that a spreadsheet would run got an apostrophe in front; --csv-formulas keep leaves them, and the other formats have them as they are\n`,
    )
  if (cut > 0)
    io.err(`${texts(cut)} longer than a cell can hold were cut, and end with …; the other formats have them whole\n`)
}

/** A file is as the archive has it; what could steer a terminal is escaped only there. */
function writePiece(bytes: Uint8Array, io: Io): void {
  if (goesToTerminal(io)) io.out(printableLines(Buffer.from(bytes).toString().replaceAll('\r\n', '\n')))
  else if (io.outBytes === undefined) io.out(Buffer.from(bytes).toString())
  else io.outBytes(bytes)
}

/** What stands under an answer on a page: its receipt's lines, or when and by what it was made. */
async function webPage(surface: AnswerSurface) {
  const { footer, ...page } = await surface.web()
  return { ...page, footer: { ...footer, ...(await footerOf(await surface.receipt())) } }
}

async function footerOf(receipt: Receipt | undefined): Promise<Readonly<Record<string, string>>> {
  if (receipt !== undefined) return (await import('../../../queries/answers/receipt.js')).receiptFooter(receipt)
  return { made: `${new Date().toISOString()} by itemtrail ${toolVersion()}` }
}
