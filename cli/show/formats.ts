import { FILE_FORMATS, type FileFormat } from '../../queries/answers/file-formats.js'
import { CommandError, type Options } from '../io.js'

/** Formats that every command has. */
const COMMON_FORMATS = ['table', 'json', 'ndjson'] as const
export type TextFormat = (typeof COMMON_FORMATS)[number]

/** The names of the formats that are files of their own. */
export const FILE_FORMAT_NAMES = Object.keys(FILE_FORMATS) as readonly FileFormat[]

/** Formats that every question has. */
export const QUESTION_FORMATS: readonly (TextFormat | FileFormat)[] = [...COMMON_FORMATS, ...FILE_FORMAT_NAMES]

/** Every format. `dynamodb` is for what has items: lines as in an export. */
export type Format = TextFormat | FileFormat | 'dynamodb'

/** The flag of commands that answer for people and programs. */
export const FORMAT_OPTION = ['--format <format>', 'table, json or ndjson', 'table'] as const

/** The format that the flags ask for. Throws `CommandError` for one that this command does not have. */
export function formatOf(options: Options): TextFormat
export function formatOf<F extends Format>(options: Options, allowed: readonly F[]): F
export function formatOf(options: Options, allowed: readonly Format[] = COMMON_FORMATS): Format {
  const format = allowed.find(name => name === options.format)
  if (format === undefined)
    throw new CommandError(`format ${JSON.stringify(options.format)} is unknown, expected ${allowed.join(', ')}`)
  return format
}

/** True for a format that is a file of its own. */
export function isFileFormat(format: Format): format is FileFormat {
  return Object.hasOwn(FILE_FORMATS, format)
}

/** True for a format that is no text. */
export function isBinary(format: Format): boolean {
  return isFileFormat(format) && !FILE_FORMATS[format].isText
}
