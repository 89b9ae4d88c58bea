import { toolVersion } from '../../../config/package.js'
import { FILE_FORMATS, type FileFormat, toFile } from '../../../queries/answers/file-formats.js'
import type { Receipt } from '../../../queries/answers/receipt.js'
import { goesToTerminal, type Io } from '../../io.js'
import type { AnswerFormat } from '../output-format.js'
import { type AnswerSurface, tellBeside } from '../surface.js'
import { printableLines } from '../text.js'

/** Every file that an answer can become. */
export const ANSWER_FILES: readonly AnswerFormat[] = (Object.keys(FILE_FORMATS) as FileFormat[]).map(name => ({
  name,
  of: 'columns',
  isBinary: !FILE_FORMATS[name].isText,
  print: async (surface, io) => {
    await printFile(surface, name, io)
    await tellBeside(surface, io)
  },
}))

/** Writes an answer as a file to wherever data goes. */
async function printFile(surface: AnswerSurface, format: FileFormat, io: Io): Promise<void> {
  let disarmed = 0
  const onDisarmed = () => {
    disarmed++
  }
  const page = FILE_FORMATS[format].hasPage ? await webPage(surface) : { question: '' }
  const table = ('table' in page ? page.table : undefined) ?? (await surface.table())
  for await (const bytes of toFile(table, format, { ...page, disarm: io.keepsFormulas !== true, onDisarmed }))
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
async function webPage(surface: AnswerSurface) {
  const { footer, ...page } = await surface.web()
  return { ...page, footer: { ...footer, ...(await footerOf(await surface.receipt())) } }
}

async function footerOf(receipt: Receipt | undefined): Promise<Readonly<Record<string, string>>> {
  if (receipt !== undefined) return (await import('../../../queries/answers/receipt.js')).receiptFooter(receipt)
  return { made: `${new Date().toISOString()} by itemtrail ${toolVersion()}` }
}
