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
  return ['--format <format>', text, FORMATS[0]?.name as string] as const
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
  const format = allowed.find(({ name }) => name === options.format)
  if (format !== undefined) return format
  const names = allowed.map(({ name }) => name).join(', ')
  const near = OTHER_NAMES[String(options.format).toLowerCase()]
  const hint = near !== undefined && allowed.some(({ name }) => name === near) ? `did you mean ${near}?` : undefined
  throw new CommandError(`format ${JSON.stringify(options.format)} is unknown, expected ${names}`, EXIT.usage, hint)
}

/** What formats are called elsewhere, or by a slip. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  jsonl: 'ndjson',
  jsonlines: 'ndjson',
  jsn: 'json',
  text: 'table',
  htm: 'html',
  feather: 'arrow',
  excel: 'csv',
  xlsx: 'csv',
}

function formatsOf(has: readonly Had[]): readonly (OutputFormat & { readonly about?: string })[] {
  return FORMATS.filter(({ of }) => of === 'anything' || has.includes(of))
}
