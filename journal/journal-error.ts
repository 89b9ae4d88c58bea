import { LOG_PREFIX } from '../transform/layout.js'

/** A journal that is not what it should be: cut off, forked, altered, or signed by another key. */
export class JournalError extends Error {
  override readonly name = 'JournalError'

  constructor(
    /** Where it is found, below `log/`. */
    readonly path: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`${LOG_PREFIX}${path} ${problem}`, options)
  }
}
