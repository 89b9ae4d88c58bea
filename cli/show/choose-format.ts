import { extname } from 'node:path'
import { CommandError, EXIT, type Options } from '../io.js'
import { FORMATS } from './formats.js'
import type { OutputFormat, TextFormat } from './output-format.js'

/** What an answer has besides pages and objects, which all have. */
export type Had = Exclude<OutputFormat['of'], 'anything'>

/** The flag `--format` of a command whose answers have this. */
export function formatOption(...has: readonly Had[]) {
  const told = formatsOf(has).map(({ name, about }) => (about === undefined ? name : `${name}: ${about}`))
  const last = told.at(-1) as string
  // a text with an explanation of its own is set off
  const text = `${told.slice(0, -1).join(', ')}${last.includes(' ') ? ', or ' : ' or '}${last}`
  const otherwise = has.length === 0 ? 'else' : 'else as the file of --output ends, or'
  return ['--format <format>', `${text} (${otherwise} ${FORMATS[0]?.name})`] as const
}

/** The flag of commands whose answers have nothing besides. */
export const FORMAT_OPTION = formatOption()

/** The format that the flags ask for, of those that every command has. Throws `CommandError` for another one. */
export function formatOf(options: Options): TextFormat {
  // a command that has nothing besides is offered no other
  return answerFormatOf(options) as TextFormat
}

/** The format that the flags ask for, of those for answers that have this. Throws `CommandError` for another one. */
export function answerFormatOf(options: Options, ...has: readonly Had[]): OutputFormat {
  const allowed = formatsOf(has)
  const wanted = options.format ?? formatOfEnding(options, allowed) ?? FORMATS[0]?.name
  const format = allowed.find(({ name }) => name === wanted)
  if (format === undefined) throw unknownFormat(String(wanted), allowed)
  checkEnding(options, format)
  return format
}

function unknownFormat(wanted: string, allowed: readonly OutputFormat[]): CommandError {
  const names = allowed.map(({ name }) => name).join(', ')
  const near = OTHER_NAMES[wanted.toLowerCase()]
  const hint = near !== undefined && allowed.some(({ name }) => name === near) ? `did you mean ${near}?` : undefined
  return new CommandError(`format ${JSON.stringify(wanted)} is unknown, expected ${names}`, EXIT.usage, hint)
}

/** The endings of files, and the format that each names. */
const ENDINGS: Readonly<Record<string, string>> = {
  txt: 'table',
  json: 'json',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  csv: 'csv',
  xlsx: 'xlsx',
  md: 'markdown',
  html: 'html',
  htm: 'html',
  parquet: 'parquet',
  arrow: 'arrow',
}

/** The format that the name of the file says; undefined for a name without an ending. Throws `CommandError`. */
function formatOfEnding({ output }: Options, allowed: readonly OutputFormat[]): string | undefined {
  const ending = endingOf(output)
  if (ending === '') return undefined
  const format = ENDINGS[ending]
  if (format !== undefined && allowed.some(({ name }) => name === format)) return format
  const known = Object.keys(ENDINGS).filter(known => allowed.some(({ name }) => name === ENDINGS[known]))
  throw new CommandError(
    `--output ${output} ends in none of the formats, expected ${known.map(known => `.${known}`).join(', ')}`,
    EXIT.usage,
    '--format says which it is, whatever its name',
  )
}

/** A file that is called what it is not is opened by the wrong program. */
function checkEnding({ output }: Options, { name }: OutputFormat): void {
  const named = ENDINGS[endingOf(output)]
  const isJson = named === 'json' && ['ndjson', 'dynamodb'].includes(name)
  if (named === undefined || named === name || named === 'table' || isJson) return
  throw new CommandError(
    `--output ${output} is called a file of ${named}, and --format is ${name}; expected one of them`,
  )
}

function endingOf(output: Options[string]): string {
  return typeof output === 'string' ? extname(output).slice(1).toLowerCase() : ''
}

/** What formats are called elsewhere, or by a slip. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  jsonl: 'ndjson',
  jsonlines: 'ndjson',
  jsn: 'json',
  text: 'table',
  htm: 'html',
  feather: 'arrow',
  md: 'markdown',
  excel: 'xlsx',
  xls: 'xlsx',
}

function formatsOf(has: readonly Had[]): readonly (OutputFormat & { readonly about?: string })[] {
  return FORMATS.filter(({ of }) => of === 'anything' || has.includes(of))
}
