import { nearest } from '../../config/nearest.js'
import type { Key, Parameters } from '../../library/given.js'
import type { SavedQuery } from '../../queries/catalog.js'
import { askedParameters, hasOnly } from '../../queries/question-usage.js'
import { parseItem } from '../../transform/attribute-value.js'
import { formatInstant } from '../../transform/instant.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { CommandError, EXIT, type Options } from '../io.js'
import { findItemKey } from './find-item.js'
import { instantOf } from './instant-argument.js'
import type { Workspace } from './workspace.js'

/** Flags that give a saved query its parameters, beside the values that follow its table. */
export const PARAMETER_OPTIONS = [
  ['--from <instant>', 'the beginning of the period, where the question has one'],
  ['--to <instant>', 'its end'],
  ['--param <name=value>', 'a parameter by its name; may be given several times', []],
  ['--subject <id>', 'the person asked about: the token is made here, and the id goes nowhere'],
] as const

type Typed = readonly [name: string, value: string]

/** True for `name=value`, name being a parameter of the question: it is no table, and no value of another one. */
export function isNamedParameter(saved: SavedQuery, text: string): boolean {
  return askedParameters(saved).some(({ name }) => text.startsWith(`${name}=`))
}

/**
 * The parameters of a question as they were typed: in the order of its header, as `name=value`, or by flags. Throws
 * `CommandError` for one that is given twice, that there is not, or whose moment or key cannot be read.
 */
export async function readParameters(
  saved: SavedQuery,
  table: TableConfiguration,
  values: readonly string[],
  workspace: Workspace,
  options: Options,
): Promise<Parameters> {
  const named = [
    ...periodOf(saved, options),
    ...((options.param ?? []) as readonly string[]).map(text => namedParameter(saved, text)),
    ...(await subjectParameter(saved, workspace, options)),
  ]
  const parameters: Record<string, Key> = {}
  for (const [name, value] of placed(saved, values, named)) {
    if (Object.hasOwn(parameters, name)) throw new CommandError(`parameter ${name} is given twice, expected once`)
    parameters[name] = await readParameter(saved, table, [name, value], workspace)
  }
  return parameters as Parameters
}

/** A key is typed as in `history`, a moment as everywhere. */
async function readParameter(
  saved: SavedQuery,
  table: TableConfiguration,
  [name, value]: Typed,
  workspace: Workspace,
): Promise<Key> {
  const type = saved.parameters.find(parameter => parameter.name === name)?.type
  if (type === 'item') return parseItem(await findItemKey(workspace, table, value))
  return type === 'instant' ? formatInstant(instantOf(value, `parameter ${name}`).us, 6) : value
}

function periodOf(saved: SavedQuery, options: Options): readonly Typed[] {
  const known = askedParameters(saved).map(({ name }) => name)
  return ['from', 'to'].flatMap(name => {
    const value = options[name]
    if (typeof value !== 'string') return []
    if (known.includes(name)) return [[name, value] as const]
    const what = known.includes('at') ? 'asks of one moment' : 'asks of all time'
    throw new CommandError(`--${name}: query ${saved.name} ${what}`, EXIT.usage, hasOnly(saved))
  })
}

function namedParameter(saved: SavedQuery, text: string): Typed {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name !== undefined && value !== undefined) return [name, value]
  throw new CommandError(
    `--param ${JSON.stringify(text)} is not name=value`,
    EXIT.usage,
    `itemtrail query ${saved.name} --help tells its parameters`,
  )
}

/** Values without a name are those of the parameters that are named nowhere, in the order of the header. */
function placed(saved: SavedQuery, values: readonly string[], flags: readonly Typed[]): readonly Typed[] {
  const named = [
    ...flags,
    ...values.filter(text => isNamedParameter(saved, text)).map(text => namedParameter(saved, text)),
  ]
  const free = askedParameters(saved)
    .map(({ name }) => name)
    .filter(name => !named.some(([known]) => known === name))
  const unnamed = values.filter(text => !isNamedParameter(saved, text))
  for (const text of unnamed) refuseNearlyNamed(saved, text)
  if (unnamed.length > free.length)
    throw new CommandError(
      `query ${saved.name} got the value ${JSON.stringify(unnamed[free.length])}, which is one too many`,
      EXIT.usage,
      `${hasOnly(saved)}; a value with blanks stands in quotes`,
    )
  return [...named, ...unnamed.map((value, i) => [free[i] as string, value] as const)]
}

/** What is nearly `name=value` would be looked for as the value of a parameter, and never be found. */
function refuseNearlyNamed(saved: SavedQuery, text: string): void {
  const [, name] = /^([a-z_]+)=/i.exec(text) ?? []
  const near =
    name === undefined
      ? []
      : nearest(
          name,
          askedParameters(saved).map(known => known.name),
        )
  if (near.length === 0) return
  throw new CommandError(
    `parameter ${JSON.stringify(name)} is unknown`,
    EXIT.usage,
    `did you mean ${near.map(known => `${known}=...`).join(' or ')}? ${hasOnly(saved)}`,
  )
}

/** The token of a person in the place of the id, which would stay in a history of statements. */
async function subjectParameter(
  { name, parameters }: SavedQuery,
  { persons }: Workspace,
  { subject }: Options,
): Promise<readonly Typed[]> {
  if (typeof subject !== 'string') return []
  if (!parameters.some(parameter => parameter.name === 'subject'))
    throw new CommandError(`query ${name} asks for no person, expected one with the parameter subject`)
  return [['subject', await persons.tokenOf(subject)]]
}
