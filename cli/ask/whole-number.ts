import { CommandError, type Options } from '../io.js'

/** The whole number that a flag gives; undefined where it is not given. Throws `CommandError` for anything else. */
export function wholeNumber(options: Options, flag: string): number | undefined {
  const typed = options[flag]
  if (typed === undefined) return undefined
  if (typeof typed === 'string' && /^[1-9]\d{0,8}$/.test(typed)) return Number(typed)
  throw new CommandError(`--${flag} is ${JSON.stringify(typed)}, expected a whole number from 1`)
}
