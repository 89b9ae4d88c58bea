import { CommandError } from '../io.js'

/** Flag of every command: whether answers have colours. */
export const COLOUR_OPTION = [
  '--color <when>',
  'colours: always, never, or auto, on a terminal (FORCE_COLOR, NO_COLOR)',
] as const

/** Whether data is coloured where no flag says so. A terminal that cannot be steered has no colours unasked. */
export function colourOf(isTerminal: boolean, { FORCE_COLOR, NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  if (FORCE_COLOR !== undefined) return !['0', 'false'].includes(FORCE_COLOR)
  return isTerminal && TERM !== 'dumb' && (NO_COLOR ?? '') === ''
}

/** What `--color` says, else as it is. Throws `CommandError` for another word. */
export function colourAsTyped(typed: unknown, otherwise: boolean): boolean {
  if (typed === undefined || typed === 'auto') return otherwise
  if (typed === 'always' || typed === 'never') return typed === 'always'
  throw new CommandError(`--color is ${JSON.stringify(typed)}, expected always, never or auto`)
}
