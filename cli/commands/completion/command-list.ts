import { SAVED_QUERIES } from '../../../queries/catalog.js'
import type { Command } from '../../io.js'
import { COMMON_OPTIONS } from '../../show/common-options.js'
import { FORMATS } from '../../show/formats.js'

/** What a shell can complete, and does where a value or an argument of that kind is typed. */
export type Completed = 'file' | 'folder' | 'format' | 'query' | 'shell' | 'table' | 'nothing'

/** An option as a shell and a manual see it. */
export interface ListedOption {
  /** `-n`, `--last`. */
  readonly flags: readonly string[]
  /** Undefined where it takes no value. */
  readonly value: Completed | undefined
  /** As help writes the value: `<dir>`. Empty where it takes none. */
  readonly placeholder: string
  readonly description: string
}

/** A command as a shell and a manual see it. */
export interface ListedCommand {
  readonly name: string
  readonly summary: string
  readonly usage: string
  readonly example: string
  readonly options: readonly ListedOption[]
  readonly arguments: readonly Completed[]
}

/** Shells that a completion is written for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** The commands by what they say of themselves. */
export function listCommands(commands: readonly Command[]): readonly ListedCommand[] {
  return commands.map(({ usage, shownArguments, summary, example, options }) => {
    const [name = '', ...rest] = usage.split(' ')
    return {
      name,
      summary,
      usage: `${name} ${shownArguments ?? rest.join(' ')}`.trim(),
      example,
      options: [...[...options, ...COMMON_OPTIONS].map(listOption), HELP],
      arguments: rest.map(argument => kindOfArgument(name, argument)),
    }
  })
}

const HELP: ListedOption = {
  flags: ['-h', '--help'],
  value: undefined,
  placeholder: '',
  description: 'tells how it is used',
}

function listOption([text, description]: Command['options'][number]): ListedOption {
  const words = text.split(/,? /)
  const placeholder = words.find(word => word.startsWith('<')) ?? ''
  const flags = words.filter(word => word.startsWith('-'))
  return { flags, value: placeholder === '' ? undefined : kindOfValue(placeholder), placeholder, description }
}

function kindOfValue(placeholder: string): Completed {
  if (/^<(file|export)>$/.test(placeholder)) return 'file'
  if (/^<(dir|folder)>$/.test(placeholder)) return 'folder'
  return placeholder === '<format>' ? 'format' : 'nothing'
}

/** A table may come before an event's id. */
const OF_ARGUMENT: Readonly<Record<string, Completed>> = {
  table: 'table',
  tables: 'table',
  event: 'table',
  file: 'file',
  files: 'file',
  receipt: 'file',
  shell: 'shell',
}

function kindOfArgument(command: string, argument: string): Completed {
  const name = argument.replaceAll(/[^a-z]/g, '')
  return command === 'query' && name === 'name' ? 'query' : (OF_ARGUMENT[name] ?? 'nothing')
}

/** The words that a kind stands for, where they are known beforehand. */
export function wordsOfKind(kind: Completed): readonly string[] {
  if (kind === 'format') return FORMATS.map(({ name }) => name)
  if (kind === 'query') return [...SAVED_QUERIES.keys()]
  return kind === 'shell' ? SHELLS : []
}
