import type { Instant } from '../../transform/instant.js'
import { instantOf, isInstant } from '../ask/instant-argument.js'
import { LIVE_OPTION } from '../ask/live-item.js'
import { ANSWER_OPTIONS, type Asking, askArchive, PLACE_OPTIONS } from '../ask/question.js'
import { REVEAL_OPTION } from '../ask/revealing.js'
import { findWorkspaceTable } from '../ask/workspace.js'
import { type Command, CommandError, EXIT } from '../io.js'
import { formatOption } from '../show/choose-format.js'
import type { AnswerSurface } from '../show/surface.js'
import { itemAsOf } from './as-of/one-item.js'
import { tableAsOf } from './as-of/whole-table.js'

/** What one item, or the whole table, was at a moment. */
export const asOf: Command = {
  usage: 'as-of <table> [key] [instant]',
  shownArguments: '<table> [key] <instant>',
  summary: 'what an item was at an instant; without a key, what the table held',
  options: [
    ...PLACE_OPTIONS,
    formatOption('columns', 'items'),
    LIVE_OPTION,
    REVEAL_OPTION,
    ...ANSWER_OPTIONS.filter(([flags]) => !flags.startsWith('--format')),
    ['--no-verdict', 'of a whole table, leaves out how sure the answer is, and says so'],
  ],
  example: 'itemtrail as-of Orders ORD12345 2026-11-19T12:00:00Z',
  run: (args, options, io) => askArchive(options, io, asking => answerAsOf(args, asking), 'items'),
}

async function answerAsOf(args: readonly string[], asking: Asking): Promise<AnswerSurface> {
  const [key, at] = readMoment(args)
  const table = findWorkspaceTable(asking.workspace, args[0] as string, args[1])
  return key === undefined ? tableAsOf(asking, table, at) : itemAsOf(asking, table, key, at, args.at(-1) === 'now')
}

/** Of one argument after the table it is the instant, of two the second. */
function readMoment([table, ...rest]: readonly string[]): readonly [key: string | undefined, at: Instant] {
  const [first, second] = rest
  const example = `itemtrail as-of ${table} ${first === undefined || isInstant(first) ? '' : `${JSON.stringify(first)} `}2026-11-19T12:00:00Z`
  if (first === undefined) throw new CommandError('instant is missing', EXIT.usage, `type for example: ${example}`)
  if (second === undefined) {
    // what begins like a date is meant to be an instant, and its own message says what it lacks
    if (!/^\d{4}-\d{2}/.test(first) && !isInstant(first))
      throw new CommandError(
        `instant is missing after the key ${JSON.stringify(first)}`,
        EXIT.usage,
        `type for example: ${example}, or now`,
      )
    return [undefined, instantOf(first, 'instant')]
  }
  if (!isInstant(second) && isInstant(first))
    throw new CommandError(
      `instant is ${JSON.stringify(second)}, the key comes before the instant`,
      EXIT.usage,
      `did you mean: itemtrail as-of ${table} ${JSON.stringify(second)} ${first}`,
    )
  return [first, instantOf(second, 'instant')]
}
