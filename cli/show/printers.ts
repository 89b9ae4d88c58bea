import type { Io } from '../io.js'
import { printAnswerFile } from './answer-file.js'
import { type Format, isFileFormat, type TextFormat } from './formats.js'
import { printLines, printList, toDynamoDbJson, toJson } from './json.js'
import type { AnswerSurface, Surface } from './surface.js'

/** Prints what a command found. */
export async function print(surface: Surface, format: TextFormat, io: Io): Promise<void> {
  await PRINTERS[format](surface, io)
}

/** Prints the answer to a question, in any format. */
export async function printAnswer(surface: AnswerSurface, format: Format, io: Io): Promise<void> {
  if (!isFileFormat(format) && format !== 'dynamodb') return print(surface, format, io)
  if (format === 'dynamodb') for await (const image of surface.images?.() ?? []) io.out(`${toDynamoDbJson(image)}\n`)
  else await printAnswerFile(surface, format, io)
  await tellBeside(surface, io)
}

const PRINTERS: Readonly<Record<TextFormat, (surface: Surface, io: Io) => Promise<void>>> = {
  table: async (surface, io) => {
    await surface.page(io)
    surface.advice?.(io)
  },
  json: async (surface, io) => {
    if (surface.whole !== undefined) return io.out(`${toJson(surface.whole())}\n`)
    const { rows, beside } = surface
    if (beside === undefined) return printList(rows(), '[', () => ']\n', io)
    await printList(rows(), '{"rows":[', async () => `],\n${toJson(await beside()).slice(1)}\n`, io)
  },
  ndjson: async (surface, io) => {
    const { rows, whole } = surface
    if (rows === undefined) return whole === undefined ? undefined : io.out(`${toJson(whole())}\n`)
    await printLines(rows(), io)
    await tellBeside(surface, io)
  },
}

/** What a format that has rows only leaves out: how sure it is, and what to do next. */
export async function tellBeside({ summary, advice }: Pick<Surface, 'summary' | 'advice'>, io: Io): Promise<void> {
  await summary?.(io)
  advice?.(io)
}
